"""Sections `model`, `export` and `embed` of params.yaml (`train` is in models/training/params.py)."""

from typing import Literal

from pydantic import Field

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
HeadName = Literal["linear", "residual"]
TextMode = Literal["frozen", "finetuned"]
ImageMode = Literal["frozen", "tail", "finetuned"]


class ModelParams(Section):
    """What the dual encoder is made of. See models/presets.py for what a preset chooses."""

    preset: PresetName = "packaged"
    backbone_path: str | None = None  # hub id or local folder; both towers of a joint preset
    text_backbone: str | None = None  # hub id or local folder of the text tower alone; "packaged" = no hub needed
    image_backbone: str | None = None  # the same for the image tower; a torchvision preset takes a weights file
    dim: int = Field(default=256, ge=2)  # D, width of the shared space
    fusion: FusionName = "gated"
    head: HeadName = "residual"
    dropout: float = Field(default=0.2, ge=0.0, lt=1.0)  # before the heads
    text: TextMode = "frozen"
    image: ImageMode = "tail"
    image_cut: int = Field(default=14, ge=0, le=15)  # packaged: last block of the trunk
    image_levels: tuple[int, ...] = (-1, 0, 2, 4, 7, 10)  # packaged: blocks (-1: the stem) pooled beside the last
    image_size: int = Field(default=224, ge=32)  # packaged: side of the picture in pixels
    tail_layers: int = Field(default=2, ge=0)  # hub transformers: layers in the trainable tail
    max_tokens: int = Field(default=128, ge=8)  # longer texts are cut


class ExportParams(Section):
    """How the served encoder is written."""

    probes: int = Field(default=16, ge=1)  # texts, and as many pictures, kept with their vectors


class EmbedParams(Section):
    """How the products are encoded."""

    batch_size: int = Field(default=256, ge=1)  # products encoded, and kept against a kill, together
    pictures: int = Field(default=4, ge=1)  # first pictures of a product that are averaged
