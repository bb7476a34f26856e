"""Sections `model`, `export` and `embed` of params.yaml (`train` is in models/training/params.py)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from catalog.errors import InvalidParams
from catalog.params import Section

PresetName = Literal[
    "packaged",
    "clip",
    "siglip2",
    "chinese_clip",
    "vit_bert",
    "resnet50",
    "efficientnet_b0",
    "convnext_tiny",
    "vit_b_16",
]
FusionName = Literal["mean", "sum", "learned", "gated", "concat", "product", "attention"]
SpaceName = Literal["shared", "independent"]
HeadName = Literal["linear", "residual"]
TextMode = Literal["frozen", "finetuned"]
ImageMode = Literal["frozen", "tail", "finetuned"]

KEEPS_PARTS: frozenset[FusionName] = frozenset({"mean", "sum", "learned", "gated"})  # they weigh whole modalities
NOTHING_TO_LEARN: frozenset[FusionName] = frozenset({"mean", "sum"})


class ModelParams(Section):
    """What the dual encoder is made of. See models/presets.py for what a preset chooses."""

    preset: PresetName = "packaged"
    backbone_path: str | None = None  # hub id or local folder; both towers of a joint preset
    text_backbone: str | None = None  # hub id or local folder of the text tower alone; "packaged" = no hub needed
    image_backbone: str | None = None  # the same for the image tower; a torchvision preset takes a weights file
    dim: int = Field(default=256, ge=2)  # D, width of the shared space
    fusion: FusionName = "gated"
    space: SpaceName = "shared"  # independent: each modality has a part of the D dimensions for itself
    matryoshka: tuple[int, ...] = ()  # prefixes that are trained to be vectors too, ascending, dim the last; () = none
    head: HeadName = "residual"
    dropout: float = Field(default=0.2, ge=0.0, lt=1.0)  # before the heads
    text: TextMode = "frozen"
    image: ImageMode = "tail"
    image_cut: int = Field(default=14, ge=0, le=15)  # packaged: last block of the trunk
    image_levels: tuple[int, ...] = (-1, 0, 2, 4, 7, 10)  # packaged: blocks (-1: the stem) pooled beside the last
    image_size: int = Field(default=224, ge=32)  # packaged: side of the picture in pixels
    tail_layers: int = Field(default=2, ge=0)  # hub transformers: layers in the trainable tail
    max_tokens: int = Field(default=128, ge=8)  # longer texts are cut

    @model_validator(mode="after")
    def _parts_can_be_had(self) -> Self:
        if self.space == "independent":
            if self.fusion not in KEEPS_PARTS:
                kept = ", ".join(sorted(KEEPS_PARTS))
                raise ValueError(f"fusion {self.fusion} mixes the parts that space: independent keeps: use {kept}")
            if self.dim % 2:
                raise ValueError(f"space: independent halves the dimensions, and dim is {self.dim}")
        return self

    @model_validator(mode="after")
    def _prefixes_can_be_had(self) -> Self:
        widths = self.matryoshka
        if widths and (widths[0] < 2 or list(widths) != sorted(set(widths)) or widths[-1] != self.dim):
            raise ValueError(f"matryoshka must ascend from 2 or more to dim, which is {self.dim}")
        if widths and self.space == "independent":
            raise ValueError("matryoshka needs space: shared, where a prefix holds a share of every modality")
        return self


class ExportParams(Section):
    """How the served encoder is written."""

    probes: int = Field(default=16, ge=1)  # texts, and as many pictures, kept with their vectors
    dim: int | None = Field(default=None, ge=2)  # one of model.matryoshka: shorter vectors; null = model.dim


class EmbedParams(Section):
    """How the products are encoded."""

    batch_size: int = Field(default=256, ge=1)  # products encoded, and kept against a kill, together
    pictures: int = Field(default=4, ge=1)  # first pictures of a product that are averaged


def served_width(model: ModelParams, dim: int | None) -> int:
    """D of the served vectors for `export.dim`. Raises InvalidParams when the model is not trained to be cut there."""
    trained = model.matryoshka or (model.dim,)
    if dim is not None and dim not in trained:
        widths = ", ".join(map(str, trained))
        raise InvalidParams(f"export.dim is {dim}, and the model can be cut to {widths} (model.matryoshka).")
    return dim or model.dim
