"""What people are told of a run."""

import pytest

from catalog.errors import NotReady
from flows.errors import RefusedByGates, WithdrawnRelease
from flows.notifying.message import message_of, table
from flows.outcome import RetrainOutcome
from flows.releases import ChampionRecord
from tests.flows.worlds import an_answer


def test_a_promotion_is_told_with_the_whole_table_of_the_gates() -> None:
    verdict = an_answer("r1", "r0", True)
    message = message_of(
        "retrain", RetrainOutcome(status="promoted", sentence="It answers.", release="r1", verdict=verdict)
    )
    assert (message.subject, message.news) == ("etalage retrain: promoted", True)
    assert message.text == f"It answers.\n\nGates on release r1:\n\n{table(verdict.rows())}\n"


def test_a_refusal_is_told_with_its_sentence_and_the_table() -> None:
    verdict = an_answer("r1", "r0", False)
    message = message_of("retrain", RefusedByGates(verdict))
    assert message.subject == "etalage retrain: refused"
    assert message.text.startswith(verdict.sentence())
    assert table(verdict.rows()) in message.text


def test_a_champion_is_told_with_the_gates_of_its_release() -> None:
    record = ChampionRecord(release="r1", since="2026-01-01T00:00:00+00:00", by="A Tester")
    message = message_of("rollback", record, an_answer("r1", None, True))
    assert message.subject == "etalage rollback: done"
    assert message.text.startswith("Release r1 answers since 2026-01-01T00:00:00+00:00, by A Tester.\n\nGates on")
    assert message_of("rollback", record).text.endswith("by A Tester.\n")


@pytest.mark.parametrize(
    ("result", "subject"),
    [
        (WithdrawnRelease("r1"), "etalage promote: refused"),
        (NotReady("Milvus does not answer."), "etalage promote: failed"),
        (KeyError("x"), "etalage promote: failed"),
    ],
)
def test_what_ended_a_run_is_told(result: Exception, subject: str) -> None:
    message = message_of("promote", result)
    assert message.subject == subject
    assert str(result) in message.text and message.news


def test_a_run_with_nothing_to_do_is_no_news() -> None:
    assert not message_of("retrain", RetrainOutcome(status="unchanged", sentence="Nothing changed.")).news


def test_a_cell_cannot_end_its_column() -> None:
    assert table([{"a": "x|y", "b": 1}]) == "| a | b |\n| --- | --- |\n| x\\|y | 1 |"
