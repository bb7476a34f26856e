"""What `etalage gc` leaves of the embedding cache: all that a kept release may ask for, whatever kills it."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from catalog.products import Product
from catalog.tables import write_products
from flows.durable import one_writer
from flows.promotion import promote
from flows.refreshing.ledger import Entry, Ledger
from flows.releases import ReleaseStore
from flows.retention.belongings import gather
from flows.retention.disposal import collect
from flows.retention.keeping import CACHES, Cache, Fate, fates
from models.embedding_cache import EmbeddingCache, content_key, picture_key, picture_of
from search.in_use import hold
from search.refreshes import refresh_folder
from tests.flows.test_cli import etalage
from tests.flows.worlds import FileAlias, a_release, a_store

OLD, NEW = "a" * 16, "b" * 16
ENTRY = {"text": np.zeros(2**16, dtype=np.float32)}  # a quarter of a MiB, so that four are a MiB and some bytes
PICTURES = 1


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No data/ and no Milvus server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ETALAGE_MILVUS_URI", raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """r1 by an old encoder, r2 and r3 by a new one, r3 the champion after r2; both encoders have a cache."""
    home = tmp_path / ".etalage"
    store, alias = a_store(home, "r1", "r2", "r3")
    for number, (release, encoder) in enumerate((("r1", OLD), ("r2", NEW), ("r3", NEW))):
        embed = {"embed": {"pictures": PICTURES}}
        a_release(store, release, number, encoder=encoder, params=embed)
    for release in ("r2", "r3"):
        promote(store, alias, release, by="a test")
    for encoder in (OLD, NEW):
        EmbeddingCache(home / CACHES, encoder).add({"one": ENTRY, "two": ENTRY})
    return home


def swept(home: Path, keep: int = 0, spare: int = 512) -> dict[str, Fate]:
    """Fates by name and parts, after a sweep."""
    with one_writer(home):
        done = collect(ReleaseStore(home), FileAlias(home / "alias.json"), keep, spare, by="a test")
    return {f"{fate.name} {', '.join(fate.parts)}": fate for fate in done}


def files(home: Path) -> list[str]:
    return sorted(path.name for path in (home / CACHES).iterdir())


def keys(home: Path, encoder: str = NEW) -> list[str]:
    cache = EmbeddingCache(home / CACHES, encoder)
    found = list(cache.sizes())
    assert set(cache.get(found)) == set(found)  # and all of them are whole
    return found


def products(count: int) -> list[Product]:
    return [Product(id=f"p{n}", group_id=f"g{n}", title=f"thing {n}", images=(f"m{n}",)) for n in range(count)]


def contents(found: Iterable[Product]) -> list[str]:
    return [content_key(product, PICTURES) for product in found]


def test_the_cache_of_an_encoder_goes_with_the_last_release_that_has_it(home: Path) -> None:
    assert all(fate.stays for name, fate in swept(home, keep=1).items() if "cache" in name)
    assert files(home) == [f"{OLD}.sqlite", f"{NEW}.sqlite"]
    told = swept(home)[f"embeddings/{OLD} cache"]
    assert (told.stays, told.why) == (False, "no release that stays has its encoder")
    assert told.size > 2 * 2**18
    assert (files(home), keys(home)) == ([f"{NEW}.sqlite"], ["one", "two"])


def test_what_lies_beside_a_cache_goes_with_it_also_alone(home: Path) -> None:
    for name in (f"{OLD}.sqlite-journal", f"{'c' * 16}.sqlite-journal"):
        (home / CACHES / name).write_bytes(b"of a writer that was killed")
    swept(home)
    assert files(home) == [f"{NEW}.sqlite"]


def test_a_release_that_began_to_be_served_after_the_decision_keeps_its_cache(home: Path) -> None:
    held = []

    def reached(step: str) -> None:
        if step == "forgotten":
            held.append(hold(home, "r1"))

    done = collect(ReleaseStore(home), FileAlias(home / "alias.json"), 0, by="a test", reached=reached)
    held[0].close()
    assert {fate.name: fate.stays for fate in done}[f"embeddings/{OLD}"]
    assert files(home) == [f"{OLD}.sqlite", f"{NEW}.sqlite"]


def test_of_products_that_are_gone_the_oldest_entries_go_until_no_more_than_may_be_is_left(home: Path) -> None:
    there = products(4)
    cache = EmbeddingCache(home / CACHES, NEW)
    cache.add(dict.fromkeys(contents(there), ENTRY))
    cache.add({f"gone {number}": ENTRY for number in range(6)})
    before = cache.path.stat().st_size
    ledger = {product.id: Entry("", key, "", "") for product, key in zip(there[:3], contents(there), strict=False)}
    Ledger(ledger, "", "").save(refresh_folder(home / "releases" / "r2", 1))
    write_products(there[3:])

    assert f"embeddings/{NEW} entries" not in swept(home, spare=3)  # eight of them have 2 MiB and a little
    told = swept(home, spare=1)
    assert (told[f"embeddings/{NEW} cache"].stays, told[f"embeddings/{NEW} entries"].stays) == (True, False)
    assert "the oldest 5 of products that are gone" in told[f"embeddings/{NEW} entries"].why
    assert keys(home) == [*contents(there), "gone 3", "gone 4", "gone 5"]
    assert cache.path.stat().st_size < before - 5 * 2**18 + 2**16
    assert swept(home, spare=0) and keys(home) == contents(there)


def test_of_a_pictures_codes_the_newest_are_wanted_while_a_product_shows_it(home: Path) -> None:
    cache = EmbeddingCache(home / CACHES, NEW)
    codes = [picture_key(picture, heads) for heads in ("old", "new") for picture in ("m0", "m 1", "m9")]
    cache.add(dict.fromkeys(codes, ENTRY))
    write_products([Product("p0", "g", "a", images=("m0", "m9")), Product("p1", "g", "b", images=("m 1",))])
    swept(home, spare=0)
    assert keys(home) == [picture_key("m0", "new"), picture_key("m 1", "new")]
    assert [picture_of(key) for key in (codes[1], "one")] == ["m 1", None]


def test_how_much_must_go_is_told_from_the_sizes_alone() -> None:
    cache = Cache(NEW, 100, (("a", 5), ("b", 6), ("c", 7)))
    assert cache.beyond(18) == {}
    assert cache.beyond(17) == {"a": 5}
    assert cache.beyond(12) == cache.beyond(7) == {"a": 5, "b": 6}
    assert cache.beyond(0) == {"a": 5, "b": 6, "c": 7}


def test_a_broken_cache_is_no_reason_to_fail_and_deciding_changes_nothing(home: Path) -> None:
    (home / CACHES / f"{NEW}.sqlite").write_bytes(b"no database at all" * 400)
    EmbeddingCache(home / CACHES, "c" * 16).add({"one": ENTRY})
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (home / CACHES).iterdir()}
    decided = fates(gather(ReleaseStore(home), FileAlias(home / "alias.json")), 0, 0)
    assert [fate.name for fate in decided if not fate.stays and fate.parts == ("cache",)] == [
        f"embeddings/{OLD}", f"embeddings/{'c' * 16}",
    ]  # fmt: skip
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (home / CACHES).iterdir()} == before
    swept(home)
    assert files(home) == [f"{NEW}.sqlite"]


KILLED = """
import os, signal, sys
from pathlib import Path
from flows.retention.disposal import collect
from flows.durable import one_writer
from flows.releases import ReleaseStore
from tests.flows.worlds import FileAlias

def reached(step):
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

home = Path(sys.argv[1])
with one_writer(home):
    collect(ReleaseStore(home), FileAlias(home / "alias.json"), 0, 0, by="a test", reached=reached)
"""


@pytest.mark.parametrize("step", ["manifest unlinked", "folder removed", "cache removed", "entries removed"])
def test_killed_at_a_step_the_next_sweep_ends_as_an_undisturbed_one(home: Path, step: str) -> None:
    wanted = contents(products(2))
    EmbeddingCache(home / CACHES, NEW).add(dict.fromkeys(wanted, ENTRY))
    write_products(products(2))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", KILLED, str(home), step], env=environment)
    assert done.returncode == -signal.SIGKILL
    assert set(wanted) <= set(keys(home))
    swept(home, spare=0)
    assert (files(home), keys(home)) == ([f"{NEW}.sqlite"], wanted)


REMOVING = """
import sys
from pathlib import Path
from models.embedding_cache import EmbeddingCache
cache = EmbeddingCache(Path(sys.argv[1]), sys.argv[2])
print("begins", flush=True)
cache.remove([key for key in cache.sizes() if key.startswith("gone")])
"""


def test_killed_in_the_middle_of_a_removal_no_entry_that_stays_is_lost(tmp_path: Path) -> None:
    environment, draw = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}, random.Random(7)
    for number in range(6):
        cache = EmbeddingCache(tmp_path / str(number), NEW)
        cache.add({f"{'gone' if at % 3 else 'stays'} {at}": ENTRY for at in range(120)})
        command = [sys.executable, "-c", REMOVING, str(tmp_path / str(number)), NEW]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None and running.stdout.readline() == "begins\n"
            time.sleep(draw.uniform(0, 0.15))
            running.kill()
        left = cache.sizes()
        assert {key for key in cache.get(list(left)) if key.startswith("stays")} == {
            f"stays {at}" for at in range(0, 120, 3)
        }


@pytest.mark.slow
def test_the_command_shows_what_would_go_and_removes_it(home: Path) -> None:
    (home / "alias.json").unlink()  # a home of its own: the store of this machine is empty
    shown = etalage("gc", "--dry-run", "--keep", "0", "--cache-mib", "0", cwd=home.parent)
    assert shown.returncode == 0, shown.stderr
    assert f"embeddings/{OLD}" in shown.stdout and "would go" in shown.stdout
    assert files(home) == [f"{OLD}.sqlite", f"{NEW}.sqlite"] and keys(home) == ["one", "two"]
    done = etalage("gc", "--keep", "0", "--cache-mib", "0", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    assert (files(home), keys(home)) == ([f"{NEW}.sqlite"], [])
