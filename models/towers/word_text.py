"""Text towers that read whole words: a table of word vectors, a reader over them, and a head.

The words are those of the training texts (`fit`), so these towers speak the shop's languages and no other. The table
starts from a file of word vectors (`text_backbone`), or from random numbers. Nothing is pretrained but what such a
file holds, so all of it learns at the full rate; only bag of words and word vectors can do without (text: frozen).

Legend: B texts, L words, E numbers of a word, V words, W width.
"""

import math
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from catalog.digests import digest_of
from models.heads import ProjectionHead
from models.params import ModelParams
from models.text_tokens import TextTokens, TokenizerSpec
from models.towers.bag_of_words import WeightedSum, word_weights
from models.towers.cnn_text import Convolutions
from models.towers.reader import Reader
from models.towers.recurrent_text import BiLstm, Gru
from models.towers.tower import Description, TextTower
from models.towers.vector_files import Floats, VectorFile
from models.words import PAD, Vocabulary

FILE = "words.json"


class WordTower(TextTower):
    """A table of word vectors, one of READERS, and a head."""

    weights: Tensor  # [V]: what each word counts for

    def __init__(
        self, kind: str, dim: int, vectors: VectorFile | None, params: ModelParams, *, spells: bool = True
    ) -> None:
        """`dim` is E; `vectors` is where the table starts from. Before `fit` it can only spell, if it `spells`."""
        super().__init__()
        self.params, self.dim, self.vectors, self.spells = params, dim, vectors, spells
        self.reader = READERS[kind](dim, params)
        self.head = ProjectionHead(self.reader.width, params.dim, params.head, params.dropout)
        self.mode = params.text
        self._take(Vocabulary({}, 0))

    @property
    def learns_from_nothing(self) -> bool:
        """See Tower."""
        return self.mode == "finetuned"

    def pooled(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """See TextTower."""
        ids = tokens["word_ids"]
        present = (ids != PAD).to(self.weights.dtype)  # [B, L]
        read: Tensor = self.reader(self.table(ids) * present.unsqueeze(-1), present, self.weights[ids])
        return read

    def fit(self, texts: Iterable[str]) -> None:
        """See TextTower."""
        counted = Vocabulary.of(texts)
        starts = self.vectors.read(counted.counts, self.params.text_words) if self.vectors else {}
        self._take(counted.known(self.params.text_words, besides=starts), starts)

    def fit_like(self, other: TextTower) -> None:
        """See TextTower."""
        assert isinstance(other, WordTower)
        words = other.vocabulary
        self._take(words, self.vectors.read(words.counts, 0) if self.vectors else {})

    def _take(self, words: Vocabulary, starts: Mapping[str, Floats] | None = None) -> None:
        """Give every word its row: from `starts`, or else at random."""
        self.vocabulary = words = words if self.spells else words.without_pieces()
        self.tokens = _tokens_of(words, self.params.max_tokens)
        self.table = nn.Embedding(len(words), self.dim, device=self.head.center.device)
        with torch.no_grad():
            self.table.weight.copy_(torch.from_numpy(table_from(words, starts, self.dim)) if starts else self._random())
        weights = word_weights(words, self.params.word_weights)
        self.register_buffer("weights", torch.from_numpy(weights).to(self.head.center.device), persistent=False)
        self.set_trainable(self.mode)

    def _random(self) -> Tensor:
        """[V, E]: signs (Achlioptas 2003), so that dot products are nearly those of the V counts themselves."""
        signs = torch.randint(0, 2, (len(self.vocabulary), self.dim), generator=torch.Generator().manual_seed(0))
        return (2 * signs - 1).float() / math.sqrt(self.dim)

    @classmethod
    def build(cls, kind: str, source: str | None, params: ModelParams) -> "WordTower":
        """Without words yet. Raises InvalidParams when `source` is no file of word vectors."""
        vectors = None if source is None else VectorFile.open(Path(source))
        return cls(kind, params.text_width if vectors is None else vectors.dim, vectors, params)

    @classmethod
    def restore(cls, description: Description, folder: Path, params: ModelParams) -> "WordTower":
        """With the words in `folder`."""
        words = Vocabulary.read(folder / FILE)
        tower = cls(description["kind"], description["word_width"], None, params, spells=words.pieces > 0)
        tower._take(words)
        return tower

    def describe(self) -> Description:
        """See Tower."""
        return {
            "tokenizer": self.tokens.spec.to_json(),
            "word_width": self.dim,
            "words": digest_of([list(self.vocabulary.counts.items()), self.params.word_weights]),
        }

    def write_files(self, folder: Path) -> None:
        """See Tower."""
        self.tokens.save(folder)


def table_from(words: Vocabulary, starts: Mapping[str, Floats], dim: int) -> Floats:
    """[V, E]: a word's own vector; a piece has the mean of the words that are spelled with it; a word without a
    vector the mean of its pieces. What is left is small and random.
    """
    table = np.zeros((len(words), dim), dtype=np.float32)
    shares = np.zeros(len(words), dtype=np.float32)
    size = float(np.mean([np.linalg.norm(vector) for vector in starts.values()]))
    for word, vector in starts.items():
        for piece in words.spelled(word):
            table[piece] += vector
            shares[piece] += 1
    table /= np.maximum(shares, 1)[:, None]
    for word, number in words.place.items():
        table[number] = starts[word] if word in starts else table[words.spelled(word)].mean(axis=0)
    bare = np.flatnonzero(~table.any(axis=1))
    table[bare] = np.random.default_rng(0).normal(0, 0.1 * size / dim**0.5, (len(bare), dim))
    return table


def _tokens_of(words: Vocabulary, max_tokens: int) -> TextTokens:
    spec = TokenizerSpec(kind="words", file=FILE, max_tokens=max_tokens, pad_id=PAD, inputs=("word_ids",))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / spec.file
        words.write(path)
        return TextTokens(spec, path)


READERS: Mapping[str, Callable[[int, ModelParams], Reader]] = {
    "bag_of_words": WeightedSum,
    "word_vectors": WeightedSum,
    "text_cnn": Convolutions,
    "bilstm": BiLstm,
    "gru": Gru,
}
