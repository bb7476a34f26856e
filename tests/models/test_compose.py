"""Learning to compose, in a world where every facet is a direction: a sum keeps the old colour, learning drops it."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from catalog.errors import InvalidSnapshot
from catalog.products import CATEGORY, Product, Term
from catalog.words.terms import TermIndex
from models.compose import change_data, choose
from models.composer import Floats, LearnedComposer, SumComposer
from models.embeddings import ProductEmbeddings
from models.training.changes import Change, ChangePairs, ChangeWords
from models.training.compose_params import ComposeParams
from models.training.composing import ChangeData, train_composer
from models.training.composing_score import change_ndcg, gains_of, ndcg

COLOURS, KINDS, PEOPLE = ("Red", "Blue", "Green", "Black", "White"), ("Dresses", "Shirts", "Hats"), ("Men", "Women")
FACETS = [*(("colour", v) for v in COLOURS), *((CATEGORY, v) for v in KINDS), *(("gender", v) for v in PEOPLE)]
D = len(FACETS) + 4
TERMS = [Term(field, value, "en", value.lower()) for field, value in FACETS] + [Term("colour", "Red", "zh", "红色")]
PARAMS = ComposeParams(
    epochs=80, batch_size=32, learning_rate=0.01, hidden=64, phrases=4, validation_pairs=60, dropout=0.0
)


class FacetEncoder:
    """A text is the facets it names; a picture is the facets of its product and a little that is its own."""

    fingerprint = "f" * 16
    dim = D

    def __init__(self) -> None:
        self._terms = TermIndex(TERMS)

    def encode_text(self, texts: Sequence[str]) -> Floats:
        rows = [self.vector(dict(self._terms.values_named(text)), text) for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), D)

    def vector(self, facets: dict[str, str], own: str) -> Floats:
        vector = np.random.default_rng(sum(own.encode())).normal(size=D) * 0.1
        for facet in facets.items():
            vector[FACETS.index(facet)] += 1.0
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def product(number: int, colour: str | None, kind: str | None, who: str | None, pictured: bool = True) -> Product:
    attributes = {name: value for name, value in (("colour", colour), ("gender", who)) if value}
    identity = f"p{number:03}"
    return Product(
        identity,
        identity,
        "thing",
        category=(kind,) if kind else (),
        attributes=attributes,
        images=(identity,) if pictured else (),
    )


def shop(copies: int, first: int = 0) -> list[Product]:
    every = [(colour, kind, who) for _ in range(copies) for colour in COLOURS for kind in KINDS for who in PEOPLE]
    return [product(first + number, *facets) for number, facets in enumerate(every)]


def embedded(products: Sequence[Product]) -> ProductEmbeddings:
    encoder = FacetEncoder()
    vectors = np.stack([encoder.vector(p.facets(), p.id) for p in products])
    there: NDArray[np.bool_] = np.array([bool(p.images) for p in products], dtype=bool)
    everyone = np.ones(len(products), dtype=bool)
    return ProductEmbeddings(
        [p.id for p in products], vectors, vectors, vectors * there[:, None], everyone, there, "f" * 16, "s"
    )


def data_of(products: Sequence[Product], params: ComposeParams = PARAMS) -> ChangeData:
    return change_data(products, products, TERMS, embedded(products), FacetEncoder(), params)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def learning() -> ChangeData:
    return data_of(shop(3))


@pytest.fixture(scope="module")
def held_out() -> ChangeData:
    return data_of(shop(2, first=500))


def test_a_pair_differs_in_exactly_one_facet_and_a_source_has_a_picture_and_a_category() -> None:
    products = [
        product(0, "Red", "Dresses", "Women"),
        product(1, "Blue", "Dresses", "Women"),
        product(2, "Blue", "Dresses", "Men"),
        product(3, "Blue", "Hats", "Men"),
        product(4, None, "Dresses", "Women"),  # no colour to change
        product(5, "Green", "Dresses", "Women", pictured=False),
        product(6, "Red", None, "Women"),
    ]
    pairs = ChangePairs(products, {"colour", "gender", CATEGORY})
    assert pairs.options == {
        0: (("colour", "Blue"),),
        1: (("colour", "Red"), ("gender", "Men")),
        2: (("gender", "Women"), (CATEGORY, "Hats")),
        3: ((CATEGORY, "Dresses"),),
    }
    assert pairs.by_field() == {CATEGORY: 2, "colour": 2, "gender": 2}
    drawn = {pairs.draw(random.Random(seed)) for seed in range(100)}
    assert drawn == {
        Change(0, "colour", "Blue", 1),
        Change(1, "colour", "Red", 0),
        Change(1, "gender", "Men", 2),
        Change(2, "gender", "Women", 1),
        Change(2, CATEGORY, "Hats", 3),
        Change(3, CATEGORY, "Dresses", 2),
    }
    assert pairs.wanted(Change(0, "colour", "Blue", 1)) == products[1].facets()


def test_a_facet_that_nobody_speaks_of_may_differ() -> None:
    spoken = ChangePairs([product(0, "Red", "Hats", "Men"), product(1, "Blue", "Hats", "Women")], {"colour"})
    assert spoken.options == {0: (("colour", "Blue"),), 1: (("colour", "Red"),)}


def test_only_what_can_be_said_is_asked_for(learning: ChangeData) -> None:
    words = ChangeWords([("colour", "Red"), ("year", "2011")], TermIndex(TERMS), ("en", "zh"), 4, seed=1)
    assert set(words.of) == {("colour", "Red")}
    assert {language for language, _ in words.of["colour", "Red"]} == {"en", "zh"}
    assert len(words.texts) == len(set(words.texts)) == 8
    asked = learning.draw(50, random.Random(0))
    assert all((change.field, change.value) in learning.said.of for change in asked.changes)


def test_whoever_has_all_that_is_wanted_counts_as_found(learning: ChangeData) -> None:
    asked = learning.draw(40, random.Random(0))
    facets = learning.pairs.facets
    wanted = [learning.pairs.wanted(change) for change in asked.changes]
    assert asked.wanted.tolist() == [[facets[row] == one for row in asked.targets] for one in wanted]
    assert asked.wanted.diagonal().all()


def test_learning_drops_what_the_words_replace_and_a_sum_does_not(learning: ChangeData, held_out: ChangeData) -> None:
    learned = LearnedComposer("f" * 16, train_composer(learning, PARAMS))
    photo = FacetEncoder().vector({"colour": "Red", CATEGORY: "Dresses", "gender": "Women"}, "new")
    words = FacetEncoder().encode_text(["in blue"])[0]
    red, blue, dress = (FACETS.index(facet) for facet in (("colour", "Red"), ("colour", "Blue"), (CATEGORY, "Dresses")))
    composed, summed = learned.compose(photo, words, 0.5), SumComposer().compose(photo, words, 0.5)
    assert composed[red] < 0.5 * summed[red]
    assert min(composed[blue], composed[dress]) > 2 * composed[red]
    scores = {name: change_ndcg(composer, held_out, 60, seed=1) for name, composer in
              (("sum", SumComposer()), ("learned", learned))}  # fmt: skip
    assert scores["learned"] > 0.85 > 0.65 > scores["sum"]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(learning: ChangeData) -> None:
    short = PARAMS.model_copy(update={"epochs": 2})
    one, two = train_composer(learning, short), train_composer(learning, short)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    other = train_composer(learning, short.model_copy(update={"seed": 8}))
    assert not np.array_equal(one["gate.second.weight"], other["gate.second.weight"])


@pytest.mark.parametrize(("choice", "name"), [("sum", "sum"), ("learned", "learned"), ("auto", "learned")])
def test_the_composer_is_the_one_that_params_name_or_the_one_that_answers_best(
    choice: str, name: str, learning: ChangeData, held_out: ChangeData
) -> None:
    params = PARAMS.model_copy(update={"composer": choice, "epochs": 20})
    composer, report = choose(learning, held_out, "f" * 16, params)
    assert composer.name == report["composer"] == name
    assert set(report["scores"]) == ({"sum"} if choice == "sum" else {"sum", "learned"})
    assert composer.encoder == (None if name == "sum" else "f" * 16)


def test_a_composer_that_learned_nonsense_is_not_chosen(learning: ChangeData, held_out: ChangeData) -> None:
    wild = PARAMS.model_copy(update={"learning_rate": 30.0, "epochs": 3})
    composer, report = choose(learning, held_out, "f" * 16, wild)
    assert report["scores"]["learned"] < report["scores"]["sum"]
    assert composer.name == "sum"


def test_without_pairs_auto_sums_and_says_why_and_learned_is_refused(held_out: ChangeData) -> None:
    bare = [product(number, None, "Hats", None) for number in range(4)]
    nothing = data_of(bare)
    composer, report = choose(nothing, held_out, "f" * 16, PARAMS)
    assert composer.name == "sum" and report["why"].startswith("no two training products differ")
    with pytest.raises(InvalidSnapshot, match=r"set compose\.composer to sum\."):
        choose(nothing, held_out, "f" * 16, PARAMS.model_copy(update={"composer": "learned"}))
    composer, report = choose(held_out, nothing, "f" * 16, PARAMS.model_copy(update={"epochs": 1}))
    assert composer.name == "sum" and report["scores"] == {}


def test_gains_are_7_for_all_that_is_wanted_and_1_for_the_category() -> None:
    products = [product(0, "Red", "Hats", "Men"), product(1, "Blue", "Hats", "Men"), product(2, "Red", "Shirts", "Men")]
    pairs = ChangePairs(products, {"colour", "gender"})
    assert gains_of(pairs, {CATEGORY: "Hats", "colour": "Red"}).tolist() == [7.0, 1.0, 0.0]
    # best first: gains 1, 7, 0 -> (1/1 + 7/log2(3)) over (7/1 + 1/log2(3))
    found = ndcg(np.array([0.9, 0.5, 0.1], dtype=np.float32), np.array([1.0, 7.0, 0.0], dtype=np.float32))
    assert found == pytest.approx((1 + 7 / np.log2(3)) / (7 + 1 / np.log2(3)))
