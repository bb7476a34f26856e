"""What the champion scores on today's questions: its own record where it was asked them, else measured now and kept.

<home>/asked_today.parquet     the scores that were measured last, and a key of all that they depend on in its metadata
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from catalog.digests import digest_of
from catalog.media import MediaStore
from catalog.params import load_section
from catalog.tables import read_products, read_terms
from evaluation.gates.compare import Fall, falls
from evaluation.gates.rescore import rescore
from evaluation.gates.rules import ChampionRules
from evaluation.queries.judgements import EvaluationSet, read_evaluation_set
from evaluation.scores import PER_QUERY_FILE, read_scores
from flows.durable import put_durably
from flows.releases import EVALUATION_FOLDER, REPORTS_FOLDER, ReleaseStore
from flows.revision import code_digest
from models.encoder import Encoder
from models.params import EmbedParams
from search.contents import check_contents
from search.logic import SearchLogic
from search.release import ENCODER, RANKING

FILE = "asked_today.parquet"
KEY = "key"
MEASURING = "evaluation.gates.rescore"
"""Scores are those of this module's code, and of all that it imports."""


@dataclass(frozen=True)
class AskedToday:
    """`scores`: rows of per_query. `falls`: what became of its own scores by kind; empty where they are its own, or
    where `unheld` says why the two cannot be held against each other."""

    scores: pl.DataFrame
    falls: Sequence[Fall] = ()
    unheld: str = ""


def asked_today(
    store: ReleaseStore, champion: str, snapshot: str, questions: EvaluationSet, rules: ChampionRules
) -> AskedToday:
    """The champion on `questions`, which are of `snapshot`, the one in data/.

    Its own scores count where it was measured on both; else its encoder and search logic are measured on them, once.
    Raises TamperedRelease where they are not what its manifest says.
    """
    manifest, folder = store.get(champion), store.folder(champion)
    kept = folder / REPORTS_FOLDER / EVALUATION_FOLDER / PER_QUERY_FILE
    if manifest.snapshot == snapshot and kept.is_file():
        scores = read_scores(kept)
        if set(scores["evaluation_set"].unique()) == {questions.fingerprint}:
            return AskedToday(scores)
    check_contents(manifest, folder)
    embed = load_section("embed", EmbedParams)
    code = code_digest(MEASURING)
    key = digest_of([champion, manifest.files, snapshot, questions.fingerprint, code, embed.model_dump(mode="json")])
    if (known := _read(store.home / FILE, key)) is not None:
        scores = known
    else:
        scores = rescore(
            Encoder.load(folder / ENCODER),
            SearchLogic.load(folder / RANKING),
            read_products(),
            read_terms(),
            questions,
            MediaStore(),
            snapshot,
            embed,
        )
        _write(store.home / FILE, key, scores)
    if not kept.is_file():
        return AskedToday(scores)
    before, today = len(read_evaluation_set(kept.parent).pool), len(questions.pool)
    if today > rules.growth * before:
        told = f"The champion was asked among {before} products, and today's questions are among {today}."
        return AskedToday(scores, unheld=told)
    return AskedToday(scores, falls(read_scores(kept), scores, rules))


def _read(path: Path, key: str) -> pl.DataFrame | None:
    """What was measured for `key`; None where something else was, or the file cannot be read."""
    try:
        return read_scores(path) if pl.read_parquet_metadata(path).get(KEY) == key else None
    except (OSError, pl.exceptions.PolarsError):
        return None


def _write(path: Path, key: str, scores: pl.DataFrame) -> None:
    draft = path.with_name(f"{path.name}.new")
    scores.write_parquet(draft, metadata={KEY: key})
    put_durably(draft, path)
