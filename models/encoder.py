"""The served encoder: ONNX Runtime, numpy and PIL; no torch, no transformers.

    encoder = Encoder.load()
    encoder.encode_text(["red dress"]) -> float32 [1, D], unit rows

It is the only thing that encodes in embedding, tuning, evaluation and the service, so they agree by construction.
Legend: B batch, D width of the space.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from catalog.errors import NotReady
from catalog.media import decode_image
from catalog.workspace import ENCODER
from models.decoding import decoding
from models.encoder_folder import (
    FUSION_GRAPH,
    IMAGE_GRAPH,
    MODALITIES,
    PLACES,
    POOLED,
    PRODUCT_TEXT,
    TEXT_GRAPH,
    VECTORS,
    EncoderConfig,
    Floats,
    fingerprint,
    read_config,
    read_probes,
)
from models.preprocess import WHOLE, Frame
from models.text_tokens import TokenizerSpec, load_tokens

LOWEST_PROBE = 0.9999  # a probe's cosine with its saved vector; other processors differ in the seventh digit
_TEXTS_AT_ONCE = 64
_IMAGES_AT_ONCE = 8

Mask = NDArray[np.bool_]


class EncoderLike(Protocol):
    """What the query path needs of an encoder."""

    @property
    def fingerprint(self) -> str:
        """Names the encoder by its content."""

    @property
    def dim(self) -> int:
        """D."""

    @property
    def modalities(self) -> tuple[str, ...]:
        """What it encodes."""

    @property
    def name(self) -> str:
        """For people."""

    def encode_text(self, texts: Sequence[str]) -> Floats:
        """B texts of queries -> unit rows [B, D]."""

    def encode_product_text(self, texts: Sequence[str]) -> Floats:
        """B texts of products -> unit rows [B, D]."""

    def encode_image(self, images: Sequence[bytes]) -> Floats:
        """B encoded pictures -> unit rows [B, D]."""

    def fuse_products(self, text: Floats | None, image: Floats | None, has_text: Mask, has_image: Mask) -> Floats:
        """Vectors of the modalities -> one vector a product [B, D]."""

    def check_probes(self) -> float:
        """Worst cosine over the saved probes. Raises NotReady when it is too low."""


@dataclass(frozen=True, slots=True)
class Look:
    """One picture through the image tower: its unit row [D] of the space, and what the trunk saw on the way: the map
    [C, h, w] of its places, and its pooled features [F].
    """

    vector: Floats
    places: Floats
    pooled: Floats


@runtime_checkable
class SeeingEncoder(EncoderLike, Protocol):
    """An encoder that can also tell what is where in a picture: late interaction asks it."""

    def look(self, image: bytes) -> Look:
        """The picture through the image tower, once for its vector and its places."""


@runtime_checkable
class OccludingEncoder(EncoderLike, Protocol):
    """An encoder that can also look at a picture of which a part is hidden: reasons ask it (search.reasons)."""

    def looks_without(self, image: bytes, hidden: Mask) -> Iterator[list[Look]]:
        """The picture once for each of `hidden` [M, R, C], True where one of its R x C cells is painted over."""

    def frame(self, image: bytes | None) -> Frame | None:
        """Which part of the picture those cells cover (models.preprocess.ImagePreprocess.frame).

        Of a picture that is not there (None): None, unless all pictures have the same.
        """


class Encoder:
    """An encoder folder, opened. Threads may share it."""

    modalities = MODALITIES

    def __init__(self, folder: Path, config: EncoderConfig, threads: int) -> None:
        self.folder = folder
        self.config = config
        self.name = config.name
        self.dim = config.dim
        self.fingerprint = fingerprint(folder)
        self._threads = threads
        self._text = _TextGraph(folder, config.tokenizer, threads)
        self._image = open_session(folder / IMAGE_GRAPH, threads)
        self._knows_places = PLACES in {output.name for output in self._image.get_outputs()}
        self._fusion = open_session(folder / FUSION_GRAPH, 1)

    @classmethod
    def load(cls, folder: Path = ENCODER, threads: int | None = None) -> "Encoder":
        """Open the encoder in `folder`, with `threads` for one call (as many as the process may use when None).

        Raises NotReady when the folder holds none.
        """
        return cls(folder, read_config(folder), threads or cores())

    @property
    def shared_space(self) -> bool:
        """Whether texts and pictures can be compared; a baseline of unrelated backbones says False."""
        return self.config.shared_space

    def encode_text(self, texts: Sequence[str]) -> Floats:
        """B texts of queries -> unit rows [B, D]. Texts of like length share a chunk, so little of it is padding."""
        return self._encode_text(self._text, texts)

    def encode_product_text(self, texts: Sequence[str]) -> Floats:
        """B texts of products -> unit rows [B, D]; as `encode_text`, unless queries have a tower of their own."""
        return self._encode_text(self._text if self.config.product_tokenizer is None else self._product_text, texts)

    @cached_property
    def _product_text(self) -> "_TextGraph":
        """Opened when it is needed: who only answers queries has no use for it."""
        assert self.config.product_tokenizer is not None
        return _TextGraph(self.folder / PRODUCT_TEXT, self.config.product_tokenizer, self._threads)

    def _encode_text(self, graph: "_TextGraph", texts: Sequence[str]) -> Floats:
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for rows in _chunks(texts):
            self._place("text", vectors, rows, graph.run([texts[row] for row in rows]))
        return vectors

    def text_key(self, texts: Sequence[str]) -> bytes:
        """32 bytes that name what the graph is given for `texts`, as token ids: where two keys are equal, `encode_text`
        computes the same bits, and spellings that the tokenizer does not tell apart share a key.
        """
        key = hashlib.blake2b(digest_size=32)
        for rows in _chunks(texts):
            key.update(np.array(rows, dtype=np.int64).tobytes())
            for name, ids in sorted(self._text.tokens([texts[row] for row in rows]).items()):
                key.update(f"{name}{ids.shape}".encode())
                key.update(ids.tobytes())
        return key.digest()

    def encode_image(self, images: Sequence[bytes]) -> Floats:
        """B pictures as files -> unit rows [B, D]. Raises InvalidMedia or MediaTooLarge as catalog.media does."""
        vectors = np.zeros((len(images), self.dim), dtype=np.float32)
        for start in range(0, len(images), _IMAGES_AT_ONCE):
            rows = list(range(start, min(start + _IMAGES_AT_ONCE, len(images))))
            self._place("image", vectors, rows, self._seen([images[row] for row in rows], [VECTORS])[0])
        return vectors

    def look(self, image: bytes) -> Look:
        """See SeeingEncoder; `vector` is what `encode_image` gives for the picture alone, to the last bit.

        Raises as `encode_image`, and NotReady when the image tower knows no places.
        """
        if not self._knows_places:
            raise NotReady(f"Encoder {self.name} does not tell where in a picture things are: export it again.")
        vectors, places, pooled = self._seen([image], [VECTORS, PLACES, POOLED])
        row = np.zeros((1, self.dim), dtype=np.float32)
        self._place("image", row, [0], vectors)
        return Look(row[0], places[0], pooled[0])

    def looks_without(self, image: bytes, hidden: Mask) -> Iterator[list[Look]]:
        """See OccludingEncoder: a few at a time, so that who is in a hurry can stop.

        What is hidden gets the picture's mean colour. An image tower that knows no places leaves `places` and `pooled`
        empty.

        Raises as `encode_image`.
        """
        with decoding():
            pixels = self.config.preprocess.prepare(decode_image(image))  # [3, S, S]
        mean, (rows, columns) = pixels.mean(axis=(1, 2), keepdims=True), hidden.shape[1:]
        cells = np.arange(pixels.shape[1])
        down, across = cells * rows // len(cells), cells * columns // len(cells)
        outputs = [VECTORS, PLACES, POOLED] if self._knows_places else [VECTORS]
        for start in range(0, len(hidden), _IMAGES_AT_ONCE):
            covered = hidden[start : start + _IMAGES_AT_ONCE][:, down][:, :, across]  # [B, S, S]
            batch = np.where(covered[:, None], mean, pixels).astype(np.float32)
            vectors, *seen = self._image.run(outputs, {"pixels": batch})
            whole = np.zeros((len(batch), self.dim), dtype=np.float32)
            self._place("image", whole, list(range(len(batch))), vectors)
            nothing = np.zeros((len(batch), 0), dtype=np.float32)
            places, pooled = seen or (nothing, nothing)
            yield [Look(*parts) for parts in zip(whole, places, pooled, strict=True)]

    def frame(self, image: bytes | None) -> Frame | None:
        """See OccludingEncoder."""
        how = self.config.preprocess
        if image is None:
            return WHOLE if how.fit == "squeeze" else None
        return how.frame(*decode_image(image).size)

    def fuse_products(self, text: Floats | None, image: Floats | None, has_text: Mask, has_image: Mask) -> Floats:
        """Unit rows [B, D] of each modality (None: nobody has it) and who has it [B] -> products [B, D].

        Who lacks a modality is treated as models.fusion.fusion.Fusion says.
        """
        count = len(has_text)
        nothing = np.zeros((count, self.dim), dtype=np.float32)
        vectors = np.stack([nothing if text is None else text, nothing if image is None else image], axis=1)
        present = np.stack([has_text & (text is not None), has_image & (image is not None)], axis=1)
        if not count:
            return nothing
        inputs = {"vectors": vectors.astype(np.float32), "present": present.astype(np.float32)}
        fused: Floats = self._fusion.run(None, inputs)[0]
        return fused

    def check_probes(self) -> float:
        """Encode the saved probes again; return the worst cosine with their saved vectors.

        Raises NotReady when it is below LOWEST_PROBE: this machine does not give the vectors the index was built with.
        """
        probes = read_probes(self.folder)
        text = self.encode_text(probes.texts)
        image = np.zeros((len(probes.images), self.dim), dtype=np.float32)
        for row, picture in enumerate(probes.images):  # not all at once: a session keeps the memory of its largest call
            image[row] = self.encode_image([picture])[0]
        worst = 1.0
        for now, saved in ((text, probes.text), (image, probes.image), (self._fused(text, image), probes.fused)):
            worst = min(worst, float(np.sum(now * saved, axis=1).min(initial=1.0)))
        if not worst >= LOWEST_PROBE:  # also when it is not a number
            raise NotReady(
                f"The encoder gives a probe a cosine of {worst:.6f} with its saved vector: not the same model."
            )
        return worst

    def _fused(self, text: Floats, image: Floats) -> Floats:
        pairs = min(len(text), len(image))
        there = np.ones(pairs, dtype=bool)
        return self.fuse_products(text[:pairs], image[:pairs], there, there)

    def _seen(self, images: Sequence[bytes], outputs: Sequence[str]) -> list[Floats]:
        """What the image graph tells of B picture files, by `outputs`."""
        with decoding():
            pixels = self.config.preprocess.prepare_batch([decode_image(image) for image in images])
        found: list[Floats] = self._image.run(list(outputs), {"pixels": pixels})
        return found

    def _place(self, modality: str, vectors: Floats, rows: list[int], encoded: Floats) -> None:
        first, last = self.config.spaces[modality]
        vectors[rows, first:last] = encoded


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chunks(texts: Sequence[str]) -> Iterator[list[int]]:
    """Which texts are encoded together: those of like length."""
    order = sorted(range(len(texts)), key=lambda number: (len(texts[number]), number))
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        yield order[start : start + _TEXTS_AT_ONCE]


class _TextGraph:
    """The tokenizer in a folder and the graph beside it."""

    def __init__(self, folder: Path, tokenizer: TokenizerSpec, threads: int) -> None:
        self.tokens = load_tokens(folder, tokenizer)
        self._graph = open_session(folder / TEXT_GRAPH, threads)

    def run(self, texts: Sequence[str]) -> Floats:
        """B texts -> what the graph gives."""
        vectors: Floats = self._graph.run(None, self.tokens(texts))[0]
        return vectors


def open_session(graph: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave the cores alone
    options.log_severity_level = 3
    if not graph.is_file():
        raise NotReady(f"{graph} is missing: run the export stage again.")
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
