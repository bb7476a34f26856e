"""Which class builds which kind of tower."""

from collections.abc import Mapping

from models.params import ImageKind, TextKind
from models.towers.hub_image import HubImageTower
from models.towers.hub_text import HubTextTower
from models.towers.packaged_image import LiteImageTower
from models.towers.packaged_text import UseTextTower
from models.towers.torchvision_image import TorchvisionImageTower
from models.towers.tower import ImageTower, TextTower
from models.towers.word_text import WordTower

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
