"""An unchanged source is known again without being read; what changed is seen; a picture is decoded once."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from catalog.fetching.downloads import Downloads
from catalog.fetching.settings import MediaSettings
from catalog.ingesting import last_ingest
from catalog.ingesting.ingest import IngestReport, ingest
from catalog.media import ImageHeader, media_id, read_picture
from catalog.pictures import proved, reading
from catalog.pictures.perceptual_hash import look_of
from catalog.pictures.proved import Proved, ProvedPictures
from catalog.snapshot import snapshot_id
from catalog.sources import inputs, open_source
from catalog.sources.sample import SampleSource
from tests.catalog.conftest import HEADER, Picture, Shop

ROWS = ("1,Red mug,red.jpg,Home,Mugs,9.50,Red,", "2,Blue mug,blue.png,Home,Mugs,8,Blue,", "3,Bad,,,,cheap,,")


class World:
    """A shop, and a workspace that ingests it again and again."""

    def __init__(self, folder: Path, root: Path, decoded: list[bytes]) -> None:
        self.folder, self.root, self.decoded = folder, root, decoded

    def ingest(self, **options: object) -> IngestReport:
        return ingest(open_source(self.folder), self.root / "data", memory=self.root / "memory", **options)  # type: ignore[arg-type]

    def touch(self, name: str, data: bytes) -> None:
        """Other bytes of the same length, with the time that the file had."""
        path = self.folder / name
        status = path.stat()
        assert len(data) == status.st_size
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def world(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    decoded: list[bytes] = []

    def counted(data: bytes) -> object:
        decoded.append(data)
        return read_picture(data)

    monkeypatch.setattr(reading, "read_picture", counted)
    return World(shop(*ROWS), tmp_path, decoded)


@pytest.fixture(params=["young files", "old files"])
def settled(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """After the first ingest, of files that are too young for their stamps to be trusted, or old enough."""
    if request.param == "old files":
        monkeypatch.setattr(inputs, "COARSEST", -(10**12))  # as though every file were older
    assert not world.ingest().recognised
    return world


def test_an_unchanged_source_is_not_read_again_and_the_report_is_the_same(settled: World) -> None:
    ids = snapshot_id(settled.root / "data")
    again = settled.ingest()
    assert again.recognised and not again.changed and again.id == ids
    assert (again.products, again.quarantined, again.media, len(again.findings.placeholders)) == (
        2,
        {"bad_price": 1},
        2,
        2,
    )
    assert settled.ingest().findings == again.findings == settled.ingest(anew=True).findings


def test_an_unchanged_source_is_told_without_the_libraries_that_read_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "COARSEST", -(10**12))
    world.ingest()
    heavy = ("pandas", "scipy", "sqlalchemy", "ftfy", "charset_normalizer", "jieba")
    code = f"""
        import sys
        from pathlib import Path
        from catalog.ingesting.ingest import ingest
        from catalog.sources import open_source
        folder, root = Path({str(world.folder)!r}), Path({str(world.root)!r})
        again = ingest(open_source(folder), root / "data", memory=root / "memory")
        print(again.recognised, [name for name in {heavy} if name in sys.modules])
    """
    told = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "True []"


def changed_picture(world: World) -> None:
    data = (world.folder / "photos/red.jpg").read_bytes()
    world.touch("photos/red.jpg", data[:-12] + bytes([data[-12] ^ 1]) + data[-11:])


def changed_table(world: World) -> None:
    text = (world.folder / "products.csv").read_bytes()
    world.touch("products.csv", text.replace(b"Red mug", b"Rad mug"))


def changed_mapping(world: World) -> None:
    text = (world.folder / "mapping.yaml").read_bytes()
    world.touch("mapping.yaml", text.replace(b"EUR", b"USD"))


def replaced_picture(world: World) -> None:
    path = world.folder / "photos/red.jpg"
    status = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def removed_picture(world: World) -> None:
    (world.folder / "photos/red.jpg").unlink()


def changed_data(world: World) -> None:
    path = world.root / "data/terms.parquet"
    path.write_bytes(path.read_bytes() + b"x")


def removed_data(world: World) -> None:
    next((world.root / "data/media").iterdir()).unlink()


def changed_record(world: World) -> None:
    path = world.root / "data/snapshot.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"products": 2', '"products": 3'), encoding="utf-8")


CHANGES: list[Callable[[World], None]] = [
    changed_picture, changed_table, changed_mapping, replaced_picture, removed_picture, changed_data, removed_data,
    changed_record,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_changed_is_seen_even_where_size_and_time_are_as_before(
    settled: World, change: Callable[[World], None]
) -> None:
    change(settled)
    again = settled.ingest()
    assert not again.recognised
    plain = ingest(open_source(settled.folder), settled.root / "plain/data")
    assert snapshot_id(settled.root / "data") == again.id == plain.id
    assert settled.ingest().recognised


def test_a_file_that_comes_where_none_was_looked_for_first_is_seen(world: World, picture: Picture) -> None:
    (world.folder / "top.jpg").write_bytes(picture((1, 2, 3)))
    with (world.folder / "products.csv").open("a", encoding="utf-8") as stream:
        stream.write("4,At the top,top.jpg,,,,,\n5,Nowhere,none.jpg,,,,,\n")
    assert world.ingest().products == 3  # paths start in the folder of pictures, and then in the one above
    assert world.ingest().recognised
    (world.folder / "photos/top.jpg").write_bytes(picture((3, 2, 1)))
    assert world.ingest().changed and world.ingest().recognised
    (world.folder / "photos/none.jpg").write_bytes(picture((3, 2, 1)))
    assert world.ingest().products == 4


def test_another_setting_and_another_code_are_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.ingest()
    assert world.ingest(drop_placeholders=True).without_image == 2
    assert world.ingest(drop_placeholders=True).recognised
    monkeypatch.setattr(last_ingest, "_code", lambda: b"another")
    assert not world.ingest(drop_placeholders=True).recognised


def test_files_that_were_only_touched_are_read_and_then_known_by_their_stamps(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ingest()
    monkeypatch.setattr(inputs, "COARSEST", -(10**12))
    for name in ("red.jpg", "blue.png"):
        os.utime(world.folder / "photos" / name, ns=(1, 1))
    assert world.ingest().recognised
    monkeypatch.setattr(last_ingest, "media_id", lambda data: "read")
    assert world.ingest().recognised


def test_a_link_that_leads_out_of_the_folder_now_is_not_followed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "COARSEST", -(10**12))
    world.ingest()
    path = world.folder / "photos/red.jpg"
    path.rename(world.root / "outside.jpg")
    path.symlink_to(world.root / "outside.jpg")
    again = world.ingest()
    assert (again.recognised, again.quarantined) == (False, {"bad_price": 1, "broken_picture": 1})
    assert not world.ingest().recognised  # where a link leads cannot be told again


def test_a_damaged_memory_is_not_believed(world: World) -> None:
    world.ingest()
    for path in (world.root / "memory").iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 255
        path.write_bytes(content)
    world.decoded.clear()
    again = world.ingest()
    assert not again.recognised and len(world.decoded) == 2 and not again.changed
    assert world.ingest().recognised


def test_without_a_memory_and_anew_everything_is_decoded(world: World) -> None:
    for options in ({}, {"anew": True}):
        world.decoded.clear()
        world.ingest(**options)
        assert len(world.decoded) == 2
    world.decoded.clear()
    ingest(open_source(world.folder), world.root / "data")
    assert len(world.decoded) == 2


def test_a_changed_row_decodes_no_picture(world: World) -> None:
    world.ingest()
    world.decoded.clear()
    changed_table(world)
    assert world.ingest().changed and world.decoded == []
    assert ingest(open_source(world.folder), world.root / "plain/data").id == snapshot_id(world.root / "data")


def test_a_picture_that_comes_twice_in_one_ingest_is_decoded_once(world: World) -> None:
    with (world.folder / "products.csv").open("a", encoding="utf-8") as stream:
        stream.write("".join(f"x{number},Mug {number},red.jpg,,,,,\n" for number in range(5)))
    ingest(open_source(world.folder), world.root / "data")
    assert len(world.decoded) == 2


def test_an_address_is_asked_again_where_downloads_are_on(world: World) -> None:
    table = f"{HEADER}\n1,Mug,http://127.0.0.1:9/a.jpg,,,,,\n"
    (world.folder / "products.csv").write_text(table, encoding="utf-8")
    assert world.ingest().media == 0
    assert world.ingest().recognised
    with Downloads(MediaSettings(retries=0), world.root / "downloads") as downloads:
        assert not world.ingest(fetcher=downloads).recognised
        assert not world.ingest(fetcher=downloads).recognised


def test_the_sample_is_known_again_by_its_seed(tmp_path: Path) -> None:
    assert (one := SampleSource(7).inputs()) == SampleSource(7).inputs() and one != SampleSource(8).inputs()


def test_a_database_can_only_be_asked(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as made:
        made.execute("create table products (id text, title text)")
        made.execute("insert into products values ('1', 'Mug')")
    assert open_source(f"sqlite:///{tmp_path}/shop.db").inputs() is None


def test_after_a_kill_what_was_decoded_is_not_decoded_again(world: World, picture: Picture) -> None:
    for number in range(600):
        (world.folder / f"photos/{number}.jpg").write_bytes(picture((number % 250, number // 250, 7), kind="PNG"))
    rows = "".join(f"{number},Thing {number},{number}.jpg,,,,,\n" for number in range(600))
    (world.folder / "products.csv").write_text(f"{HEADER}\n{rows}", encoding="utf-8")
    code = f"""
        import os, signal
        from pathlib import Path
        from catalog.ingesting.ingest import ingest
        from catalog.sources import open_source
        def kill(row):
            if row == 590: os.kill(os.getpid(), signal.SIGKILL)
        root = Path({str(world.root)!r})
        ingest(open_source({str(world.folder)!r}), root / "data", kill, memory=root / "memory")
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=env, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert world.ingest().media == 600
    assert len(world.decoded) == 600 - 512  # two whole blocks were on disk


def test_a_block_that_was_cut_short_is_not_believed_and_not_built_upon(tmp_path: Path, picture: Picture) -> None:
    path, data = tmp_path / "pictures", [picture((number, 0, 0), kind="PNG") for number in range(40)]
    known = {media_id(each): Proved(ImageHeader("PNG", 32, 24), look_of(read_picture(each)[1])) for each in data}
    names = list(known)
    for start in (0, 20):
        kept = ProvedPictures(path)
        for name in names[start : start + 20]:
            kept.add(name, known[name])
        kept.flush()
    assert all(ProvedPictures(path).get(name) == known[name] for name in names)
    whole = path.read_bytes()
    for lost in (1, 1000, len(whole) // 2 - 20):
        path.write_bytes(whole[:-lost])
        kept = ProvedPictures(path)
        assert [kept.get(name) == known[name] for name in names] == [True] * 20 + [False] * 20
        kept.add(names[39], known[names[39]])
        kept.flush()
        assert [name for name in names[20:] if ProvedPictures(path).get(name)] == names[39:]


def test_pictures_of_other_code_are_forgotten_and_so_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, look = tmp_path / "pictures", Proved(ImageHeader("PNG", 9, 9), look_of(Image.new("RGB", (9, 9))))
    kept = ProvedPictures(path)
    for number in range(40):
        kept.add(f"{number:024x}", look)
    kept.finish({f"{0:024x}"})
    assert ProvedPictures(path).get(f"{39:024x}") == look
    monkeypatch.setattr(proved, "_SPARE", 10)
    ProvedPictures(path).finish({f"{number:024x}" for number in range(5)})
    assert [bool(ProvedPictures(path).get(f"{number:024x}")) for number in range(7)] == [True] * 5 + [False] * 2
    monkeypatch.setattr(proved, "_code", lambda: b"other" * 3 + b".")
    assert ProvedPictures(path).get(f"{0:024x}") is None
