"""A pretrained text tower that rests, and beside it a tower over whole words that learns: `model.words_beside`.

The pretrained one knows what words mean that the catalogue never uses; the other learns what this catalogue's own
words, its brands and names, look like. Their outputs side by side go into one head (wide and deep: Cheng et al. 2016).
A word that the training texts do not hold, or once only, says nothing on the learned side: the other one knows better.

Legend: B texts, L tokens, R numbers of the resting side, W numbers of both.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from models.heads import PassingHead, ProjectionHead
from models.params import ModelParams, TextMode
from models.towers.tower import Description, TextTower
from models.towers.word_text import WordTower


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
        return torch.cat([self.rests.pooled(tokens), self.words.pooled(tokens)], dim=-1)

    def completed(self, rested: Tensor, texts: Sequence[str]) -> Tensor:
        """See TextTower."""
        ids = torch.from_numpy(self.words.tokens(texts)["word_ids"]).to(rested.device)
        return torch.cat([rested, self.words.pooled({"word_ids": ids})], dim=-1)

    def fit(self, texts: Iterable[str]) -> None:
        """See TextTower."""
        self.words.fit(texts)
        self._join()
        self.set_trainable(self.mode)

    @classmethod
    def build_beside(cls, rests: TextTower, params: ModelParams) -> "WordsBeside":
        """Words that know nothing yet, beside a pretrained tower."""
        assert params.words_beside is not None
        own = _learning(params)
        return cls(rests, WordTower(params.words_beside, own.text_width, None, own, spells=False), params)

    @classmethod
    def restore_beside(
        cls, rests: TextTower, description: Description, folder: Path, params: ModelParams
    ) -> "WordsBeside":
        """The words in `folder`, beside a restored tower."""
        words = {"kind": params.words_beside, **description["words"]}
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
