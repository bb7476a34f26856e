"""Growth in answering: an engine that keeps what it answered is told from one that does not."""

from collections.abc import Sequence
from pathlib import Path

from catalog.words.terms import TermIndex
from evaluation.audits.memory import MOST, ROUNDS, growth
from evaluation.queries.judgements import EvaluationQuery
from evaluation.results import Memory
from search.engine import Answer, Query, SearchEngine
from search.memory import MemoryCollection
from search.ranking import Ranking
from search.rows import build_rows
from tests.evaluation.worlds import TERMS, FacetEncoder, embedded, media, shop

KEPT = 100_000  # bytes of every answer


class Hoarder(SearchEngine):
    """Forgets nothing."""

    def search(self, query: Query) -> Answer:
        self.__dict__.setdefault("kept", []).append(b"x" * KEPT)
        return super().search(query)


def engine(folder: Path, kind: type[SearchEngine]) -> SearchEngine:
    products, encoder = shop(), FacetEncoder()
    rows = build_rows(products, embedded(products, media(folder), encoder), TermIndex(TERMS))
    return kind(encoder, MemoryCollection(rows, name="products", release="r1"), Ranking())


def queries(count: int) -> Sequence[EvaluationQuery]:
    return [
        EvaluationQuery(f"q{number}", "title_to_product", "en", text=f"red dress {number}") for number in range(count)
    ]


def test_what_is_kept_of_every_answer_is_what_a_query_costs(tmp_path: Path) -> None:
    found = growth(engine(tmp_path, Hoarder), queries(100), lambda query: None)
    assert (found.queries, len(found.grown_kb)) == (MOST, ROUNDS)
    assert found.kb_per_query > 0.7 * KEPT / 1024


def test_a_leak_into_memory_that_was_freed_before_is_seen_too(tmp_path: Path) -> None:
    asked = engine(tmp_path, Hoarder)
    blocks = [b"y" * KEPT for _ in range(2000)]
    held = blocks[::2]
    del blocks  # 200 MB of holes, between blocks that stay
    assert growth(asked, queries(100), lambda query: None).kb_per_query > 0.7 * KEPT / 1024
    assert len(held) == 1000


def test_an_engine_that_keeps_nothing_stays_as_large_as_it_was(tmp_path: Path) -> None:
    assert growth(engine(tmp_path, SearchEngine), queries(100), lambda query: None).kb_per_query < 20


def test_one_round_in_which_the_allocator_takes_more_is_no_leak() -> None:
    assert Memory(queries=50, grown_kb=(0.0, 0.0, 65_536.0, 0.0, -4.0)).kb_per_query == 0.0
    assert Memory(queries=50, grown_kb=(100.0, 120.0, 90.0, 100.0, 110.0)).kb_per_query == 2.0
