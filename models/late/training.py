"""What the token heads learn from: words of titles and phrases, pictures through the frozen towers, and who fits whom.

Legend: N products, U distinct words of a batch, T texts, B products of a batch, J tokens of a picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.products import Product
from catalog.words.terms import TermIndex
from models.late.heads import LateHeads, pooled_places
from models.late.params import LateParams
from models.late.words import words_of
from models.towers.tower import ImageTower
from models.training.losses import Contrastive
from models.training.pairs import TrainingTexts, TruthTable
from models.training.params import TrainParams
from models.training.pictures import CachedPictures

LEAST = -2.0  # what nothing matches with: a word is at most 2 long

Rows = NDArray[np.int64]
Words = Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Pictures:
    """Places and pooled features of the first picture of each product that has one."""

    tower: ImageTower
    trunk: CachedPictures
    pooled: NDArray[np.float32]  # [P, F]
    keys: Sequence[str]  # of P pictures
    of: NDArray[np.int64]  # [N] row of `pooled`, -1 without a picture

    def tokens(self, heads: LateHeads, rows: Rows) -> Tensor:
        """Products that have a picture -> unit rows [B, J, W]."""
        at = self.of[rows]
        features = self.trunk.load([self.keys[row] for row in at.tolist()], None).float()
        places = pooled_places(self.tower.places(features), heads.side)
        return heads.of_picture(places, torch.from_numpy(self.pooled[at]))


class WordTable:
    """Vectors [V, D] of words by the served encoder."""

    def __init__(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        self.row = {word: row for row, word in enumerate(vectors)}
        self.vectors = torch.from_numpy(np.stack(list(vectors.values())))

    def used(self, texts: Words) -> tuple[Tensor, Tensor]:
        """The distinct words of `texts` as rows [U], and each text's share of them [T, U]: a mean of its words."""
        distinct = sorted({self.row[word] for words in texts for word in words})
        place = {row: number for number, row in enumerate(distinct)}
        share = torch.zeros(len(texts), len(distinct))
        for number, words in enumerate(texts):
            for word in words:
                share[number, place[self.row[word]]] += 1 / len(words)
        return torch.tensor(distinct, dtype=torch.int64), share


class LateData:
    """Batches of products with their words, pictures and truths."""

    def __init__(
        self, products: Sequence[Product], terms: TermIndex, pictures: Pictures, words: WordTable, train: TrainParams
    ) -> None:
        self.products, self.pictures, self.words = products, pictures, words
        self.said = TrainingTexts(products, terms, train)
        self.truth = TruthTable(products, terms, train.languages)
        self.titles = [words_of(product.title) for product in products]

    def loss(self, heads: LateHeads, rows: Rows, epoch: int) -> Tensor:
        """Of a batch: titles find their pictures, phrases find pictures, and products by picture or title."""
        said = [self.said.of_round(epoch)[row] for row in rows.tolist()]
        titled = np.array([at for at, row in enumerate(said) if row.title and words_of(row.title)], dtype=np.int64)
        phrases = [phrase for row in said for phrase in row.phrases if words_of(phrase.text)]
        texts = [words_of(said[at].title or "") for at in titled] + [words_of(phrase.text) for phrase in phrases]
        if not texts:
            return heads.logit_scale.sum() * 0.0
        used, share = self.words.used(texts)
        query = heads.of_words(self.words.vectors[used])
        shown = np.flatnonzero(self.pictures.of[rows] >= 0)
        found = torch.full((len(used), len(rows)), LEAST)
        if len(shown):
            seen = best_matches(query, self.pictures.tokens(heads, rows[shown]))
            found = found.index_copy(1, torch.from_numpy(shown), seen)
        either = torch.maximum(found, self._of_titles(heads, query, rows))
        scale, contrastive = heads.logit_scale.exp(), Contrastive()
        by_title = torch.from_numpy(self.truth.of_titles(rows[titled], rows))
        by_phrase = torch.from_numpy(self.truth.of_phrases(phrases, rows))
        of_titles, of_phrases = share[: len(titled)], share[len(titled) :]
        parts = [
            contrastive(scale * (of_titles @ found)[:, shown], by_title[:, shown]),
            contrastive(scale * (of_phrases @ found)[:, shown], by_phrase[:, shown]),
            contrastive(scale * (of_phrases @ either), by_phrase),
        ]
        return torch.stack(parts).mean()

    def _of_titles(self, heads: LateHeads, query: Tensor, rows: Rows) -> Tensor:
        """[U, B]: best match of each word [U, W] in the titles of `rows`; LEAST for one without words."""
        titles = [self.titles[row] for row in rows.tolist()]
        distinct = sorted({self.words.row[word] for title in titles for word in title})
        place = {row: number for number, row in enumerate(distinct)}
        longest = max(map(len, titles), default=0)
        at = torch.full((len(rows), longest + 1), len(distinct))  # the last column is no word
        for number, title in enumerate(titles):
            at[number, : len(title)] = torch.tensor([place[self.words.row[word]] for word in title], dtype=torch.int64)
        unit = torch.nn.functional.normalize(heads.of_words(self.words.vectors[distinct]), dim=-1)
        matches = torch.cat([query @ unit.T, torch.full((len(query), 1), LEAST)], dim=1)  # [U, V + 1]
        return matches[:, at].amax(dim=2)


def best_matches(query: Tensor, tokens: Tensor) -> Tensor:
    """[U, W] and [B, J, W] -> [U, B]: MaxSim before its mean over the words of a text."""
    count, places, width = tokens.shape
    return (query @ tokens.reshape(count * places, width).T).view(len(query), count, places).amax(dim=2)


def alike_batches(vectors: NDArray[np.float32], params: LateParams, epoch: int) -> list[Rows]:
    """Rows of an epoch in batches, `params.alike` near neighbours side by side.

    Neighbours are what the first stage mixes up, so they are what the second must tell apart. They are looked for
    among `_AMONG` random rows, with some noise, so they change with the epoch.
    """
    random = np.random.default_rng([params.seed, epoch, _STREAM])
    order = random.permutation(len(vectors))
    groups: list[Rows] = []
    for start in range(0, len(order), _AMONG):
        groups += _groups(order[start : start + _AMONG], vectors, params.alike, random)
    mixed = np.concatenate([groups[at] for at in random.permutation(len(groups))])
    return np.array_split(mixed, max(1, round(len(mixed) / params.batch_size)))


def _groups(rows: Rows, vectors: NDArray[np.float32], alike: int, random: np.random.Generator) -> list[Rows]:
    own, left = vectors[rows], np.ones(len(rows), dtype=bool)
    groups = []
    for at in range(len(rows)):
        if left[at]:
            near = own @ own[at] + random.normal(0.0, _NOISE, len(rows)).astype(np.float32)
            near[~left] = -np.inf
            near[at] = np.inf
            chosen = np.argsort(-near, kind="stable")[: min(alike, int(left.sum()))]
            left[chosen] = False
            groups.append(rows[chosen])
    return groups


def asked_words(products: Sequence[Product], terms: TermIndex, train: TrainParams) -> list[str]:
    """Every word of the titles and of all that training will ask, sorted."""
    said = TrainingTexts(products, terms, train)
    texts = [product.title for product in products]
    texts += [text for number in range(train.rounds) for row in said.of_round(number) for text in row.asked]
    return sorted({word for text in texts for word in words_of(text)})


_AMONG = 2048
_NOISE = 0.05  # of a cosine
_STREAM = 11  # keeps these draws apart from others made with the same seed and epoch
