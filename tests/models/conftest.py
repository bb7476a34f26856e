"""What the tests of models/ share: tiny models of the hub presets' own classes, the default preset, its export.

The tiny models are randomly initialised and saved with a tokenizer and preprocessing, as a hub would hand them out.
"""

import fcntl
import io
import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from PIL import Image

from models.dual_encoder import DualEncoder
from models.export import export
from models.params import ModelParams

torch.set_num_threads(1)

SIZE = 32  # pixels a side
TEXTS = ["red dress for women", "blue shoes", "红色连衣裙", "a much longer title of a black leather bag for men"]
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION = {**SMALL, "image_size": SIZE, "patch_size": 8}
CLIP_MEAN, CLIP_STD = [0.48, 0.46, 0.41], [0.27, 0.26, 0.28]


class Exported(NamedTuple):
    """A folder of a served encoder and the report of its export."""

    folder: Path
    report: dict[str, Any]


def save_tokenizer(folder: Path, wrap: tuple[str, str] = ("[CLS]", "[SEP]")) -> dict[str, int]:
    """A word-level tokenizer over TEXTS in tokenizer.json form; returns its vocabulary. The last id ends a text."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = sorted({word for text in TEXTS for word in text.split()} | set("红色连衣裙"))
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", *words, *wrap])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase(), normalizers.BertNormalizer()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pair = [(name, vocabulary[name]) for name in wrap]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{wrap[0]} $A {wrap[1]}", special_tokens=pair)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", eos_token=wrap[1], model_max_length=24
    )
    fast.save_pretrained(folder)
    return vocabulary


def save_image_processor(folder: Path, kind: str) -> None:
    """preprocessor_config.json as checkpoints of `kind` have it."""
    square = {"height": SIZE, "width": SIZE}
    document = {"image_mean": CLIP_MEAN, "image_std": CLIP_STD, "do_normalize": True, "resample": 3, "size": square}
    document["do_center_crop"] = False
    if kind == "clip":
        document |= {"size": {"shortest_edge": SIZE}, "crop_size": square, "do_center_crop": True}
    names = {"clip": "CLIP", "siglip": "Siglip", "chinese_clip": "ChineseCLIP", "vit": "ViT"}
    document["image_processor_type"] = f"{names[kind]}ImageProcessor"
    (folder / "preprocessor_config.json").write_text(json.dumps(document))


def save_clip(folder: Path) -> Path:
    """A CLIPModel."""
    from transformers import CLIPConfig, CLIPModel

    words = save_tokenizer(folder)
    text = {**SMALL, "vocab_size": len(words), "max_position_embeddings": 20, "eos_token_id": words["[SEP]"]}
    torch.manual_seed(0)
    CLIPModel(CLIPConfig(text_config=text, vision_config=VISION, projection_dim=12)).save_pretrained(folder)
    save_image_processor(folder, "clip")
    return folder


def save_siglip(folder: Path) -> Path:
    """A SiglipModel, which fixed-size SigLIP 2 checkpoints are too."""
    from transformers import SiglipConfig, SiglipModel

    words = save_tokenizer(folder)
    text = {**SMALL, "vocab_size": len(words), "max_position_embeddings": 16, "projection_size": 16}
    torch.manual_seed(0)
    SiglipModel(SiglipConfig(text_config=text, vision_config=VISION)).save_pretrained(folder)
    save_image_processor(folder, "siglip")
    return folder


def save_chinese_clip(folder: Path) -> Path:
    """A ChineseCLIPModel."""
    from transformers import ChineseCLIPConfig, ChineseCLIPModel

    words = save_tokenizer(folder)
    text = {**SMALL, "vocab_size": len(words), "max_position_embeddings": 24}
    torch.manual_seed(0)
    model = ChineseCLIPModel(ChineseCLIPConfig(text_config=text, vision_config=VISION, projection_dim=12))
    model.save_pretrained(folder)
    save_image_processor(folder, "chinese_clip")
    return folder


def save_bert(folder: Path) -> Path:
    """A BertModel."""
    from transformers import BertConfig, BertModel

    words = save_tokenizer(folder)
    torch.manual_seed(0)
    BertModel(BertConfig(**SMALL, vocab_size=len(words), max_position_embeddings=24)).save_pretrained(folder)
    return folder


def save_vit(folder: Path) -> Path:
    """A ViTModel."""
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(0)
    ViTModel(ViTConfig(**VISION)).save_pretrained(folder)
    save_image_processor(folder, "vit")
    return folder


JOINT = {"clip": save_clip, "siglip2": save_siglip, "chinese_clip": save_chinese_clip}


@pytest.fixture(scope="session")
def hub_params(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ModelParams]:
    """Preset name -> params that name a tiny local model of that preset's classes, all of it trainable."""

    @cache
    def params(preset: str) -> ModelParams:
        folder = tmp_path_factory.mktemp(preset)
        settings = {
            "preset": preset,
            "dim": 8,
            "text": "finetuned",
            "image": "tail",
            "tail_layers": 1,
            "head": "linear",
        }
        if preset in JOINT:
            return ModelParams.model_validate({**settings, "backbone_path": str(JOINT[preset](folder))})
        bert, vit = folder / "bert", folder / "vit"
        bert.mkdir(), vit.mkdir()
        backbones = {"text_backbone": str(save_bert(bert)), "image_backbone": str(save_vit(vit))}
        return ModelParams.model_validate({**settings, **backbones})

    return params


@pytest.fixture(scope="session")
def packaged() -> DualEncoder:
    """The default preset, not trained, in evaluation mode. Shared: do not change it."""
    torch.manual_seed(0)
    return DualEncoder.build(ModelParams(dim=32)).eval()


@pytest.fixture(scope="session")
def pictures() -> list[bytes]:
    """Four pictures as files: two squares, one tall, one wide; each of another colour with a patch on it."""
    files = []
    for size, colour in zip(
        [(224, 224), (80, 80), (90, 160), (300, 100)], ["red", "blue", "white", "black"], strict=True
    ):
        image = Image.new("RGB", size, colour)
        image.paste("yellow", (10, 10, size[0] // 2, size[1] // 2))
        stream = io.BytesIO()
        image.save(stream, "PNG")
        files.append(stream.getvalue())
    return files


@pytest.fixture(scope="session")
def exported(packaged: DualEncoder, pictures: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The default preset exported once, with its report. Shared by all workers: copy it before changing it."""
    own = tmp_path_factory.getbasetemp()
    place = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, told = place / "exported-preset", place / "exported-preset.json"
    with (place / "exported-preset.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
        if not told.exists():
            report = export(packaged, ["red dress", "红色连衣裙", "shoes"], pictures, folder)
            told.write_text(json.dumps(report), encoding="utf-8")
    return Exported(folder, json.loads(told.read_text(encoding="utf-8")))
