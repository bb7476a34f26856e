"""What a batch holds: B products, what is said of them, and which text is true of which product.

Contents are a pure function of (rows, epoch, draw), so any batch can be had again at any time.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from catalog.products import Product
from catalog.words.phrases import Phrase
from catalog.words.terms import TermIndex
from models.training.batches import Rows
from models.training.pairs import Grades, TrainingTexts, Truth, TruthTable
from models.training.params import TrainParams
from models.training.pictures import Pictures, media_of, view_key
from models.training.shop_queries import ShopQueries


@dataclass(frozen=True)
class Batch:
    """B products and what is said of them. `shown` and the columns of truth are numbers within the batch."""

    rows: Tensor  # int64 [B]: which training products these are
    titles: list[str]  # T1
    title_true: Tensor  # bool [T1, B]
    phrases: list[Phrase]  # T2
    phrase_true: Tensor  # [T2, B]: bool, or grades
    queries: list[str]  # Q: of the shop
    query_true: Tensor  # [Q, B]: bool, or grades
    product_texts: list[str]  # B; "" for a product without words
    pictures: Tensor | None  # of the products that have one, as Pictures.load gave them
    shown: Tensor  # int64 [S]: the products that have a picture
    sees_text: Tensor  # bool [B]: fusion sees the words
    sees_image: Tensor  # bool [B]: fusion sees the picture
    second_views: Tensor | None  # other views of `pictures`, where an objective asks for them
    same_picture: Tensor  # bool [S, S]: whose pictures are views of one
    masked_texts: list[str]  # R: product texts with words left out, where an objective asks for them
    masked_true: Tensor  # bool [R, B]: of which products' texts
    labelled: bool  # False in a warm-up: no titles, phrases and queries


class Contents:
    """Fills batches from training products."""

    def __init__(
        self, products: Sequence[Product], terms: TermIndex, params: TrainParams, queries: ShopQueries | None = None
    ) -> None:
        self.products, self.params, self.queries = products, params, queries
        self.said = TrainingTexts(products, terms, params)
        self.truth = TruthTable(products, terms, params.languages)

    def batch(self, rows: Rows, epoch: int, draw: random.Random, pictures: Pictures, *, labelled: bool = True) -> Batch:
        """The batch of these rows. All chance comes from `draw`."""
        said = [self.said.of_round(epoch)[row] for row in rows.tolist()]
        asked = said if labelled else []
        titled = np.array([number for number, row in enumerate(asked) if row.title is not None], dtype=np.int64)
        phrases = [phrase for row in asked for phrase in row.phrases]
        product_texts = [row.product for row in said]
        keys = {number: key for number, row in enumerate(rows.tolist()) if (key := self._picture(row, draw))}
        has_text = [bool(text) for text in product_texts]
        sees = [_seen(has_text[row], row in keys, self.params.modality_dropout, draw) for row in range(len(rows))]
        shown = pictures.load(list(keys.values()), draw) if keys else None
        views_asked = self.params.weights.photo_photo > 0 or not labelled
        second = [self._other_view(key, draw) for key in keys.values()] if views_asked else []
        numbers = self.queries.drawn(rows, draw) if self.queries and labelled else []
        queries = [self.queries.texts[number] for number in numbers] if self.queries else []
        query_grades = self.queries.grades(numbers, rows) if self.queries else np.zeros((0, len(rows)), np.float32)
        masked = [] if labelled else [number for number, text in enumerate(product_texts) if text]
        texts = np.array(product_texts)
        media = np.array([media_of(key) for key in keys.values()])
        return Batch(
            rows=torch.from_numpy(rows),
            titles=[said[number].title or "" for number in titled],
            title_true=torch.from_numpy(self.truth.of_titles(rows[titled], rows)),
            phrases=phrases,
            phrase_true=torch.from_numpy(self._truth_of(phrases, rows)),
            queries=queries,
            query_true=torch.from_numpy(query_grades if self.params.graded else query_grades > 0),
            product_texts=product_texts,
            pictures=shown,
            shown=torch.tensor(list(keys), dtype=torch.int64),
            sees_text=torch.tensor([text for text, _ in sees]),
            sees_image=torch.tensor([image for _, image in sees]),
            second_views=pictures.load(second, draw) if second else None,
            same_picture=torch.from_numpy(media[:, None] == media[None, :]),
            masked_texts=[self.said.masked_of_round(epoch)[rows[number]] for number in masked],
            masked_true=torch.from_numpy(texts[masked][:, None] == texts[None, :]),
            labelled=labelled,
        )

    def _truth_of(self, phrases: Sequence[Phrase], rows: Rows) -> Truth | Grades:
        if self.params.graded:
            return self.truth.grades_of_phrases(phrases, rows, self.params.partial)
        return self.truth.of_phrases(phrases, rows)

    def _picture(self, row: int, draw: random.Random) -> str | None:
        images = self.products[row].images[: self.params.pictures]
        if not images:
            return None
        media, views = draw.choice(images), self.params.views
        return view_key(media, views - 1 - int(draw.random() * views) if views > 1 else 0)

    def _other_view(self, key: str, draw: random.Random) -> str:
        """Another view of the same picture; the same one where there is no other."""
        views = [view for view in range(self.params.views) if view_key(media_of(key), view) != key]
        return view_key(media_of(key), draw.choice(views)) if views else key


def _seen(has_text: bool, has_image: bool, dropout: float, draw: random.Random) -> tuple[bool, bool]:
    """What fusion sees of a product that has these modalities: with chance `dropout` only one of two."""
    if not (has_text and has_image) or draw.random() >= dropout:
        return has_text, has_image
    return (True, False) if draw.random() < 0.5 else (False, True)
