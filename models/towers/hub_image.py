"""Image towers from transformers: the picture half of CLIP, SigLIP (2) and Chinese-CLIP, or a ViT.

All are a patch embedding, equal layers and a pooling. The trunk ends before the last `tail_layers` layers.
Legend: B pictures, T patches (and class token), W width.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from catalog.errors import InvalidParams
from models.heads import AlignedHead, ProjectionHead
from models.params import ModelParams
from models.preprocess import ImagePreprocess
from models.presets import sources_of
from models.towers.hub_files import load_backbone, load_config, load_preprocess, projection
from models.towers.tower import Description, ImageTower


class HubImageTower(ImageTower):
    """A vision transformer, the projection its model was trained with (if any), and a head."""

    def __init__(self, kind: str, preprocess: ImagePreprocess, parts: "ImageParts", params: ModelParams) -> None:
        super().__init__()
        self.kind = kind
        self.preprocess = preprocess
        self.config = parts.config
        self.transformer: Any = parts.transformer
        self.projection = parts.projection
        self.cut = max(0, len(self.layers) - params.tail_layers)
        if sources_of(params).shared_space:
            self.head = AlignedHead(parts.width, params.dim)
        else:
            self.head = ProjectionHead(parts.width, params.dim, params.head, params.dropout)
        self.set_trainable(params.image)

    @property
    def layers(self) -> Sequence[nn.Module]:
        """The transformer's layers."""
        return list(self.transformer.layers if self.kind == "vit" else self.transformer.encoder.layers)

    def early(self, pixels: Tensor) -> Tensor:
        """pixels [B, 3, H, W] -> states [B, T, W] before the last layers."""
        states: Tensor = self.transformer.embeddings(pixels)
        if hasattr(self.transformer, "pre_layrnorm"):  # CLIP's own spelling
            states = self.transformer.pre_layrnorm(states)
        for layer in self.layers[: self.cut]:
            states = layer(states, None)
        return states

    def late(self, features: Tensor) -> Tensor:
        """States [B, T, W] -> pooled [B, W]."""
        states = features
        for layer in self.layers[self.cut :]:
            states = layer(states, None)
        projected: Tensor = self.projection(POOLINGS[self.kind](self.transformer, states))
        return projected

    def late_modules(self) -> Sequence[nn.Module]:
        """The last layers, the norm after them, the pooling and the projection."""
        after = [getattr(self.transformer, name, None) for name in ("post_layernorm", "layernorm", "head")]
        return [*self.layers[self.cut :], *(module for module in after if module is not None), self.projection]

    @classmethod
    def build(cls, kind: str, source: str | None, params: ModelParams) -> "HubImageTower":
        """From a hub id or a local folder."""
        assert source is not None, "hub presets name a source"
        model = load_backbone(source, (kind,))
        parts, preprocess = ImageParts(kind, model.config, model), load_preprocess(source)
        if preprocess.size != (side := parts.transformer.config.image_size):
            raise InvalidParams(
                f"'{source}' prepares pictures of {preprocess.size} pixels for a model that takes {side}."
            )
        return cls(kind, preprocess, parts, params)

    @classmethod
    def restore(cls, description: Description, folder: Path, params: ModelParams) -> "HubImageTower":
        """From the configuration in `folder`."""
        kind, preprocess = description["kind"], ImagePreprocess.from_json(description["preprocess"])
        return cls(kind, preprocess, ImageParts(kind, load_config(folder), None), params)

    def describe(self) -> Description:
        """See Tower."""
        return {"preprocess": self.preprocess.to_json()}

    def write_files(self, folder: Path) -> None:
        """See Tower."""
        self.config.save_pretrained(folder)


class ImageParts:
    """What an image tower needs of a model: taken from `model`, or made without weights from `config`."""

    def __init__(self, kind: str, config: Any, model: Any | None) -> None:
        self.config = config
        own = config.vision_config if kind != "vit" else config
        whole = model if kind == "vit" or model is None else model.vision_model
        self.transformer: Any = EMPTY[kind](own) if whole is None else whole
        if kind == "vit":
            self.transformer.pooler = None  # trained for classifying, if at all
        self.projection: nn.Module = nn.Identity()
        self.width: int = own.hidden_size
        if kind in ("clip", "chinese_clip"):
            self.projection = projection(config, own.hidden_size) if model is None else model.visual_projection
            self.width = config.projection_dim


def _empty_clip(config: Any) -> nn.Module:
    from transformers import CLIPVisionModel

    return CLIPVisionModel(config)


def _empty_siglip(config: Any) -> nn.Module:
    from transformers import SiglipVisionModel

    return SiglipVisionModel(config)


def _empty_chinese_clip(config: Any) -> nn.Module:
    from transformers import ChineseCLIPVisionModel

    return ChineseCLIPVisionModel(config)


def _empty_vit(config: Any) -> nn.Module:
    from transformers import ViTModel

    return ViTModel(config, add_pooling_layer=False)


def _class_token(transformer: Any, states: Tensor) -> Tensor:
    pooled: Tensor = transformer.post_layernorm(states[:, 0])
    return pooled


def _attention_pool(transformer: Any, states: Tensor) -> Tensor:
    pooled: Tensor = transformer.head(transformer.post_layernorm(states))
    return pooled


def _vit_class_token(transformer: Any, states: Tensor) -> Tensor:
    pooled: Tensor = transformer.layernorm(states)[:, 0]
    return pooled


EMPTY: Mapping[str, Callable[[Any], nn.Module]] = {
    "clip": _empty_clip,
    "siglip": _empty_siglip,
    "chinese_clip": _empty_chinese_clip,
    "vit": _empty_vit,
}
POOLINGS: Mapping[str, Callable[[Any, Tensor], Tensor]] = {
    "clip": _class_token,
    "siglip": _attention_pool,
    "chinese_clip": _class_token,
    "vit": _vit_class_token,
}
