"""Reading a pretrained model from a hub id or a local folder, through transformers.

transformers takes ten seconds to import, so only the presets that need it do.
"""

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from catalog.errors import InvalidParams
from models.preprocess import Fit, ImagePreprocess, Resample
from models.text_tokens import TextTokens, TokenizerSpec

_RESAMPLES: dict[int, Resample] = {1: "lanczos", 2: "bilinear", 3: "bicubic"}  # PIL's numbers


def load_backbone(source: str, expected: tuple[str, ...]) -> Any:
    """The model at `source` with its weights, in evaluation mode.

    Raises InvalidParams when it cannot be had, or when its type is none of `expected`.
    """
    from transformers import AutoModel

    kind = load_config(source).model_type
    if kind not in expected:
        raise InvalidParams(f"The model '{source}' is a {kind}; this preset takes {' or '.join(expected)}.")
    try:
        return AutoModel.from_pretrained(source, dtype=torch.float32).eval()  # whatever it was stored in
    except (OSError, ValueError) as error:
        raise InvalidParams(f"The weights of '{source}' cannot be read: {_first_line(error)}") from None


def load_config(source: str | Path) -> Any:
    """The configuration at `source`. Raises InvalidParams when it cannot be had."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise InvalidParams(
            f"The model '{source}' is neither a local folder nor to be had: {_first_line(error)}"
        ) from None


def load_tokenizer(source: str, max_tokens: int, inputs: tuple[str, ...], fixed_length: bool) -> TextTokens:
    """The tokenizer at `source`, in the form that serving reads (tokenizer.json).

    Raises InvalidParams when it cannot be had or has no such form.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise InvalidParams(f"The tokenizer of '{source}' cannot be read: {_first_line(error)}") from None
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or tokenizer.pad_token_id is None:
        raise InvalidParams(f"The tokenizer of '{source}' has no tokenizer.json form with a padding token.")
    spec = TokenizerSpec(
        kind="tokenizers",
        file="tokenizer.json",
        max_tokens=min(max_tokens, tokenizer.model_max_length),
        pad_id=tokenizer.pad_token_id,
        pad="max_tokens" if fixed_length else "longest",
        pad_side="left" if tokenizer.padding_side == "left" else "right",
        inputs=inputs,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / spec.file
        backend.save(str(path))
        return TextTokens(spec, path)


def load_preprocess(source: str) -> ImagePreprocess:
    """The picture preprocessing that `source` was trained with. Raises InvalidParams when Etalage lacks its kind."""
    from transformers import AutoImageProcessor

    try:
        processor: Any = AutoImageProcessor.from_pretrained(source, backend="pil")  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InvalidParams(f"The image preprocessing of '{source}' cannot be read: {_first_line(error)}") from None
    size = dict(processor.size)
    crop = dict(processor.crop_size or {}) if getattr(processor, "do_center_crop", False) else {}
    final = crop.get("height") or size.get("height") or size.get("shortest_edge")
    sides = {side for side in (*crop.values(), *(size.values() if not crop else ())) if side is not None}
    if final is None or len(sides) != 1 or int(processor.resample) not in _RESAMPLES:
        raise InvalidParams(f"The image preprocessing of '{source}' does not end in a square of a fixed size: {size}.")
    fit: Fit = "crop" if "shortest_edge" in size else "squeeze"
    return ImagePreprocess(
        size=final,
        fit=fit,
        resample=_RESAMPLES[int(processor.resample)],
        resize=size["shortest_edge"] if fit == "crop" else None,
        mean=_triple(processor.image_mean if processor.do_normalize else [0.0] * 3),
        std=_triple(processor.image_std if processor.do_normalize else [1.0] * 3),
    )


def projection(config: Any, width: int) -> nn.Module:
    """The layer of a joint model that takes a tower of `width` into the space its two towers share."""
    return nn.Linear(width, config.projection_dim, bias=False)


def _triple(values: Any) -> tuple[float, float, float]:
    red, green, blue = values
    return float(red), float(green), float(blue)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
