"""The correction of hubs, on a shop where it is known whether it helps."""

from collections.abc import Sequence

import numpy as np
import pytest

from catalog.media import MediaStore
from catalog.products import Product
from catalog.words.terms import TermIndex
from evaluation.params import TuneParams
from evaluation.pool import hidden_collection
from evaluation.runs import photos_of
from evaluation.tuning.hub_strength import STRENGTHS, choose_strength, learn_hubs
from evaluation.tuning.tune import validation_questions
from models.embeddings import Floats, ProductEmbeddings
from search.engine import SearchEngine
from search.memory import MemoryCollection
from search.ranking import Ranking
from search.rows import build_rows
from tests.evaluation.worlds import TERMS, FacetEncoder, embedded, media, shop

POOL = shop()
QUESTIONS = validation_questions(POOL, POOL, TERMS, (), TuneParams(queries=20))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MediaStore:
    return media(tmp_path_factory.mktemp("media"))


HUB, WIDTH = 31, 32


class OneAxisEach(FacetEncoder):
    """Title "t3" lies near picture 3, and nearer still to the picture of the hub, as all titles do."""

    dim = WIDTH

    def encode_text(self, texts: Sequence[str]) -> Floats:
        axes = np.eye(WIDTH, dtype=np.float32)
        return np.stack([0.6 * axes[int(text[1:])] + 0.8 * axes[HUB] for text in texts])


HUBBED = [Product(id=f"p{i:02}", group_id=f"g{i}", title=f"t{i}", images=(f"{i:064x}",)) for i in range(WIDTH)]


def hubbed() -> SearchEngine:
    """Shows a picture on each axis."""
    ids, vectors, there = [each.id for each in HUBBED], np.eye(WIDTH, dtype=np.float32), np.ones(WIDTH, dtype=bool)
    held = ProductEmbeddings(ids, vectors, vectors, vectors, there, there, "facets", "snapshot")
    rows = build_rows(HUBBED, held, TermIndex([]))
    return SearchEngine(OneAxisEach(), MemoryCollection(rows, name="products_r1", release="r1"), Ranking())


def engine(store: MediaStore) -> SearchEngine:
    encoder = FacetEncoder()
    return SearchEngine(encoder, hidden_collection(POOL, embedded(POOL, store, encoder), encoder), Ranking())


def test_every_title_that_looks_for_its_photo_is_asked() -> None:
    titled = [product for product in POOL if product.title.strip() and product.images]
    assert len(QUESTIONS.of_kind("title_to_photo")) == len(titled) > 20
    assert len(QUESTIONS.of_kind("title_to_product")) == 20


def test_the_bank_is_the_titles_that_were_trained_on_and_no_more_than_asked_for() -> None:
    encoder = FacetEncoder()
    hubs = learn_hubs(POOL, encoder, 7, 5)
    assert hubs is not None and hubs.bank.shape[0] == 5 and hubs.encoder == encoder.fingerprint
    rows = {row.tobytes() for row in encoder.encode_text([product.title for product in POOL])}
    assert {row.tobytes() for row in hubs.bank} <= rows
    assert learn_hubs(POOL, encoder, 7, 0) is None
    assert learn_hubs([], encoder, 7, 5) is None


def test_a_picture_that_stands_before_all_others_gives_way(store: MediaStore) -> None:
    questions = validation_questions(HUBBED, HUBBED, [], (), TuneParams(queries=5))
    hubs = learn_hubs(HUBBED, OneAxisEach(), 7, 100)
    assert hubs is not None
    chosen, report = choose_strength(hubbed(), hubs, questions, photos_of(store), seed=7)
    assert chosen == report["strength"] > 0
    assert report["start_score"] < 0.7
    assert report["score"] > 0.95
    assert set(report["tried"]) == {str(strength) for strength in STRENGTHS}


def test_a_correction_that_is_not_surely_better_is_not_used(store: MediaStore) -> None:
    hubs = learn_hubs(POOL, FacetEncoder(), 7, 100)  # the titles say nothing that the shop's facets do not
    assert hubs is not None
    chosen, report = choose_strength(engine(store), hubs, QUESTIONS, photos_of(store), seed=7)
    assert chosen == 0.0 == report["strength"]
    assert report["score"] == report["start_score"]


def test_without_titles_that_have_a_photo_nothing_is_corrected(store: MediaStore) -> None:
    bare = validation_questions([], POOL, TERMS, (), TuneParams(queries=20))
    hubs = learn_hubs(POOL, FacetEncoder(), 7, 100)
    assert hubs is not None
    assert choose_strength(engine(store), hubs, bare, photos_of(store), seed=7)[0] == 0.0
