"""Made traffic for the tests of `etalage monitor`: a champion with a real, tiny encoder, and a journal from seeds."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bento.journals.answered import Answered
from bento.journals.journal import FEEDBACK
from bento.journals.line import as_line
from bento.journals.reported import Reported
from catalog.words.tokens import language_of
from flows.releases import ChampionRecord, ReleaseStore
from search.contents import sealed
from search.release import ENCODER, write_manifest
from tests.bento.tiny_encoder import write_tiny_encoder
from tests.flows.worlds import a_release

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PROMOTED = NOW - timedelta(days=14)
RELEASE = "r1"
DRESSES = ("red dress", "blue dress", "green dress", "black dress", "红裙", "蓝裙")
SHOES = ("red shoes", "blue shoes", "black shoes", "绿鞋")


@dataclass(frozen=True)
class World:
    """How queries of one stretch of time are drawn, and answered."""

    texts: Sequence[str] = DRESSES
    kinds: Mapping[str, float] = field(default_factory=lambda: {"text": 0.8, "image": 0.2})
    zero: float = 0.02
    low: float = 0.1
    score: float = 0.6
    ms: float = 20.0
    plain: bool = True

    def lines(self, rng: random.Random, start: datetime, days: float, count: int) -> Iterator[Answered]:
        """`count` answers, evenly over `days` from `start`."""
        for number in range(count):
            kind = rng.choices([*self.kinds], [*self.kinds.values()])[0]
            text = rng.choice(self.texts) if "text" in kind else None
            zero = rng.random() < self.zero
            yield Answered(
                time=start + timedelta(days=days) * (number / count),
                request=f"q{number}",
                release=RELEASE,
                kind=kind,
                status=200,
                ms=round(rng.lognormvariate(0, 0.3) * self.ms, 1),
                language=None if text is None else language_of(text),
                k=10,
                hits=0 if zero else 10,
                top=None if zero else round(rng.gauss(self.score, 0.1), 6),
                low_confidence=not zero and rng.random() < self.low,
                zero_result=zero,
                query={"text": text} if self.plain and text is not None else None,
            )


def a_champion(home: Path, since: datetime = PROMOTED) -> ReleaseStore:
    """A home whose champion was promoted then."""
    store = ReleaseStore(home)
    encoder = write_tiny_encoder(store.folder(RELEASE) / ENCODER)
    manifest = a_release(store, RELEASE, encoder=encoder.fingerprint)
    write_manifest(sealed(manifest, store.folder(RELEASE)), store.folder(RELEASE))
    store.write_champion(ChampionRecord(release=RELEASE, since=since.isoformat(), by="a test"))
    return store


def write_journal(home: Path, *stretches: Sequence[Answered]) -> None:
    """The journal of `home`, instead of the one that was there."""
    folder = home / "journal"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [as_line(line) for stretch in stretches for line in stretch]
    (folder / "20261106T120000.000000-1-0000.jsonl").write_bytes(b"".join(lines))


def write_feedback(home: Path, *events: Reported) -> None:
    """What was reported of the answers in the journal of `home`, instead of what was there."""
    folder = home / "journal" / FEEDBACK
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "20261106T120000.000000-1-0000.jsonl").write_bytes(b"".join(map(as_line, events)))


def two_weeks(
    seed: int, then: World, now: World, count: int = 600, end: datetime = NOW
) -> tuple[list[Answered], list[Answered]]:
    """A week of each, after one another, until `end`."""
    rng = random.Random(seed)
    return (
        [*then.lines(rng, end - timedelta(days=14), 7, count)],
        [*now.lines(rng, end - timedelta(days=7), 7, count)],
    )
