"""Presets: which text tower goes with which image tower, and where their pretrained weights come from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from catalog.errors import InvalidParams
from models.combinations import TORCHVISION, WORDS, check, share_a_space
from models.params import ImageKind, ModelParams, PresetName, TextKind, WordReader

PACKAGED = "packaged"  # as a backbone: the one that installed packages ship
MULTILINGUAL = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"


@dataclass(frozen=True)
class Preset:
    """Kinds of the two towers and their backbones: hub ids, local folders or files, None for packaged weights."""

    text: TextKind
    text_backbone: str | None
    image: ImageKind
    image_backbone: str | None
    words_beside: WordReader | None = None  # what learns beside the text tower

    @property
    def shared_space(self) -> bool:
        """Whether the pretrained towers agree already, so text finds pictures before any training."""
        return share_a_space(self.text, self.text_backbone, self.image, self.image_backbone)


def sources_of(params: ModelParams) -> Preset:
    """The preset that `params` names, with its own towers and backbones put in.

    Raises InvalidParams when a backbone is given to a tower that has no use for it, and for settings that cannot work
    together.
    """
    preset = PRESETS[params.preset]
    if params.text_tower is not None:
        preset = replace(preset, text=params.text_tower, text_backbone=_backbone(params.text_tower))
    if params.image_tower is not None:
        preset = replace(preset, image=params.image_tower, image_backbone=_backbone(params.image_tower))
    if params.backbone_path is not None:
        if preset.text != preset.image:
            raise InvalidParams(
                f"model.backbone_path is for presets whose towers come from one model; {_towers(params)} takes "
                "model.text_backbone and model.image_backbone."
            )
        preset = replace(preset, text_backbone=params.backbone_path, image_backbone=params.backbone_path)
    for name, given, kind in (
        ("text", params.text_backbone, preset.text),
        ("image", params.image_backbone, preset.image),
    ):
        if given is None:
            continue
        if kind in ("use3", "lite0", "bag_of_words") or preset.shared_space:
            raise InvalidParams(f"model.{name}_backbone does nothing with {_towers(params)}.")
        preset = replace(preset, text_backbone=given) if name == "text" else replace(preset, image_backbone=given)
    if preset.text_backbone == PACKAGED:
        preset = replace(preset, text="use3", text_backbone=None)
    if preset.image_backbone == PACKAGED:
        preset = replace(preset, image="lite0", image_backbone=None)
    check(params, preset.text, preset.text_backbone, preset.image, preset.image_backbone)
    return replace(preset, words_beside=_words_beside(params, preset))


def _words_beside(params: ModelParams, preset: Preset) -> WordReader | None:
    """`auto`: a BiLSTM beside every pretrained text tower that rests and shares no space with the pictures' tower."""
    if params.words_beside != "auto":
        return None if params.words_beside == "none" else params.words_beside
    return "bilstm" if params.text == "frozen" and preset.text not in WORDS and not preset.shared_space else None


def name_of(params: ModelParams) -> str:
    """The preset, or the towers where they were chosen by themselves, and what learns beside the text. For people.

    >>> name_of(ModelParams(text_tower="gru"))
    'gru+lite0'
    >>> name_of(ModelParams(words_beside="bilstm"))
    'packaged+bilstm'
    """
    return "+".join(filter(None, [_towers(params), sources_of(params).words_beside]))


def _towers(params: ModelParams) -> str:
    if params.text_tower is None and params.image_tower is None:
        return params.preset
    preset = PRESETS[params.preset]
    return f"{params.text_tower or preset.text}+{params.image_tower or preset.image}"


_HUB: Mapping[str, str] = {
    "clip": "openai/clip-vit-base-patch32",
    "siglip": "google/siglip2-base-patch16-224",
    "chinese_clip": "OFA-Sys/chinese-clip-vit-base-patch16",
    "bert": MULTILINGUAL,
    "vit": "google/vit-base-patch16-224-in21k",
}


def _backbone(kind: TextKind | ImageKind) -> str | None:
    """Where a tower's weights come from when nothing is said."""
    return "default" if kind in TORCHVISION else _HUB.get(kind)


def _joint(kind: Literal["clip", "siglip", "chinese_clip"]) -> Preset:
    return Preset(text=kind, text_backbone=_HUB[kind], image=kind, image_backbone=_HUB[kind])


def _torchvision(kind: ImageKind) -> Preset:
    return Preset(text="bert", text_backbone=MULTILINGUAL, image=kind, image_backbone="default")


PRESETS: Mapping[PresetName, Preset] = {
    "packaged": Preset(text="use3", text_backbone=None, image="lite0", image_backbone=None),
    "clip": _joint("clip"),
    "siglip2": _joint("siglip"),
    "chinese_clip": _joint("chinese_clip"),
    "vit_bert": Preset(
        text="bert",
        text_backbone="google-bert/bert-base-multilingual-cased",
        image="vit",
        image_backbone=_HUB["vit"],
    ),
    "resnet50": _torchvision("resnet50"),
    "efficientnet_b0": _torchvision("efficientnet_b0"),
    "convnext_tiny": _torchvision("convnext_tiny"),
    "vit_b_16": _torchvision("vit_b_16"),
}
