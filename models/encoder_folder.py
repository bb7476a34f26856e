"""What lies in the folder of a served encoder, and how it is read back.

text.onnx  image.onnx  fusion.onnx   the graphs; image.onnx also tells places, where its tower knows them
encoder.json                         spaces, tokenizer, preprocessing
tokenizer.json or sp.model           the tokenizer's file; words.json is that of towers over words
product_text/                        text.onnx and tokenizer of products' words, where queries have a tower of their own
probes/                              texts and pictures with the vectors they must give
baseline/                            another such folder: the frozen backbones, for comparison
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import read_array
from catalog.errors import NotReady
from models.preprocess import ImagePreprocess
from models.text_tokens import TokenizerSpec

FORMAT = 1
CONFIG = "encoder.json"
TEXT_GRAPH = "text.onnx"
IMAGE_GRAPH = "image.onnx"
FUSION_GRAPH = "fusion.onnx"
PROBES = "probes"
PRODUCT_TEXT = "product_text"
BASELINE = "baseline"
MODALITIES = ("text", "image")
VECTORS, PLACES, POOLED = "vectors", "places", "pooled"
"""Outputs of the graphs; the last two of image.onnx alone, see models.encoder.Look."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class EncoderConfig:
    """encoder.json. `spaces` gives each modality's first and last + 1 dimension inside the `dim` of a vector.

    Where towers share a space both are (0, dim). With model.space: independent words fill all of it and pictures
    their part. Where towers know nothing of each other (a baseline of two unrelated backbones), each has its own part
    and zeros elsewhere, so vectors of different modalities have a cosine of 0.
    `product_tokenizer` is there where products' words have another tower than queries.
    """

    name: str
    dim: int
    spaces: Mapping[str, tuple[int, int]]
    tokenizer: TokenizerSpec
    preprocess: ImagePreprocess
    product_tokenizer: TokenizerSpec | None = None

    @property
    def shared_space(self) -> bool:
        """Whether text finds pictures: there are dimensions that all modalities fill."""
        return max(first for first, _ in self.spaces.values()) < min(last for _, last in self.spaces.values())

    def write(self, folder: Path) -> None:
        """Write encoder.json."""
        document = {
            "format": FORMAT,
            "name": self.name,
            "dim": self.dim,
            "shared_space": self.shared_space,
            "spaces": {modality: list(span) for modality, span in self.spaces.items()},
            "tokenizer": self.tokenizer.to_json(),
            "preprocess": self.preprocess.to_json(),
        }
        if self.product_tokenizer is not None:
            document["product_tokenizer"] = self.product_tokenizer.to_json()
        (folder / CONFIG).write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_config(folder: Path) -> EncoderConfig:
    """Read encoder.json. Raises NotReady when there is none or it is of another format."""
    try:
        document: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotReady(f"{folder} holds no encoder: run the export stage first.") from None
    if document["format"] != FORMAT:
        raise NotReady(f"{folder} has format {document['format']}, this version reads {FORMAT}.")
    product_tokenizer = document.get("product_tokenizer")
    return EncoderConfig(
        name=document["name"],
        dim=document["dim"],
        spaces={modality: (span[0], span[1]) for modality, span in document["spaces"].items()},
        tokenizer=TokenizerSpec.from_json(document["tokenizer"]),
        preprocess=ImagePreprocess.from_json(document["preprocess"]),
        product_tokenizer=TokenizerSpec.from_json(product_tokenizer) if product_tokenizer is not None else None,
    )


@dataclass(frozen=True)
class Probes:
    """Texts and pictures, and the vectors [n, D] that this encoder gave them when it was exported.

    `fused` is text i with picture i, for as many as there are pairs.
    """

    texts: Sequence[str]
    images: Sequence[bytes]
    text: Floats
    image: Floats
    fused: Floats

    def write(self, folder: Path) -> None:
        """Write probes/ into `folder`."""
        target = folder / PROBES
        target.mkdir(exist_ok=True)
        names = [f"picture-{number:02d}" for number in range(len(self.images))]
        for name, data in zip(names, self.images, strict=True):
            (target / name).write_bytes(data)
        listing = {"texts": list(self.texts), "images": names}
        text = json.dumps(listing, indent=2, ensure_ascii=False) + "\n"
        (target / "probes.json").write_text(text, encoding="utf-8")
        for name, vectors in (("text", self.text), ("image", self.image), ("fused", self.fused)):
            np.save(target / f"{name}.npy", vectors)


def read_probes(folder: Path) -> Probes:
    """Read probes/. Raises NotReady when they are missing."""
    source = folder / PROBES
    try:
        listing = json.loads((source / "probes.json").read_text(encoding="utf-8"))
        return Probes(
            texts=listing["texts"],
            images=[(source / name).read_bytes() for name in listing["images"]],
            **{name: read_array(source / f"{name}.npy") for name in ("text", "image", "fused")},
        )
    except FileNotFoundError as error:
        raise NotReady(f"{folder} lacks its probes ({error.filename}): run the export stage again.") from None


def fingerprint(folder: Path) -> str:
    """First 16 hex digits of sha256 over the sorted (path, content) of the folder, but baseline/."""
    whole = hashlib.sha256()
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for name in names:
        if name.split("/")[0] != BASELINE:
            with (folder / name).open("rb") as stream:
                whole.update(f"{name}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()[:16]
