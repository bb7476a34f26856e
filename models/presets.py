"""Presets: which text tower goes with which image tower, and where their pretrained weights come from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from catalog.errors import InvalidParams
from models.params import ModelParams, PresetName

TextKind = Literal["use3", "clip", "siglip", "chinese_clip", "bert"]
ImageKind = Literal[
    "lite0", "clip", "siglip", "chinese_clip", "vit", "resnet50", "efficientnet_b0", "convnext_tiny", "vit_b_16"
]

PACKAGED = "packaged"  # as a backbone: the one that installed packages ship
MULTILINGUAL = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"


@dataclass(frozen=True)
class Preset:
    """Kinds of the two towers and their backbones: hub ids, local folders or files, None for packaged weights.

    `shared_space`: the pretrained towers agree already, so text finds pictures before any training.
    """

    text: TextKind
    text_backbone: str | None
    image: ImageKind
    image_backbone: str | None
    shared_space: bool = False


def sources_of(params: ModelParams) -> Preset:
    """The preset that `params` names, with its own backbones put in.

    Raises InvalidParams when a backbone is given to a preset that has no use for it.
    """
    preset = PRESETS[params.preset]
    if params.backbone_path is not None:
        if preset.text != preset.image:
            raise InvalidParams(
                f"model.backbone_path is for presets whose towers come from one model; {params.preset} takes "
                "model.text_backbone and model.image_backbone."
            )
        preset = replace(preset, text_backbone=params.backbone_path, image_backbone=params.backbone_path)
    for name, given in (("text", params.text_backbone), ("image", params.image_backbone)):
        if given is None:
            continue
        if preset.shared_space or params.preset == PACKAGED:
            raise InvalidParams(f"model.{name}_backbone does nothing with preset {params.preset}.")
        preset = replace(preset, text_backbone=given) if name == "text" else replace(preset, image_backbone=given)
    if preset.text_backbone == PACKAGED:
        preset = replace(preset, text="use3", text_backbone=None)
    if preset.image_backbone == PACKAGED:
        preset = replace(preset, image="lite0", image_backbone=None)
    return preset


def _joint(kind: Literal["clip", "siglip", "chinese_clip"], backbone: str) -> Preset:
    return Preset(text=kind, text_backbone=backbone, image=kind, image_backbone=backbone, shared_space=True)


def _torchvision(kind: Literal["resnet50", "efficientnet_b0", "convnext_tiny", "vit_b_16"]) -> Preset:
    return Preset(text="bert", text_backbone=MULTILINGUAL, image=kind, image_backbone="default")


PRESETS: Mapping[PresetName, Preset] = {
    "packaged": Preset(text="use3", text_backbone=None, image="lite0", image_backbone=None),
    "clip": _joint("clip", "openai/clip-vit-base-patch32"),
    "siglip2": _joint("siglip", "google/siglip2-base-patch16-224"),
    "chinese_clip": _joint("chinese_clip", "OFA-Sys/chinese-clip-vit-base-patch16"),
    "vit_bert": Preset(
        text="bert",
        text_backbone="google-bert/bert-base-multilingual-cased",
        image="vit",
        image_backbone="google/vit-base-patch16-224-in21k",
    ),
    "resnet50": _torchvision("resnet50"),
    "efficientnet_b0": _torchvision("efficientnet_b0"),
    "convnext_tiny": _torchvision("convnext_tiny"),
    "vit_b_16": _torchvision("vit_b_16"),
}
