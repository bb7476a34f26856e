"""Every source row ends as a product or in quarantine; a kill at any moment leaves a whole snapshot."""

import fcntl
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog import tables
from catalog.errors import EtalageError, InvalidSource
from catalog.ingesting.ingest import ingest, recover
from catalog.media import MediaStore, media_id
from catalog.snapshot import read_snapshot, snapshot_id
from catalog.sources.folder import FolderSource

Shop = Callable[..., Path]


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def test_a_good_catalogue_becomes_a_snapshot(shop: Shop, tmp_path: Path) -> None:
    folder = shop("1,Red mug,red.jpg,Home,Mugs,9.50,Red,", "2,Blue mug,blue.png,Home,Mugs,8,Blue,", "3,Word only,,,,,,")
    data = tmp_path / "data"
    report = ingest(FolderSource(folder), data)
    assert (report.products, report.source_rows, report.quarantined, report.media) == (3, 3, {}, 2)
    assert (report.groups, report.without_image, report.changed) == (2, 1, True)
    one, two, three = tables.read_products(data / "products.parquet")
    assert (one.title, one.price, one.currency, one.language) == ("Red mug", 9.5, "EUR", "en")
    assert one.group_id == two.group_id == "mug" and three.images == ()
    picture = (folder / "photos/red.jpg").read_bytes()
    assert one.images == (media_id(picture),)
    assert MediaStore(data / "media").read(one.images[0]) == picture
    assert report.snapshot == report.id == snapshot_id(data) == read_snapshot(data / "snapshot.json").id


def test_every_bad_row_is_quarantined_with_its_reason_and_none_is_lost(
    shop: Shop, tmp_path: Path, picture: Callable[..., bytes]
) -> None:
    folder = shop(
        "1,Good,red.jpg,,,,,",
        "1,Same id again,,,,,,",
        ",No id,,,,,,",
        "4,,,,,,,",
        "5,Cut short,torn.jpg,,,,,",
        "6,Text file,text.jpg,,,,,",
        "7,Too small,dot.png,,,,,",
        "8,Not there,none.jpg,,,,,",
        "9,Outside,../secret.jpg,,,,,",
        "10,Price,,,,cheap,,",
        "11,too few cells",
        "12,,blue.png,,,,,",
    )
    (folder / "photos/torn.jpg").write_bytes(picture(size=(300, 300))[:-400])
    (folder / "photos/text.jpg").write_text("not a picture at all")
    (folder / "photos/dot.png").write_bytes(picture(size=(1, 1), kind="PNG"))
    (folder.parent / "secret.jpg").write_bytes(picture())
    report = ingest(FolderSource(folder), tmp_path / "data")
    rows = tables.read_quarantine(tmp_path / "data/quarantine.parquet")
    assert [(row.source_row, row.reason) for row in rows] == [
        (2, "duplicate_id"),
        (3, "no_id"),
        (4, "no_title"),
        (5, "broken_picture"),
        (6, "broken_picture"),
        (7, "broken_picture"),
        (8, "broken_picture"),
        (9, "broken_picture"),
        (10, "bad_price"),
        (11, "unreadable_row"),
    ]
    assert report.quarantined == {
        "bad_price": 1, "broken_picture": 5, "duplicate_id": 1, "no_id": 1, "no_title": 1, "unreadable_row": 1,
    }  # fmt: skip
    assert report.products + sum(report.quarantined.values()) == report.source_rows == 12
    assert [product.id for product in tables.read_products(tmp_path / "data/products.parquet")] == ["1", "12"]
    assert len(MediaStore(tmp_path / "data/media").ids()) == report.media == 2


def test_an_id_of_a_quarantined_row_is_free_for_a_later_one(shop: Shop, tmp_path: Path) -> None:
    report = ingest(FolderSource(shop("1,Mug,,,,cheap,,", "1,Mug,,,,5,,")), tmp_path / "data")
    assert (report.products, report.quarantined) == (1, {"bad_price": 1})


def test_the_same_source_gives_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    source = FolderSource(shop("1,Red mug,red.jpg,,,,,", "2,Bad,,,,x,,"))
    one, two = ingest(source, tmp_path / "a/data"), ingest(source, tmp_path / "b/data")
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) == 8  # six tables, one shard, snapshot.json
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)
    assert one.id == two.id


def test_ingesting_again_says_whether_something_changed(shop: Shop, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert ingest(FolderSource(shop("1,Mug,,,,,,")), data).changed
    assert not ingest(FolderSource(shop("1,Mug,,,,,,")), data).changed
    assert ingest(FolderSource(shop("1,Big mug,,,,,,")), data).changed
    assert leftovers(tmp_path) == []


def test_rows_about_unknown_products_are_dropped_and_counted(shop: Shop, tmp_path: Path) -> None:
    mapping = "products: products.csv\ncolumns: {id: sku, title: name}\njudgements: {file: j.csv}\n"
    folder = shop("1,Mug,,,,,,", mapping=mapping)
    (folder / "j.csv").write_text("query,product_id,grade\nmug,1,2\nmug,99,2\n")
    report = ingest(FolderSource(folder), tmp_path / "data")
    assert (report.judgements, report.dropped) == (1, {"judgements: a product that is not in the snapshot": 1})


def test_a_source_without_one_good_row_leaves_the_old_snapshot(shop: Shop, tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = ingest(FolderSource(shop("1,Mug,,,,,,")), data)
    with pytest.raises(InvalidSource, match=r"none of 2 rows is a product \(bad_price 1, no_id 1\)\. Row 1: The price"):
        ingest(FolderSource(shop("1,Mug,,,,cheap,,", ",Mug,,,,,,")), data)
    with pytest.raises(InvalidSource, match="has no rows"):
        ingest(FolderSource(shop()), data)
    assert snapshot_id(data) == before.id and leftovers(tmp_path) == []


def test_progress_is_told_row_by_row(shop: Shop, tmp_path: Path) -> None:
    told: list[int] = []
    ingest(FolderSource(shop("1,Mug,,,,,,", "2,Bad,,,,x,,", "3,Mug,,,,,,")), tmp_path / "data", told.append)
    assert told == [1, 2, 3]


def test_a_kill_in_the_middle_leaves_the_old_snapshot_and_the_next_run_the_new_one(shop: Shop, tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = ingest(FolderSource(shop("1,Mug,red.jpg,,,,,")), data)
    folder = shop(*(f"{n},Mug {n},blue.png,,,,," for n in range(20)))
    code = f"""
        import os, signal
        from pathlib import Path
        from catalog.ingesting.ingest import ingest
        from catalog.sources.folder import FolderSource
        def kill(row):
            if row == 10: os.kill(os.getpid(), signal.SIGKILL)
        ingest(FolderSource(Path({str(folder)!r})), Path({str(data)!r}), kill)
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=env, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert leftovers(tmp_path) == [".data.new"] and snapshot_id(data) == before.id
    assert ingest(FolderSource(folder), data).products == 20
    assert leftovers(tmp_path) == []


def test_a_kill_between_the_two_moves_of_the_swap_loses_nothing(shop: Shop, tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = ingest(FolderSource(shop("1,Mug,,,,,,")), data)
    data.rename(tmp_path / ".data.old")  # the old one moved away, the new one not yet moved in
    (tmp_path / ".data.new").mkdir()
    recover(data)
    assert snapshot_id(data) == before.id and leftovers(tmp_path) == []


def test_a_kill_after_the_swap_only_leaves_something_to_clean(shop: Shop, tmp_path: Path) -> None:
    data = tmp_path / "data"
    after = ingest(FolderSource(shop("1,Mug,,,,,,")), data)
    (tmp_path / ".data.old").mkdir()
    recover(data)
    assert snapshot_id(data) == after.id and leftovers(tmp_path) == []


def test_a_failure_cleans_up_behind_itself(shop: Shop, tmp_path: Path) -> None:
    def fail(row: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(FolderSource(shop("1,Mug,,,,,,")), tmp_path / "data", fail)
    assert leftovers(tmp_path) == [] and not (tmp_path / "data").exists()


def test_a_second_ingest_at_the_same_time_is_refused(shop: Shop, tmp_path: Path) -> None:
    source = FolderSource(shop("1,Mug,,,,,,"))
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(EtalageError, match="Another ingest"):
            ingest(source, tmp_path / "data")
    finally:
        os.close(handle)
    assert ingest(source, tmp_path / "data").products == 1
