"""One trial measured in a shop whose facets an encoder sees exactly; the test split stays untouched."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from catalog.media import MediaStore
from catalog.splits import SplitParams, split_products
from evaluation.metrics import mean, per_query
from evaluation.params import EvaluateParams
from evaluation.pool import pool_engines
from evaluation.queries.questions import evaluation_set
from evaluation.runs import ask, photos_of
from evaluation.sweep.results import TrialReport, pareto_front
from evaluation.sweep.space import SweepParams
from evaluation.sweep.trial import WARM_UP, NothingToAsk, measure, timed
from models.embeddings import ProductEmbeddings
from search.engine import Answer, Query
from search.logic import SearchLogic
from tests.evaluation.worlds import TERMS, FacetEncoder, embedded, media, shop

SHOP = shop(160)
SPLITS = split_products(SHOP, SplitParams(validation=0.3, test=0.3))
OTHERS = [*SPLITS["train"], *SPLITS["ranking"]]
PARAMS = SweepParams(queries=10, timed=12)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MediaStore:
    return media(tmp_path_factory.mktemp("media"), len(SHOP))


def measured(store: MediaStore, embeddings: ProductEmbeddings, encoder: FacetEncoder) -> TrialReport:
    logic, photos = SearchLogic(), photos_of(store)
    return measure(SPLITS["validation"], OTHERS, TERMS, (), embeddings, encoder, logic, photos, PARAMS)


def test_quality_is_the_mean_over_kinds_of_what_the_engine_scores(store: MediaStore) -> None:
    encoder = FacetEncoder()
    vectors = embedded(SHOP, store, encoder)
    report = measured(store, vectors, encoder)
    counts = EvaluateParams(seed=PARAMS.seed, known_items=10, photo_queries=10, attribute_queries=10)
    known = [*OTHERS, *SPLITS["validation"]]
    questions = evaluation_set(SPLITS["validation"], known, TERMS, (), counts)
    engine = pool_engines(SPLITS["validation"], TERMS, vectors, encoder, SearchLogic()).served
    queries = questions.of_kind("title_to_product")
    values = per_query(ask(engine, queries, photos_of(store), None).run, questions.grades(queries))
    assert report.by_kind["title_to_product"] == mean(values)["recall@10"]
    assert report.quality == pytest.approx(np.mean(list(report.by_kind.values())))


def test_a_blind_encoder_is_worse_and_words_for_judging_alone_are_not_asked(store: MediaStore) -> None:
    good = measured(store, embedded(SHOP, store, FacetEncoder()), FacetEncoder())
    blind = FacetEncoder("blind", blind=True)
    assert measured(store, embedded(SHOP, store, blind), blind).quality < good.quality - 0.1
    assert not [kind for kind in good.by_kind if kind.startswith("other_words")]
    assert {"attribute_en", "attribute_zh", "title_to_photo"} <= set(good.by_kind)


def test_the_test_split_is_never_touched(store: MediaStore) -> None:
    """Its vectors are no numbers and its pictures are watched: whoever uses one scores otherwise, or is seen."""
    encoder = FacetEncoder()
    whole = embedded(SHOP, store, encoder)
    held = {product.id for product in SPLITS["test"]}
    assert held
    poisoned = np.array([name in held for name in whole.ids])
    broken = {field: np.where(poisoned[:, None], np.nan, getattr(whole, field)) for field in ("text", "image", "fused")}
    pictures = {media_id for product in SHOP if product.id not in held for media_id in product.images}
    asked_for: list[str] = []

    class Watched(MediaStore):
        def read(self, media_id: str) -> bytes:
            asked_for.append(media_id)
            return super().read(media_id)

    clean = measured(store, whole, encoder)
    again = measured(Watched(store.folder), replace(whole, **broken), encoder)
    assert asked_for
    assert set(asked_for) <= pictures
    untimed = {"latency_p50_ms": 0.0, "latency_p95_ms": 0.0}
    assert again.model_copy(update=untimed) == clean.model_copy(update=untimed)
    assert again.searched == len(SHOP) - len(held)


def test_latency_is_of_so_many_queries_after_a_warm_up(store: MediaStore) -> None:
    asked: list[str] = []

    class Engine:
        def search(self, query: Query) -> Answer:
            asked.append(query.text or "")
            return Answer((), "release", {"total": 2.5, "encode": 1.0})

    assert timed(Engine(), ["a", "b"], 5) == [2.5] * 5  # type: ignore[arg-type]
    assert len(asked) == WARM_UP + 5
    assert set(asked) == {"a", "b"}
    report = measured(store, embedded(SHOP, store, FacetEncoder()), FacetEncoder())
    assert report.timed == PARAMS.timed
    assert 0 < report.latency_p50_ms <= report.latency_p95_ms


def test_a_validation_split_of_nothing_is_a_sentence(store: MediaStore) -> None:
    encoder = FacetEncoder()
    with pytest.raises(NothingToAsk, match=r"split\.validation"):
        measure((), SHOP, TERMS, (), embedded(SHOP, store, encoder), encoder, SearchLogic(), photos_of(store), PARAMS)


def brute_force(points: Sequence[tuple[float, float]]) -> set[int]:
    """No other point has more of the first and no more of the second, or the other way round."""
    return {
        row
        for row, one in enumerate(points)
        if all(other == one or other[0] < one[0] or other[1] > one[1] for other in points)
    }


def test_the_front_is_that_of_brute_force() -> None:
    generator = np.random.default_rng(2)
    for _ in range(20):
        points = [(float(q), float(ms)) for q, ms in generator.integers(0, 6, (15, 2))]
        assert pareto_front(points) == brute_force(points)
    assert pareto_front([]) == frozenset()
