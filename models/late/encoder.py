"""The query side of late interaction, served: ONNX Runtime, numpy and PIL; no torch.

    late = LateEncoder.load(folder, encoder)
    late.words(("red", "dress")) -> float32 [T, W]      late.photo(data) -> float32 [J, W]

words.onnx     text vectors [T, D] of the release's encoder -> tokens, as long as the word matters
picture.onnx   what its image tower saw (models.encoder.Look) -> J unit tokens: the places of the picture, one for all
late.json      the encoder that they were trained on

A word goes through the encoder alone, never beside others, so its token does not depend on its neighbours; the words
of titles and terms were encoded when the release was made. Legend: T words, J tokens of a picture, W width.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import EncoderMismatch, NotReady
from models.encoder import EncoderLike, Look, SeeingEncoder, open_session
from models.encoder_folder import PLACES, POOLED

FORMAT = 2
ABOUT = "late.json"
WORDS_GRAPH = "words.onnx"
PICTURE_GRAPH = "picture.onnx"

Floats = NDArray[np.float32]
_REMEMBERED = 16_384  # words that no title has


class LateEncoder:
    """Token heads, opened, beside the encoder that they were trained on. Threads may share it."""

    def __init__(self, folder: Path, about: dict[str, Any], encoder: SeeingEncoder) -> None:
        self.encoder: str = about["encoder"]
        self.width: int = about["width"]
        self._seeing = encoder
        self._words = open_session(folder / WORDS_GRAPH, 1)
        self._picture = open_session(folder / PICTURE_GRAPH, 1)
        self._word = lru_cache(maxsize=_REMEMBERED)(self._one)

    @classmethod
    def load(cls, folder: Path, encoder: EncoderLike) -> "LateEncoder":
        """Open the heads in `folder`. Raises NotReady, EncoderMismatch when they were trained on another encoder."""
        about = read_about(folder)
        if about["encoder"] != encoder.fingerprint:
            raise EncoderMismatch(
                f"The token heads in {folder} were trained on encoder {about['encoder']}, not on {encoder.fingerprint}."
            )
        if not isinstance(encoder, SeeingEncoder):
            raise NotReady(f"Encoder {encoder.name} does not tell late interaction what is where in a picture.")
        return cls(folder, about, encoder)

    def words(self, words: Sequence[str]) -> Floats:
        """Tokens [T, W]."""
        rows = [self._word(word) for word in words]
        return np.stack(rows) if rows else np.zeros((0, self.width), dtype=np.float32)

    def photo(self, data: bytes) -> Floats:
        """Tokens [J, W] of a picture file. Raises InvalidMedia or MediaTooLarge as catalog.media does."""
        return self.look(data)[1]

    def look(self, data: bytes) -> tuple[Floats, Floats]:
        """The encoder's vector [D] of a picture file, and its tokens [J, W]: one pass through the image tower."""
        look = self._seeing.look(data)
        return look.vector, self.tokens([look])[0]

    def tokens(self, looks: Sequence[Look]) -> Floats:
        """Tokens [B, J, W] of what the image tower saw of B pictures."""
        seen = {PLACES: np.stack([look.places for look in looks]), POOLED: np.stack([look.pooled for look in looks])}
        found: Floats = self._picture.run(None, seen)[0]
        return found

    def _one(self, word: str) -> Floats:
        tokens: Floats = self._words.run(None, {"texts": self._seeing.encode_text([word])})[0][0]
        return tokens


def read_about(folder: Path) -> dict[str, Any]:
    """late.json of a folder that holds heads. Raises NotReady when it does not, or is of another format."""
    try:
        about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotReady(f"{folder} holds no token heads: run the late stage.") from None
    if about["format"] != FORMAT:
        raise NotReady(f"{folder} has format {about['format']}, this version reads {FORMAT}.")
    return about
