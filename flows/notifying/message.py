"""What people are told of a run, as a subject and a text in markdown: what it came to, and the table of the gates."""

from dataclasses import dataclass
from typing import Any

from catalog.errors import EtalageError, GateRefused, InvalidSnapshot
from flows.errors import RefusedByGates
from flows.outcome import RetrainOutcome
from flows.releases import ChampionRecord
from flows.verdict import Verdict


@dataclass(frozen=True)
class Message:
    """`news` is False for a run that found nothing to do."""

    subject: str
    text: str
    news: bool = True


def message_of(flow: str, result: object, verdict: Verdict | None = None) -> Message:
    """The message on a run of `flow` that ended with `result`: what it returned, or the exception that ended it.

    `verdict`: what the gates said of the release in question, where `result` does not carry it.
    """
    word: str
    match result:
        case RetrainOutcome():
            word, sentence, verdict = result.status, result.sentence, result.verdict
        case ChampionRecord():
            word = "done"
            sentence = f"Release {result.release} answers since {result.since}, by {result.by}."
        case RefusedByGates():
            word, sentence, verdict = "refused", str(result), result.verdict
        case GateRefused() | InvalidSnapshot():
            word, sentence = "refused", str(result)
        case EtalageError():
            word, sentence = "failed", str(result)
        case BaseException():
            word, sentence = "failed", f"{type(result).__name__}: {result}"
        case _:
            word, sentence = "ended", f"The run gave {type(result).__name__}."
    parts = [sentence, *([] if verdict is None else [f"Gates on release {verdict.release}:", table(verdict.rows())])]
    return Message(f"etalage {flow}: {word}", "\n\n".join(parts) + "\n", news=word != "unchanged")


def table(rows: list[dict[str, Any]]) -> str:
    """`rows`, which have the same keys, as a table in markdown."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
