"""The tokens that go with a refreshed collection: those of that refresh, whole, or none."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import NotReady, TamperedRelease
from search.collection import AS_MADE, Freshness
from search.logic import SearchLogic
from search.refreshed import refreshed
from search.refreshes import (
    RECORD,
    TOKENS,
    Changes,
    RefreshRecord,
    contents,
    last_done,
    read_record,
    records,
    refresh_folder,
)
from tests.search.test_late import Words, tokens_of

LATE = SearchLogic(late=Path("late"))


def a_refresh(release: Path, number: int, pictures: dict[str, list[str]], done: bool = True) -> Path:
    """Refresh `number` of the release, whose changed products show `pictures`."""
    folder = refresh_folder(release, number)
    tokens_of(pictures).save(folder / TOKENS)
    record = RefreshRecord(
        number=number,
        release=release.name,
        status="done" if done else "begun",
        at=datetime(2026, 11, 21, tzinfo=UTC),
        snapshot=f"s{number}",
        data_md5=None,
        before="s0",
        encoder="e",
        collection="c",
        products=3,
        changes=Changes(),
        encoded=1,
        files=contents(folder),
    )
    (folder / RECORD).write_text(record.model_dump_json())
    return folder


def scores(logic: SearchLogic) -> dict[str, float]:
    """What the products a, b and c get for a red dress, beside tokens of a release in which all are blue shoes."""
    base = tokens_of({name: ["blue shoes"] for name in "abc"})
    tokens = base if logic.tokens is None else logic.tokens(base)
    return tokens.scores(Words().words(["red", "dress"]), list("abc"), frozenset({"image"}))


def test_a_collection_as_it_was_made_needs_nothing(tmp_path: Path):
    assert refreshed(LATE, tmp_path / "r1", AS_MADE) is LATE
    without = SearchLogic()
    assert refreshed(without, tmp_path / "r1", Freshness(7)) is without


def test_each_refresh_goes_with_its_own_tokens(tmp_path: Path):
    a_refresh(tmp_path / "r1", 1, {"a": ["red dress"]})
    a_refresh(tmp_path / "r1", 2, {"b": ["red dress"]})
    made = scores(LATE)
    first, second = (scores(refreshed(LATE, tmp_path / "r1", Freshness(number))) for number in (1, 2))
    assert first["a"] > made["a"] + 0.1
    assert first == pytest.approx({**made, "a": first["a"]})
    assert second == pytest.approx({**made, "b": first["a"]})


def test_between_two_states_what_differs_in_either_has_no_score(tmp_path: Path):
    a_refresh(tmp_path / "r1", 1, {"a": ["red dress"]})
    a_refresh(tmp_path / "r1", 2, {"b": ["red dress"]}, done=False)
    found = scores(refreshed(LATE, tmp_path / "r1", Freshness(1, 2)))
    assert found == pytest.approx({"c": scores(LATE)["c"]})


def test_tokens_that_are_missing_or_changed_are_refused(tmp_path: Path):
    with pytest.raises(NotReady, match=r"Set ETALAGE_HOME to where"):
        refreshed(LATE, tmp_path / "r1", Freshness(1))
    folder = a_refresh(tmp_path / "r1", 1, {"a": ["red dress"]})
    np.save(folder / TOKENS / "scale.npy", np.zeros(3, dtype=np.float32))
    with pytest.raises(TamperedRelease, match=r"tokens/scale\.npy was changed"):
        refreshed(LATE, tmp_path / "r1", Freshness(1))
    folder.joinpath(TOKENS, "extra.npy").write_bytes(b"")
    with pytest.raises(TamperedRelease, match=r"extra\.npy was added"):
        refreshed(LATE, tmp_path / "r1", Freshness(1))


def test_the_last_that_ended_is_what_a_release_holds(tmp_path: Path):
    assert last_done(tmp_path / "r1") is None
    for number in (1, 2, 10):
        a_refresh(tmp_path / "r1", number, {"a": ["red"]}, done=number < 10)
    assert [record.number for record in records(tmp_path / "r1")] == [1, 2, 10]
    assert last_done(tmp_path / "r1").number == 2  # type: ignore[union-attr]
    (refresh_folder(tmp_path / "r1", 2) / RECORD).write_text("{")
    with pytest.raises(NotReady, match="is damaged"):
        read_record(refresh_folder(tmp_path / "r1", 2))
