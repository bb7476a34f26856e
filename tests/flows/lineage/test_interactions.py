"""`etalage interactions`: feedback becomes the table that a catalogue's mapping names, and nothing comes twice."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bento.journals.answered import Answered
from bento.journals.reported import Reported
from catalog.actions import Action
from catalog.errors import InvalidSource
from catalog.products import Interaction
from catalog.sources import open_source
from flows.errors import OK, USAGE
from flows.lineage.interactions import add_to, interactions_in
from tests.flows.test_cli import etalage
from tests.flows.traffic import write_feedback, write_journal

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
TEN = "2026-11-21T10:00:00.000+00:00"


def answer(request: str, query: dict[str, Any] | None = None, minute: int = 0, **changes: Any) -> Answered:
    time = AT.replace(minute=minute)
    known = {"hits": 2, "ids": ["p1", "p2"], **changes}
    return Answered(time=time, request=request, release="r1", kind="text", status=200, ms=5.0, query=query, **known)


def event(request: str, product: str = "p1", action: Action = "click", **known: Any) -> Reported:
    return Reported(AT, request, product, action, **known)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three answers, of which the journal has the words of two, and one that nobody asked again about."""
    home = tmp_path / ".etalage"
    words = {"text": 'red, "long"\ndress', "terms": [["wool", 0.5], ["zip", -0.5]]}
    write_journal(home, [answer("a", words), answer("b"), answer("c", {"images": ["0" * 16]}), answer("d")])
    write_feedback(
        home,
        event("a", "p2", user_id="jane", at="2026-11-21T18:00:00+08:00"), event("a", "p2", user_id="jane"),
        event("b", "p1", "buy", user_hash="ff00"), event("c"), event("c", "p9"), event("made-up"),
    )  # fmt: skip
    return home


ROWS = [
    Interaction("jane", "p2", "click", "2026-11-21T18:00:00+08:00", 'red, "long"\ndress wool'),
    Interaction("ff00", "p1", "buy", TEN, None),
    Interaction("c", "p1", "click", TEN, None),
]


def test_what_fits_an_answer_is_an_interaction_with_its_words_as_far_as_they_are_known(home: Path) -> None:
    assert interactions_in(home / "journal") == ROWS


def test_a_request_id_that_came_twice_has_the_words_of_the_last_answer_before_the_report(home: Path) -> None:
    lines = [answer("a", {"text": words}, minute) for words, minute in (("first", 0), ("second", 5), ("third", 9))]
    write_journal(home, lines)
    write_feedback(home, replace(event("a"), time=AT.replace(minute=6)))
    assert [row.query for row in interactions_in(home / "journal")] == ["second"]


def test_what_the_table_holds_stays_and_only_what_is_new_is_added(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "interactions.csv"
    assert add_to(path, ROWS[:2]) == (2, 2)
    before = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    assert add_to(path, [*ROWS, *ROWS]) == (1, 3)
    assert path.read_text().startswith(before) and path.stat().st_mode & 0o777 == 0o640
    written = path.stat().st_mtime_ns
    assert add_to(path, ROWS[1:]) == (0, 3)
    assert path.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"user_id,product_id,action,at,query\nu,p\n", b"\xff\xfe", b'"']
)
def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidSource, match="interactions"):
        add_to(path, ROWS)
    assert path.read_bytes() == content


def test_ingest_reads_the_table_by_a_mapping_that_names_it(home: Path, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    add_to(shop / "interactions.csv", ROWS)
    (shop / "products.csv").write_text("id,title\np1,Red dress\np2,Blue dress\n")
    (shop / "shop.yaml").write_text(
        "products: products.csv\ncolumns: {id: id, title: title}\n"
        "interactions: {file: interactions.csv, query: query}\n"
    )
    side = open_source(str(shop), str(shop / "shop.yaml")).side_tables()
    assert side.interactions == (replace(ROWS[0], query='red, "long" dress wool'), *ROWS[1:])


def test_the_command_adds_and_says_how_many_have_no_words(home: Path, tmp_path: Path) -> None:
    done = etalage("interactions", "shop.csv", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (
        OK, "3 new rows, 3 in shop.csv. Of 3 in the journal, 2 have no words.\n",
    ), done.stderr  # fmt: skip
    again = etalage("interactions", "shop.csv", cwd=tmp_path)
    assert again.stdout.startswith("0 new rows, 3 in shop.csv.")
    (tmp_path / "shop.csv").write_text("something else\n")
    refused = etalage("interactions", "shop.csv", cwd=tmp_path)
    assert (refused.returncode, refused.stderr.count("\n")) == (USAGE, 1)
