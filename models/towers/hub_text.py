"""Text towers from transformers: the text half of CLIP, SigLIP (2) and Chinese-CLIP, or any BERT-like encoder.

Legend: B texts, L tokens, W width.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from models.heads import AlignedHead, ProjectionHead
from models.params import ModelParams
from models.presets import sources_of
from models.text_tokens import TextTokens, TokenizerSpec, load_tokens
from models.towers.hub_files import load_backbone, load_config, load_tokenizer, projection
from models.towers.tower import Description, TextTower

BOTH = ("input_ids", "attention_mask")


class HubTextTower(TextTower):
    """A transformer, its pooling, the projection its model was trained with (if any), and a head."""

    def __init__(self, kind: str, tokens: TextTokens, parts: "TextParts", params: ModelParams) -> None:
        super().__init__()
        self.kind = kind
        self.tokens = tokens
        self.config = parts.config
        self.transformer: Any = parts.transformer
        self.projection = parts.projection
        if sources_of(params).shared_space:
            self.head = AlignedHead(parts.width, params.dim)
        else:
            self.head = ProjectionHead(parts.width, params.dim, params.head, params.dropout)
        self.set_trainable(params.text)

    def pooled(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """See TextTower."""
        projected: Tensor = self.projection(POOLINGS[self.kind](self.transformer, tokens))
        return projected

    @classmethod
    def build(cls, kind: str, source: str | None, params: ModelParams) -> "HubTextTower":
        """From a hub id or a local folder."""
        assert source is not None, "hub presets name a source"
        model = load_backbone(source, EXPECTED[kind])
        parts = TextParts(kind, model.config, model)
        length = min(params.max_tokens, getattr(parts.transformer.config, "max_position_embeddings", params.max_tokens))
        fixed = kind == "siglip"  # it reads its answer off the last position, so texts are always of full length
        if fixed:
            length = parts.transformer.config.max_position_embeddings
        tokens = load_tokenizer(source, length, ("input_ids",) if fixed else BOTH, fixed)
        return cls(kind, tokens, parts, params)

    @classmethod
    def restore(cls, description: Description, folder: Path, params: ModelParams) -> "HubTextTower":
        """From configuration and tokenizer in `folder`."""
        kind, spec = description["kind"], TokenizerSpec.from_json(description["tokenizer"])
        return cls(kind, load_tokens(folder, spec), TextParts(kind, load_config(folder), None), params)

    def describe(self) -> Description:
        """See Tower."""
        return {"tokenizer": self.tokens.spec.to_json()}

    def write_files(self, folder: Path) -> None:
        """See Tower."""
        self.tokens.save(folder)
        self.config.save_pretrained(folder)


class TextParts:
    """What a text tower needs of a model: taken from `model`, or made without weights from `config`."""

    def __init__(self, kind: str, config: Any, model: Any | None) -> None:
        self.config = config
        own = config.text_config if kind != "bert" else config
        whole = model if kind == "bert" or model is None else model.text_model
        self.transformer: Any = EMPTY[kind](own) if whole is None else whole
        self.projection: nn.Module = nn.Identity()
        self.width: int = own.hidden_size
        if kind in ("clip", "chinese_clip"):
            self.projection = projection(config, own.hidden_size) if model is None else model.text_projection
            self.width = config.projection_dim
        elif kind == "siglip":
            self.width = own.projection_size


def _empty_clip(config: Any) -> nn.Module:
    from transformers import CLIPTextModel

    return CLIPTextModel(config)


def _empty_siglip(config: Any) -> nn.Module:
    from transformers import SiglipTextModel

    return SiglipTextModel(config)


def _empty_chinese_clip(config: Any) -> nn.Module:
    from transformers import ChineseCLIPTextModel

    return ChineseCLIPTextModel(config, add_pooling_layer=False)


def _empty_bert(config: Any) -> nn.Module:
    from transformers import AutoModel

    empty: nn.Module = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    return empty


def _pooler_output(transformer: nn.Module, tokens: Mapping[str, Tensor]) -> Tensor:
    pooled: Tensor = transformer(**tokens).pooler_output
    return pooled


def _first_token(transformer: nn.Module, tokens: Mapping[str, Tensor]) -> Tensor:
    states: Tensor = transformer(**tokens).last_hidden_state  # [B, L, W]
    return states[:, 0]


def _mean_token(transformer: nn.Module, tokens: Mapping[str, Tensor]) -> Tensor:
    states: Tensor = transformer(**tokens).last_hidden_state  # [B, L, W]
    present = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
    return (states * present).sum(dim=1) / present.sum(dim=1).clamp(min=1)


EXPECTED: Mapping[str, tuple[str, ...]] = {
    "clip": ("clip",),
    "siglip": ("siglip",),  # SigLIP 2 with a fixed picture size is of this type too
    "chinese_clip": ("chinese_clip",),
    "bert": ("bert", "roberta", "xlm-roberta", "distilbert", "mpnet", "deberta-v2", "modernbert"),
}
EMPTY: Mapping[str, Callable[[Any], nn.Module]] = {
    "clip": _empty_clip,
    "siglip": _empty_siglip,
    "chinese_clip": _empty_chinese_clip,
    "bert": _empty_bert,
}
POOLINGS: Mapping[str, Callable[[nn.Module, Mapping[str, Tensor]], Tensor]] = {
    "clip": _pooler_output,
    "siglip": _pooler_output,
    "chinese_clip": _first_token,
    "bert": _mean_token,
}
