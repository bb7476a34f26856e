"""Sections `model`, `export` and `embed` of params.yaml (`train` is in models/training/params.py)."""

from typing import Annotated, Any, Literal, Self

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
TextKind = Literal[
    "use3", "clip", "siglip", "chinese_clip", "bert", "bag_of_words", "word_vectors", "text_cnn", "bilstm", "gru"
]
ImageKind = Literal[
    "lite0",
    "clip",
    "siglip",
    "chinese_clip",
    "vit",
    "vgg11_bn",
    "vgg16",
    "resnet18",
    "resnet50",
    "densenet121",
    "inception_v3",
    "efficientnet_b0",
    "convnext_tiny",
    "vit_b_16",
]
WordReader = Literal["bag_of_words", "text_cnn", "bilstm", "gru"]
FusionName = Literal["mean", "sum", "learned", "gated", "concat", "product", "attention"]
SpaceName = Literal["shared", "independent"]
HeadName = Literal["linear", "residual"]
TextMode = Literal["frozen", "lora", "finetuned"]
ImageMode = Literal["frozen", "tail", "lora", "finetuned"]
ImagePooling = Literal["mean", "pyramid"]
WordWeights = Literal["idf", "sif"]

KEEPS_PARTS: frozenset[FusionName] = frozenset({"mean", "sum", "learned", "gated"})  # they weigh whole modalities
NOTHING_TO_LEARN: frozenset[FusionName] = frozenset({"mean", "sum"})


class ModelParams(Section):
    """What the dual encoder is made of. See models/presets.py for what a preset chooses."""

    preset: PresetName = "packaged"
    text_tower: TextKind | None = None  # instead of the preset's
    image_tower: ImageKind | None = None  # instead of the preset's
    words_beside: WordReader | Literal["auto", "none"] = (
        "none"  # learns beside a frozen text tower; auto: see presets.py
    )
    backbone_path: str | None = None  # hub id or local folder; both towers of a joint preset
    text_backbone: str | None = None  # hub id or folder of the text tower alone; "packaged"; a file of word vectors
    image_backbone: str | None = None  # the same of the image tower; torchvision: a weights file, default or random
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
    image_size: int | None = Field(default=None, ge=32)  # pixels of a side: packaged 224, torchvision as it was trained
    image_pooling: ImagePooling = "mean"  # pyramid: for towers that make a map of features
    image_pyramid: tuple[Annotated[int, Field(ge=1, le=8)], ...] = (1, 2)  # parts of a side at each level
    tail_layers: int = Field(default=2, ge=0)  # hub transformers: layers in the trainable tail
    max_tokens: int = Field(default=128, ge=8)  # longer texts are cut
    text_width: int = Field(default=256, ge=8)  # towers over words: numbers of a word and of a recurrent state
    text_words: int = Field(default=30_000, ge=1)  # towers over words: the commonest that have a number of their own
    word_weights: WordWeights = "idf"  # bag of words, word vectors
    lora_rank: int = Field(default=8, ge=1)
    lora_alpha: int = Field(default=16, ge=1)  # what the adapters add is scaled by alpha / rank

    @model_validator(mode="before")
    @classmethod
    def _learns_from_nothing(cls, values: Any) -> Any:
        """A backbone without pretrained weights is `finetuned` unless something else is said, and then refused."""
        if isinstance(values, dict):
            implied = {}
            if values.get("text_tower") in ("text_cnn", "bilstm", "gru"):
                implied["text"] = "finetuned"
            if values.get("image_backbone") == "random":
                implied["image"] = "finetuned"
            return {**implied, **values}
        return values

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
