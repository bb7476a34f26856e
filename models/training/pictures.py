"""Pictures on their way into the image tower: cached trunk features where the trunk is frozen, else decoded pixels.

Both answer the same two questions: what goes into a batch for these pictures, and what vectors the tower gives.
Legend: B pictures, D width of the shared space.
"""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch import Tensor

from catalog.media import MediaStore, decode_image
from models.dual_encoder import DualEncoder
from models.training.features import Features, FeatureStore, fill, fingerprint

MIRRORED = "|mirrored"  # ends the key of the mirrored view of a picture
_ALTERED = "|altered"  # and, with a number, of a view that is also cropped and lit otherwise
CHUNK = 8  # pictures through the trunk at once: more of them fall out of the processor's cache and take twice as long
_MOST_CUT = 0.15  # share of each side that augmentation may cut away
_LIGHT = 0.2  # how far an altered view's brightness may be from the picture's: colours must stay what they are called
_OF_THE_TRUNK = (  # of ModelParams
    "preset", "backbone_path", "image_backbone", "image", "image_cut", "image_levels", "image_size", "tail_layers"
)  # fmt: skip


class Pictures(Protocol):
    """Pictures by key: what `view_key` gives."""

    def load(self, keys: Sequence[str], draw: random.Random | None) -> Tensor:
        """What the tower needs of B pictures, on the CPU; augmented with `draw` where pictures are live."""

    def pooled(self, model: DualEncoder, loaded: Tensor) -> Tensor:
        """-> [B, W], before the head."""

    def encode(self, model: DualEncoder, loaded: Tensor) -> Tensor:
        """-> unit rows [B, D]."""


class CachedPictures:
    """Trunk features from a store."""

    def __init__(self, store: FeatureStore) -> None:
        self.store = store

    def load(self, keys: Sequence[str], draw: random.Random | None) -> Tensor:
        """Trunk features [B, ...], float16."""
        return torch.from_numpy(self.store.rows(keys))

    def pooled(self, model: DualEncoder, loaded: Tensor) -> Tensor:
        """See Pictures."""
        return model.image.tail(loaded.float())

    def encode(self, model: DualEncoder, loaded: Tensor) -> Tensor:
        """See Pictures."""
        return model.encode_image_features(loaded.float())


class PooledPictures:
    """Outputs of a tail that does not train yet, from a store: each picture goes through it once, not once an epoch."""

    def __init__(self, store: FeatureStore) -> None:
        self.store = store

    def load(self, keys: Sequence[str], draw: random.Random | None) -> Tensor:
        """Pooled features [B, W]."""
        return torch.from_numpy(self.store.rows(keys))

    def pooled(self, model: DualEncoder, loaded: Tensor) -> Tensor:
        """See Pictures."""
        return loaded

    def encode(self, model: DualEncoder, loaded: Tensor) -> Tensor:
        """See Pictures."""
        return model.image.project(loaded)


class LivePictures:
    """Pixels, decoded each time by a few threads and, for training, cropped a little and mirrored half the time.

    Colours are left alone: shoppers ask for them.
    """

    def __init__(self, model: DualEncoder, media: MediaStore, threads: int) -> None:
        self.preprocess, self.media = model.image.preprocess, media
        self._pool = ThreadPoolExecutor(threads)

    def load(self, keys: Sequence[str], draw: random.Random | None) -> Tensor:
        """Pixels [B, 3, H, W]."""
        seeds = [None if draw is None else draw.random() for _ in keys]
        prepared = list(self._pool.map(self._one, keys, seeds))
        return torch.from_numpy(np.stack(prepared)).contiguous(memory_format=torch.channels_last)

    def pooled(self, model: DualEncoder, loaded: Tensor) -> Tensor:
        """See Pictures."""
        return model.image.tail(model.image.trunk(loaded))

    def encode(self, model: DualEncoder, loaded: Tensor) -> Tensor:
        """See Pictures."""
        return model.encode_pixels(loaded)

    def _one(self, key: str, seed: float | None) -> Features:
        image = picture_of(key, self.media)
        return self.preprocess.prepare(image if seed is None else augmented(image, random.Random(seed)))


def view_key(media: str, view: int) -> str:
    """The key of a view of a picture: 0 is the picture, 1 its mirror image, others are altered, each in its own way."""
    return media + ("" if view == 0 else MIRRORED if view == 1 else f"{_ALTERED}{view}")


def media_of(key: str) -> str:
    """The media id of a view."""
    return key.partition("|")[0]


def picture_of(key: str, media: MediaStore) -> Image.Image:
    """The RGB picture of a key. The same key is the same picture, always."""
    image = decode_image(media.read(media_of(key)))
    if key.endswith(MIRRORED):
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return altered(image, random.Random(key)) if _ALTERED in key else image


def altered(image: Image.Image, draw: random.Random) -> Image.Image:
    """The picture augmented and a little darker or brighter."""
    return ImageEnhance.Brightness(augmented(image, draw)).enhance(1 + draw.uniform(-_LIGHT, _LIGHT))


def augmented(image: Image.Image, draw: random.Random) -> Image.Image:
    """The picture, mirrored half the time, with up to 15 % of each side cut away."""
    if draw.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    width, height = image.size
    left, right = sorted((draw.uniform(0, _MOST_CUT), 1 - draw.uniform(0, _MOST_CUT)))
    top, bottom = sorted((draw.uniform(0, _MOST_CUT), 1 - draw.uniform(0, _MOST_CUT)))
    box = (int(left * width), int(top * height), int(np.ceil(right * width)), int(np.ceil(bottom * height)))
    return image.crop(box)


def trunk_folder(model: DualEncoder, checkpoint: Path) -> Path:
    """Where trunk features of this image tower are kept: the name says which layers and settings computed them.

    To be asked before training, while the weights are those the preset came with.
    """
    chosen = model.params.model_dump(mode="json") | {"image_size": model.image.preprocess.size}
    settings = {name: chosen[name] for name in _OF_THE_TRUNK}
    if model.params.image_tower is not None:
        settings["image_tower"] = model.params.image_tower
    return checkpoint / f"features-{fingerprint(model.image, settings, model.image.preprocess.to_json())}"


def trained_trunk_folder(model: DualEncoder, checkpoint: Path) -> Path:
    """The same of a model whose training is over: where that left the features if the trunk rested, else a folder of
    its own. The model stays as it is."""
    image = model.image
    fitted = image.head.center.clone(), image.head.spread.clone()
    learning = [parameter.requires_grad for parameter in image.parameters()]
    if image.live:
        image.requires_grad_(False)  # all of its weights are in the name
    else:
        image.head.center.zero_()  # as they were when its training named the folder
        image.head.spread.fill_(1.0)
        image.set_trainable(image.mode)
    folder = trunk_folder(model, checkpoint)
    image.head.center.copy_(fitted[0])
    image.head.spread.copy_(fitted[1])
    for parameter, learns in zip(image.parameters(), learning, strict=True):
        parameter.requires_grad_(learns)
    return folder


def fill_trunk(model: DualEncoder, store: FeatureStore, keys: Sequence[str], media: MediaStore) -> Iterator[int]:
    """Run the trunk over the pictures that `store` lacks; yields how many after each chunk.

    Every chunk has CHUNK rows, the last one padded, so a picture's features do not depend on its neighbours.
    """
    device = model.device

    def compute(part: list[str]) -> Features:
        pixels = np.zeros((CHUNK, 3, model.image.preprocess.size, model.image.preprocess.size), dtype=np.float32)
        for row, key in enumerate(part):
            pixels[row] = model.image.preprocess.prepare(picture_of(key, media))
        with torch.inference_mode():
            batch = torch.from_numpy(pixels).to(device).contiguous(memory_format=torch.channels_last)
            features: Features = model.image.trunk(batch)[: len(part)].float().cpu().numpy()
        return features

    model.eval()
    yield from fill(store, keys, compute, CHUNK)


def fill_pooled(model: DualEncoder, store: FeatureStore, cached: CachedPictures, keys: Sequence[str]) -> Iterator[int]:
    """Run the tail over the cached features of pictures that `store` lacks; yields how many after each chunk."""

    def compute(part: list[str]) -> Features:
        with torch.inference_mode():
            features: Features = cached.pooled(model, cached.load(part, None).to(model.device)).float().cpu().numpy()
        return features

    yield from fill(store, keys, compute, CHUNK)
