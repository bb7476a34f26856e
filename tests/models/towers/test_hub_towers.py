"""models/hub_*.py on tiny models of the presets' own classes, read from disk as from a hub."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from catalog.errors import InvalidParams
from models.dual_encoder import DualEncoder
from models.params import ModelParams
from models.towers.hub_files import load_backbone, load_preprocess

JOINT = ["clip", "siglip2", "chinese_clip"]
TEXTS = ["red dress for women", "blue shoes", "红色连衣裙"]
Params = Callable[[str], ModelParams]


@pytest.fixture(scope="module")
def built(hub_params: Params) -> Callable[[str], DualEncoder]:
    models: dict[str, DualEncoder] = {}

    def build(preset: str) -> DualEncoder:
        if preset not in models:
            torch.manual_seed(0)
            models[preset] = DualEncoder.build(hub_params(preset)).eval()
        return models[preset]

    return build


@pytest.mark.parametrize("preset", JOINT)
def test_the_backbones_give_the_features_of_the_whole_model(
    preset: str, built: Callable[[str], DualEncoder], hub_params: Params
) -> None:
    from transformers import AutoModel

    model, whole = built(preset), AutoModel.from_pretrained(hub_params(preset).backbone_path).eval()
    pixels = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        tokens = model.text.tokenize(TEXTS)
        text = whole.get_text_features(**tokens).pooler_output
        image = whole.get_image_features(pixels).pooler_output
        assert torch.allclose(model.text.backbone(tokens), text, atol=1e-6)
        assert torch.allclose(model.image.tail(model.image.trunk(pixels)), image, atol=1e-6)


def test_vit_and_bert_are_pooled_by_class_token_and_by_mean(
    built: Callable[[str], DualEncoder], hub_params: Params
) -> None:
    from transformers import AutoModel

    model, params = built("vit_bert"), hub_params("vit_bert")
    bert, vit = (AutoModel.from_pretrained(path).eval() for path in (params.text_backbone, params.image_backbone))
    pixels = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        tokens = model.text.tokenize(TEXTS)
        states, mask = bert(**tokens).last_hidden_state, tokens["attention_mask"].bool()
        means = torch.stack([row[kept].mean(dim=0) for row, kept in zip(states, mask, strict=True)])
        assert torch.allclose(model.text.backbone(tokens), means, atol=1e-6)
        expected = vit(pixels).last_hidden_state[:, 0]
        assert torch.allclose(model.image.tail(model.image.trunk(pixels)), expected, atol=1e-6)


@pytest.mark.parametrize("preset", ["clip", "siglip2"])
def test_preprocessing_is_that_of_the_models_own_processor(
    preset: str, built: Callable[[str], DualEncoder], hub_params: Params
) -> None:
    from transformers import AutoImageProcessor

    source = hub_params(preset).backbone_path
    assert source is not None
    random = np.random.default_rng(0).integers(0, 255, (50, 70, 3), dtype=np.uint8)
    image = Image.fromarray(random)
    theirs = AutoImageProcessor.from_pretrained(source, backend="pil")(image, return_tensors="np")["pixel_values"][0]
    ours = load_preprocess(source).prepare(image)
    assert np.abs(np.asarray(theirs) - ours).max() < 0.02
    assert built(preset).image.preprocess == load_preprocess(source)


def test_towers_of_a_joint_model_keep_their_agreement_before_training(
    built: Callable[[str], DualEncoder], hub_params: Params
) -> None:
    model = DualEncoder.build(hub_params("clip").model_copy(update={"dim": 12})).eval()  # D = W: heads are identities
    with torch.no_grad():
        tokens = model.text.tokenize(TEXTS)
        pooled = torch.nn.functional.normalize(model.text.backbone(tokens), dim=-1)
        assert torch.allclose(model.text(tokens), pooled, atol=1e-6)


def test_a_model_stored_in_half_precision_is_read_in_full(hub_params: Params, tmp_path: Path) -> None:
    from transformers import AutoModel

    source = hub_params("vit_bert").text_backbone
    AutoModel.from_pretrained(source).half().save_pretrained(tmp_path)
    assert {p.dtype for p in load_backbone(str(tmp_path), ("bert",)).parameters()} == {torch.float32}


def test_a_backbone_that_cannot_be_had_or_is_of_another_type_is_refused(hub_params: Params, tmp_path: Path) -> None:
    with pytest.raises(InvalidParams, match="neither a local folder nor to be had"):
        DualEncoder.build(ModelParams(preset="clip", backbone_path=str(tmp_path)))
    other = hub_params("clip").backbone_path
    with pytest.raises(InvalidParams, match="is a clip; this preset takes siglip"):
        DualEncoder.build(ModelParams(preset="siglip2", backbone_path=other))
