"""Events: what cannot be sent is said, not lost."""

from pathlib import Path

import pytest

from catalog.errors import InvalidQuery, NotReady
from flows.ingest import ANNOUNCED, is_news
from flows.scheduling.events import DRIFT_ALARM, EVENTS, emit, has_server

from prefect.settings import PREFECT_API_URL, temporary_settings  # isort: skip


def test_without_a_server_nothing_is_sent_and_that_is_said() -> None:
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert not has_server()
        with pytest.raises(
            NotReady, match=r"etalage\.drift\.alarm was not sent: PREFECT_API_URL names no Prefect server"
        ):
            emit(DRIFT_ALARM, "queries")


def test_a_server_that_is_not_there_is_named() -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert has_server()
        with pytest.raises(NotReady, match=r"was not sent: http://127\.0\.0\.1:9/api did not take it"):
            emit(DRIFT_ALARM, "queries")


def test_only_events_that_somebody_listens_to_can_be_sent() -> None:
    with pytest.raises(InvalidQuery, match=f"those are {', '.join(EVENTS)}"):
        emit("etalage.drift", "queries")  # type: ignore[arg-type]


def test_a_snapshot_that_a_killed_ingest_did_not_announce_is_news_to_the_next_one(tmp_path: Path) -> None:
    assert is_news(tmp_path, "s1", changed=False)
    (tmp_path / ANNOUNCED).write_text("s1\n")
    assert not is_news(tmp_path, "s1", changed=False)
    assert is_news(tmp_path, "s1", changed=True)  # back to it, from one that was taken without a server
    assert is_news(tmp_path, "s2", changed=False)  # killed between data/ and the announcement
