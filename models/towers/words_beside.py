"""A pretrained text tower that rests, and beside it a tower over whole words that learns: `model.words_beside`.

The pretrained one knows what words mean that the catalogue never uses; the other learns what this catalogue's own
words, its brands and names, look like. Their outputs side by side go into one head (wide and deep: Cheng et al. 2016).
A word that the training texts do not hold is passed over on the learned side, and of a text without any word they hold
that side says what is the mean of all texts: the other one knows better.

Legend: B texts, L tokens, R numbers of the resting side, W numbers of both.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from models.heads import PassingHead, ProjectionHead
from models.params import ModelParams, TextMode, WordReader
from models.towers.tower import Description, TextTower
from models.towers.word_text import WordTower
from models.words import FIRST


class WordsBeside(TextTower):
    """`rests`, `words`, and one head over both."""

    def __init__(self, rests: TextTower, words: WordTower, params: ModelParams) -> None:
        super().__init__()
        self.rests, self.words = rests, words
        self.head = ProjectionHead(rests.width + words.width, params.dim, params.head, params.dropout)
        rests.head, words.head = PassingHead(rests.width), PassingHead(words.width)
        self._join()
        self.set_trainable(params.text)

    def _join(self) -> None:
        self.tokens = self.rests.tokens.beside(self.words.tokens)

    @property
    def resting(self) -> TextTower:
        """See TextTower."""
        return self.rests

    @property
    def learns_from_nothing(self) -> bool:
        """See Tower."""
        return True

    def train(self, mode: bool = True) -> Self:
        """See Tower."""
        super().train(mode)
        self.rests.eval()
        return self

    def set_trainable(self, mode: TextMode) -> None:
        """See TextTower: the words learn, and what rests does not."""
        self.mode = mode
        self._let_learn([self.words])

    def backbone(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """See TextTower. The words keep a graph."""
        return self.pooled(tokens)

    def pooled(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """See TextTower."""
        own = {name: tokens[name] for name in self.rests.tokens.spec.inputs}
        return torch.cat([self.rests.pooled(own), self._learned(tokens)], dim=-1)

    def completed(self, rested: Tensor, texts: Sequence[str]) -> Tensor:
        """See TextTower."""
        return torch.cat([rested, self._learned(self.words.tokenize(texts))], dim=-1)

    def _learned(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """[B, W - R]: what the words say, or the head's centre where none is known."""
        known = (tokens["word_ids"] >= FIRST).any(dim=1, keepdim=True)
        return torch.where(known, self.words.pooled(tokens), self.head.center[self.rests.width :])

    def fit(self, texts: Iterable[str]) -> None:
        """See TextTower."""
        self.words.fit(texts)
        self._join()
        self.set_trainable(self.mode)

    @classmethod
    def build_beside(cls, rests: TextTower, reader: WordReader, params: ModelParams) -> "WordsBeside":
        """Words that know nothing yet, beside a pretrained tower."""
        own = _learning(params)
        return cls(rests, WordTower(reader, own.text_width, None, own, spells=False), params)

    @classmethod
    def restore_beside(
        cls, rests: TextTower, reader: WordReader, description: Description, folder: Path, params: ModelParams
    ) -> "WordsBeside":
        """The words in `folder`, beside a restored tower."""
        words = {"kind": reader, **description["words"]}
        return cls(rests, WordTower.restore(words, folder, _learning(params)), params)

    def describe(self) -> Description:
        """See Tower."""
        return {"resting": self.rests.describe(), "words": self.words.describe()}

    def write_files(self, folder: Path) -> None:
        """See Tower."""
        self.rests.write_files(folder)
        self.words.write_files(folder)

    def referenced(self) -> frozenset[str]:
        """See Tower."""
        return frozenset(f"rests.{name}" for name in self.rests.referenced())


def _learning(params: ModelParams) -> ModelParams:
    return params.model_copy(update={"text": "finetuned"})
