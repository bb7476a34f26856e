"""Reproduce first: a champion is asked its own recorded questions again, and must score what its record says.

Its products are read back from its own collection, so no snapshot of the time is needed; only the photos that are asked
with must still be there. Today's products and questions play no part in it: this tells whether the measuring is sound,
before what is measured is believed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from catalog.errors import NotReady
from evaluation.answers import Systems, ask_engine
from evaluation.gates.record import Record, broken
from evaluation.gates.rules import ReproduceRules
from evaluation.measure import score
from evaluation.pool import NAME, PoolEngines, hidden_collection
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.queries.kinds import AS_SERVED, ENGINE, KINDS
from evaluation.runs import Photos
from evaluation.scores import SCHEMA
from models.embeddings import FIELDS, ProductEmbeddings
from models.encoder import EncoderLike
from search.logic import SearchLogic
from search.memory import MemoryCollection
from search.rows import MOST_DESCRIPTION, Rows, product_of

SYSTEMS = (ENGINE, AS_SERVED)  # what comparisons read, and what is served


@dataclass(frozen=True)
class Reproduced:
    """`asked` of the recorded questions gave their numbers again; `photos_gone` could not be asked any more."""

    asked: int
    photos_gone: int

    def sentence(self) -> str:
        """For the log."""
        gone = f"; the photos of {self.photos_gone} are gone" if self.photos_gone else ""
        return f"{self.asked} of its recorded questions, asked again, score what its record says{gone}."


@dataclass(frozen=True)
class Mean:
    """One mean over the same `n` questions, then and now."""

    kind: str
    system: str
    recorded: float
    found: float
    n: int

    @property
    def off(self) -> float:
        """By how much; infinite where one is not a number."""
        distance = abs(self.recorded - self.found)
        return distance if distance == distance else float("inf")


def reproduce(
    record: Record,
    rows: Rows,
    encoder: EncoderLike,
    logic: SearchLogic,
    photos: Photos,
    pictures: Collection[str],
    rules: ReproduceRules,
) -> Reproduced:
    """Ask a part of the questions again. `rows` are the collection's, `pictures` the ids of photos that can be had.

    Raises EvaluationBroken naming the mean that is off by more than rules.tolerance, furthest first.
    """
    answerable = [query for query in record.questions.queries if query.image is None or query.image in pictures]
    questions = probed(record.questions, answerable, rules.probes)
    found = ask_again(questions, restored_engines(record, rows, encoder, logic), photos, hidden=not _is_cut(rows))
    worst = max(means(record.scores, found), key=lambda mean: mean.off, default=None)
    if worst is not None and not worst.off <= rules.tolerance:
        raise broken(
            record.release,
            f"recorded {KINDS[worst.kind].primary} {worst.recorded:.4f} on {worst.n} questions of {worst.kind} "
            f"({worst.system}), and out of its collection they score {worst.found:.4f} now",
        )
    return Reproduced(len(questions.queries), len(record.questions.queries) - len(answerable))


def probed(questions: EvaluationSet, answerable: Sequence[EvaluationQuery], probes: int) -> EvaluationSet:
    """Up to `probes` questions of each kind, spread evenly over those that are `answerable`."""
    chosen: list[EvaluationQuery] = []
    for kind in questions.kinds():
        own = sorted((query for query in answerable if query.kind == kind), key=lambda query: query.query_id)
        count = min(probes, len(own))
        chosen += [own[place * len(own) // count] for place in range(count)]
    return EvaluationSet(tuple(chosen), questions.grades(chosen), questions.pool)


def restored_engines(record: Record, rows: Rows, encoder: EncoderLike, logic: SearchLogic) -> PoolEngines:
    """The engines over the recorded pool, whose vectors, words and products are those of `rows`."""
    lost = [product_id for product_id in record.questions.pool if product_id not in rows.position]
    if lost:
        raise broken(record.release, f"was measured on product {lost[0]!r}, which its collection has lost")
    pool = sorted(record.questions.pool)
    own = _of(rows, pool)
    products = [product_of(payload) for payload in own.payloads]
    embeddings = ProductEmbeddings(
        ids=own.ids,
        **{field: own.vectors[field] for field in FIELDS},
        has_text=own.present["text"],
        has_image=own.present["image"],
        encoder=rows.encoder,
        snapshot=rows.snapshot,
    )
    served = MemoryCollection(own, name=NAME, release=NAME)
    try:
        hidden = hidden_collection(products, embeddings, encoder, rows.metric)
    except NotReady as error:
        raise broken(record.release, f"has a damaged collection ({str(error).partition(':')[0]})") from error
    return PoolEngines(logic.engine(encoder, served), logic.engine(encoder, hidden))


def ask_again(questions: EvaluationSet, engines: PoolEngines, photos: Photos, *, hidden: bool) -> pl.DataFrame:
    """Rows of per_query for SYSTEMS; without `hidden` only what is asked of the index as it is served."""
    tables = []
    for system in SYSTEMS:
        kinds = {
            kind
            for kind in questions.kinds()
            if (way := KINDS[kind].systems.get(system)) and (hidden or not way.hidden)
        }
        own = replace(questions, queries=tuple(query for query in questions.queries if query.kind in kinds))
        asked: Systems = ask_engine(engines, own, photos, only=system)
        if asked.runs:
            tables.append(score(own, asked.runs, asked.asked))
    return pl.concat(tables) if tables else pl.DataFrame(schema=SCHEMA)


def means(recorded: pl.DataFrame, found: pl.DataFrame) -> list[Mean]:
    """The primary metric of every kind and system over the questions of `found`, as recorded and as found."""
    pairs = found.join(recorded, on=["query_id", "kind", "system"], suffix="_recorded", how="left")
    means = []
    for (kind, system), own in pairs.group_by("kind", "system", maintain_order=True):
        metric = KINDS[str(kind)].primary
        before, now = (float(own[column].to_numpy().mean()) for column in (f"{metric}_recorded", metric))
        means.append(Mean(str(kind), str(system), before, now, len(own)))
    return means


def _is_cut(rows: Rows) -> bool:
    """Whether a description may be longer than what the collection keeps: its words cannot be encoded again then."""
    return any(len(payload["description"]) >= MOST_DESCRIPTION for payload in rows.payloads)


def _of(rows: Rows, ids: Sequence[str]) -> Rows:
    """The rows of `ids`, in this order."""
    at = np.array([rows.position[product_id] for product_id in ids], dtype=np.int64)
    return replace(
        rows,
        ids=tuple(ids),
        payloads=tuple(rows.payloads[place] for place in at),
        words=tuple(rows.words[place] for place in at),
        vectors={name: rows.vectors[name][at] for name in FIELDS},
        present={name: rows.present[name][at] for name in FIELDS},
    )
