"""Training queries: which texts are shown for a product, and which products a text is true of.

Texts are a pure function of (seed, product id, round), so an epoch can be had again at any time. A round is an epoch
modulo `rounds`. Legend: T texts, N products, F facet fields.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.products import CATEGORY, Product
from catalog.words.phrases import Phrase, attribute_phrases
from catalog.words.terms import TermIndex
from catalog.words.text import normalise, product_text, tokenize
from models.training.params import TrainParams

Truth = NDArray[np.bool_]
Grades = NDArray[np.float32]

_MOST_OF_DESCRIPTION = 200  # characters; a query is not longer


@dataclass(frozen=True)
class RowTexts:
    """What is said of one product in one round. `title` is None for a product that has none; `product` is what the
    product side reads, with or without the attributes, so that neither is leaned on alone."""

    title: str | None
    phrases: tuple[Phrase, ...]
    product: str

    @property
    def asked(self) -> tuple[str, ...]:
        """What stands on the query side."""
        return (*((self.title,) if self.title else ()), *(phrase.text for phrase in self.phrases))


class TrainingTexts:
    """Queries of `products`, by row number."""

    def __init__(self, products: Sequence[Product], terms: TermIndex, params: TrainParams) -> None:
        self.products, self.terms, self.params = products, terms, params
        self._rounds: dict[int, list[RowTexts]] = {}
        self._masked: dict[int, list[str]] = {}

    def of_round(self, epoch: int) -> list[RowTexts]:
        """Texts of every row in `epoch`."""
        number = epoch % self.params.rounds
        if number not in self._rounds:
            self._rounds[number] = [self._row(product, number) for product in self.products]
        return self._rounds[number]

    def masked_of_round(self, epoch: int) -> list[str]:
        """The products' own texts of `epoch` with words left out; "" where there is none."""
        number = epoch % self.params.rounds
        if number not in self._masked:
            draws = (random.Random(f"{self.params.seed}/masked/{number}/{product.id}") for product in self.products)
            whole = (row.product for row in self.of_round(epoch))
            self._masked[number] = [
                _masked(text, self.params.word_dropout, draw) for text, draw in zip(whole, draws, strict=True)
            ]
        return self._masked[number]

    def of_all_rounds(self) -> Iterator[str]:
        """Every text there will be, with repeats."""
        for number in range(self.params.rounds):
            for row in self.of_round(number):
                yield from (row.product, *row.asked) if row.product else row.asked

    def _row(self, product: Product, number: int) -> RowTexts:
        draw = random.Random(f"{self.params.seed}/{number}/{product.id}")
        title = self._title(product, draw) if product.title.strip() else None
        facets = product.facets()
        phrases = []
        for _ in range(self.params.phrases):
            for language in draw.sample(self.params.languages, len(self.params.languages)):
                phrase = attribute_phrases(facets, self.terms, language, draw, style="train")
                if phrase is not None:
                    phrases.append(phrase)
                    break
        text = product_text(product, attributes=draw.random() < self.params.attributes_shown)
        return RowTexts(title, tuple(dict.fromkeys(phrases)), text)

    def _title(self, product: Product, draw: random.Random) -> str:
        if product.description and draw.random() < self.params.description_share:
            return product.description[:_MOST_OF_DESCRIPTION]
        if draw.random() < self.params.plain_titles:
            return product.title
        return thinned(product.title, self.params.word_dropout, draw)


def thinned(title: str, dropout: float, draw: random.Random) -> str:
    """A title as someone types it who remembers it in part: words left out, often in lower case.

    At least two words stay (all words of a shorter title), in their order.
    """
    words = title.split()
    keep = [word for word in words if draw.random() >= dropout]
    if len(keep) < min(2, len(words)):
        keep = words[:2]
    text = " ".join(keep)
    return text.lower() if draw.random() < 0.5 else text


def _masked(text: str, dropout: float, draw: random.Random) -> str:
    """`text` thinned out; one that is written without spaces is cut into words first."""
    return thinned(text if len(text.split()) > 2 else " ".join(tokenize(text)) or text, dropout, draw)


class TruthTable:
    """Which texts are true of which rows, beyond the row they were made from.

    A title is true of every product with the same normalised title; a phrase of every product that has all facets it
    mentions. Facet values that share a name in the phrase's language ("Trousers" and "Pants" may both be 长裤) count
    as one there: whoever says that name means both.
    """

    def __init__(self, products: Sequence[Product], terms: TermIndex, languages: Sequence[str]) -> None:
        facets = [product.facets() for product in products]
        self.fields = {field: column for column, field in enumerate(sorted({field for row in facets for field in row}))}
        self.classes = {language: _classes(facets, terms, language) for language in languages}
        self._facets = {
            language: self._matrix(facets, classes) for language, classes in self.classes.items()
        }  # [N, F] class of each product's value, -1 where it has none
        numbers: dict[str, int] = {}
        self._titles = np.array(
            [numbers.setdefault(normalise(product.title) or f"\0{row}", row) for row, product in enumerate(products)],
            dtype=np.int64,
        )

    def of_titles(self, texts_of: NDArray[np.int64], rows: NDArray[np.int64]) -> Truth:
        """[T, N]: text i was made from row texts_of[i]; is it true of row rows[j]?"""
        same: Truth = self._titles[texts_of][:, None] == self._titles[rows][None, :]
        return same

    def of_phrases(self, phrases: Sequence[Phrase], rows: NDArray[np.int64]) -> Truth:
        """[T, N]: does row rows[j] have every facet that phrase i mentions?"""
        return self._held(phrases, rows)[0]

    def grades_of_phrases(self, phrases: Sequence[Phrase], rows: NDArray[np.int64], partial: float) -> Grades:
        """[T, N] in [0, 1]: 1 where row rows[j] has every facet that phrase i mentions; else `partial` times the share
        of them that it has, if it is of the category that the phrase mentions; else 0. So of two wrong answers to
        "red dress for women" a blue dress for women is better than one for girls, and a red shirt is none.
        """
        true, share, right_kind = self._held(phrases, rows)
        grades: Grades = np.where(true, np.float32(1), np.float32(partial) * share * right_kind)
        return grades

    def _held(self, phrases: Sequence[Phrase], rows: NDArray[np.int64]) -> tuple[Truth, Grades, Truth]:
        """[T, N] each: all facets that a phrase mentions; the share of them; the category, if it mentions one."""
        held = np.zeros((len(phrases), len(rows)), dtype=np.float32)
        right_kind = np.ones((len(phrases), len(rows)), dtype=np.bool_)
        number_asked = np.zeros((len(phrases), 1), dtype=np.float32)
        for language, classes in self.classes.items():
            said = [number for number, phrase in enumerate(phrases) if phrase.language == language]
            asked = self._matrix([dict(phrases[number].facets) for number in said], classes)
            carried = self._facets[language][rows]
            for field, column in self.fields.items():
                mentioned = asked[:, column, None] >= 0
                same = mentioned & (asked[:, column, None] == carried[None, :, column])
                held[said] += same
                number_asked[said] += mentioned
                if field == CATEGORY:
                    right_kind[said] = same | ~mentioned
        return held == number_asked, held / number_asked.clip(min=1), right_kind

    def _matrix(self, facets: Sequence[Mapping[str, str]], classes: Mapping[tuple[str, str], int]) -> NDArray[np.int64]:
        matrix = np.full((len(facets), len(self.fields)), -1, dtype=np.int64)
        for number, row in enumerate(facets):
            for field, value in row.items():
                matrix[number, self.fields[field]] = classes[field, value]
        return matrix


def _classes(facets: Sequence[Mapping[str, str]], terms: TermIndex, language: str) -> dict[tuple[str, str], int]:
    """A number for each (field, value); the same for values of one field that share a name in `language`."""
    values = list(dict.fromkeys((field, value) for row in facets for field, value in row.items()))
    parent = list(range(len(values)))

    def root(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    first: dict[tuple[str, tuple[str, ...]], int] = {}
    for number, (field, value) in enumerate(values):
        for name in terms.names(field, value, language):
            other = root(first.setdefault((field, tuple(tokenize(name))), number))
            low, high = sorted((other, root(number)))
            parent[high] = low
    return {facet: root(number) for number, facet in enumerate(values)}
