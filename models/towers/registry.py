"""Which class builds which kind of tower."""

from collections.abc import Mapping
from pathlib import Path

from models.params import ImageKind, ModelParams, TextKind
from models.presets import sources_of
from models.towers.hub_image import HubImageTower
from models.towers.hub_text import HubTextTower
from models.towers.packaged_image import LiteImageTower
from models.towers.packaged_text import UseTextTower
from models.towers.torchvision_image import TorchvisionImageTower
from models.towers.tower import Description, ImageTower, TextTower
from models.towers.word_text import WordTower
from models.towers.words_beside import WordsBeside

TEXT_TOWERS: Mapping[TextKind, type[TextTower]] = {
    "use3": UseTextTower,
    "clip": HubTextTower,
    "siglip": HubTextTower,
    "chinese_clip": HubTextTower,
    "bert": HubTextTower,
    "bag_of_words": WordTower,
    "word_vectors": WordTower,
    "text_cnn": WordTower,
    "bilstm": WordTower,
    "gru": WordTower,
}
IMAGE_TOWERS: Mapping[ImageKind, type[ImageTower]] = {
    "lite0": LiteImageTower,
    "clip": HubImageTower,
    "siglip": HubImageTower,
    "chinese_clip": HubImageTower,
    "vit": HubImageTower,
    "vgg11_bn": TorchvisionImageTower,
    "vgg16": TorchvisionImageTower,
    "resnet18": TorchvisionImageTower,
    "resnet50": TorchvisionImageTower,
    "densenet121": TorchvisionImageTower,
    "inception_v3": TorchvisionImageTower,
    "efficientnet_b0": TorchvisionImageTower,
    "convnext_tiny": TorchvisionImageTower,
    "vit_b_16": TorchvisionImageTower,
}


def build_text(params: ModelParams) -> TextTower:
    """The text tower that `params` asks for with its pretrained weights, and the words beside it.

    Raises InvalidParams when a backbone cannot be had.
    """
    sources = sources_of(params)
    tower = TEXT_TOWERS[sources.text].build(sources.text, sources.text_backbone, params)
    return tower if sources.words_beside is None else WordsBeside.build_beside(tower, sources.words_beside, params)


def restore_text(description: Description, folder: Path, params: ModelParams) -> TextTower:
    """What `build_text` built, with the files of `folder`; the weights are loaded afterwards."""
    kind, reader = description["kind"], sources_of(params).words_beside
    if reader is None:
        return TEXT_TOWERS[kind].restore(description, folder, params)
    rests = TEXT_TOWERS[kind].restore({**description["resting"], "kind": kind}, folder, params)
    return WordsBeside.restore_beside(rests, reader, description, folder, params)
