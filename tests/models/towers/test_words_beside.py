"""model.words_beside: a tower over whole words learns beside a pretrained text tower, which rests."""

from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor
from torch.export import Dim

from models.dual_encoder import DualEncoder
from models.encoder import Encoder
from models.encoder_folder import BASELINE
from models.export import write_baseline
from models.export_graphs import write_graph
from models.params import ModelParams, TextKind, WordReader
from models.presets import sources_of
from models.training.encoded import encode_texts
from models.training.features import FeatureStore, untrained
from models.training.params import TrainParams
from models.training.texts import LiveTexts, RememberedTexts
from tests.models.conftest import TEXTS
from tests.models.towers.exchanging import encoder_with
from tests.models.towers.tower_sources import image_tower, text_params, text_tower

ROOT = Path(__file__).parents[3]
READERS = get_args(WordReader)
HARD = [*TEXTS, "", "zxcvbnmq qwrtp 鱻龘", "!!!", "dress", "dress zxcvbnmq"]


def a_model(reader: WordReader, sources: Path, rests: TextKind = "bert") -> DualEncoder:
    text = text_tower(rests, "frozen", sources, reader)
    text.fit([*TEXTS, *(f"{text} again" for text in TEXTS)])  # a word counts once two texts hold it
    with torch.no_grad():
        text.head.standardise(text.pooled(text.tokenize(TEXTS)))
    return DualEncoder(text_params(rests, "frozen", sources, reader), text, image_tower("lite0", "frozen", sources))


@pytest.mark.parametrize("reader", READERS)
def test_the_words_and_the_head_learn_and_what_rests_does_not(reader: WordReader, sources: Path) -> None:
    tower = a_model(reader, sources).text
    tower.train()
    vectors = tower(tower.tokenize(HARD))
    assert torch.allclose(vectors.norm(dim=1), torch.ones(len(HARD)), atol=1e-5)
    (vectors * torch.randn(vectors.shape, generator=torch.Generator().manual_seed(5))).sum().backward()
    moved = {name for name, parameter in tower.named_parameters() if parameter.grad is not None}
    assert moved == {name for name, _ in tower.named_parameters() if name.startswith(("words.", "head."))}
    assert not tower.backbone_parameters()  # nothing of it takes the smaller rate
    assert tower.words.training and not any(module.training for module in tower.resting.modules())


@pytest.mark.parametrize(("reader", "rests"), [*((reader, "bert") for reader in READERS), ("gru", "siglip")])
def test_it_is_the_same_when_saved_loaded_and_served(
    reader: WordReader, rests: TextKind, sources: Path, served: Path, tmp_path: Path
) -> None:
    model = a_model(reader, sources, rests).eval()
    with torch.no_grad():
        expected = model.encode_text(HARD)
        alone = torch.cat([model.encode_text([text]) for text in HARD])
    assert torch.allclose(expected, alone, atol=1e-6)  # padding changes nothing
    model.save(tmp_path / "model")
    again = DualEncoder.load(tmp_path / "model")
    with torch.no_grad():
        assert torch.equal(again.encode_text(HARD), expected)
    encoder = encoder_with(again.text, None, served)
    assert np.abs(encoder.encode_text(HARD) - expected.numpy()).max() < 1e-5
    for row, text in enumerate(HARD):
        assert np.abs(encoder.encode_text([text]) - expected[row].numpy()).max() < 1e-5


def test_the_packaged_sentence_encoder_with_words_beside_it_is_served(
    sources: Path, served: Path, tmp_path: Path
) -> None:
    model = a_model("text_cnn", sources, "use3").eval()
    model.save(tmp_path / "model")
    assert (tmp_path / "model/model.safetensors").stat().st_size < 20e6  # the packaged weights stay in their package
    encoder = encoder_with(DualEncoder.load(tmp_path / "model").text, None, served)
    with torch.no_grad():
        expected = model.encode_text(HARD).numpy()
    assert np.abs(encoder.encode_text(HARD) - expected).max() < 1e-5


def test_a_word_that_training_never_saw_says_nothing_on_the_learned_side(sources: Path) -> None:
    tower = a_model("text_cnn", sources).text.eval()

    def learned(text: str) -> torch.Tensor:
        return tower.pooled(tower.tokenize([text]))[:, tower.resting.width :]

    with torch.no_grad():
        assert torch.equal(learned("dress zxcvbnmq"), learned("dress"))
        for text in ("zxcvbnmq", "!!!"):
            assert torch.equal(learned(text)[0], tower.head.center[tower.resting.width :])
        assert not torch.equal(learned("dress"), learned("shoes"))


def test_what_rests_is_read_once_and_shared_with_models_without_words_beside(sources: Path, tmp_path: Path) -> None:
    model, plain = a_model("text_cnn", sources), text_tower("bert", "frozen", sources)
    assert untrained(model.text.resting) == untrained(plain)
    texts = RememberedTexts(model, FeatureStore.open(tmp_path / "texts", "float32"))
    assert texts.missing(TEXTS) == len(TEXTS)
    assert list(texts.prepare(TEXTS))[-1] == len(TEXTS) and texts.missing(TEXTS) == 0
    with torch.no_grad():
        live = LiveTexts().pooled(model, TEXTS)
        assert torch.allclose(texts.pooled(model, TEXTS), live, atol=1e-6)


def test_remembering_and_chunks_change_no_gradient(sources: Path, tmp_path: Path) -> None:
    def live(model: DualEncoder) -> Tensor:
        return model.encode_text(TEXTS)

    def remembered(model: DualEncoder, chunk: int) -> Tensor:
        texts = RememberedTexts(model, FeatureStore.open(tmp_path / str(chunk), "float32"))
        list(texts.prepare(TEXTS))
        return encode_texts(model, TEXTS, texts, TrainParams(grad_cache=chunk, text_noise=0.0))

    found = []
    for encode in (live, partial(remembered, chunk=0), partial(remembered, chunk=2)):
        model = a_model("bilstm", sources).eval()  # no dropout
        vectors = encode(model)
        (vectors * torch.randn(vectors.shape, generator=torch.Generator().manual_seed(5))).sum().backward()
        found.append({name: p.grad for name, p in model.text.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys() == found[2].keys()
    assert any(name.startswith("words.") for name in found[0])
    for name, gradient in found[0].items():
        for other in found[1:]:
            assert torch.allclose(gradient, other[name], atol=1e-6), name


def test_noise_falls_on_what_rests_alone(sources: Path, tmp_path: Path) -> None:
    model = a_model("bag_of_words", sources).eval()
    texts = RememberedTexts(model, FeatureStore.open(tmp_path / "texts", "float32"))
    list(texts.prepare(TEXTS))
    seen: list[torch.Tensor] = []
    model.text.project = lambda pooled: seen.append(pooled) or pooled  # type: ignore[method-assign, func-returns-value]
    with torch.no_grad():
        for noise in (0.0, 0.5):
            encode_texts(model, TEXTS, texts, TrainParams(text_noise=noise))
    width = model.text.resting.width
    assert torch.equal(seen[0][:, width:], seen[1][:, width:])
    assert (seen[0][:, :width] != seen[1][:, :width]).all()


def test_the_baseline_is_what_rests_alone(sources: Path, tmp_path: Path) -> None:
    model = a_model("text_cnn", sources)
    write_baseline(model, tmp_path / BASELINE)
    bare = Encoder.load(tmp_path / BASELINE, threads=1)
    assert not (tmp_path / BASELINE / "words.json").exists()
    first, last = bare.config.spaces["text"]
    assert last - first == model.text.resting.width


@pytest.mark.parametrize(
    ("settings", "beside"),
    [
        ({}, "bilstm"),
        ({"preset": "vit_bert"}, "bilstm"),
        ({"text": "finetuned"}, None),
        ({"preset": "vit_bert", "text": "lora"}, None),
        ({"preset": "clip"}, None),
        ({"preset": "siglip2"}, None),
        ({"text_tower": "gru"}, None),
        ({"words_beside": "none"}, None),
        ({"words_beside": "text_cnn"}, "text_cnn"),
    ],
    ids=str,
)
def test_one_setting_changed_in_params_yaml_works(settings: dict[str, object], beside: str | None) -> None:
    shipped = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["model"]
    given = {key: value for key, value in shipped.items() if key != "text" or "text_tower" not in settings}
    assert sources_of(ModelParams.model_validate({**given, **settings})).words_beside == beside


def test_texts_of_every_length_are_served_where_the_examples_words_are_unknown(sources: Path, served: Path) -> None:
    model = a_model("gru", sources)
    model.text.fit(["红色连衣裙", "红色连衣裙 新", "黑色 皮包 女士 新", "黑色 皮包 女士"])
    texts = ["红色", "黑色 皮包", "黑色 皮包 女士 红色 连衣裙 新", "?"]
    with torch.no_grad():
        expected = model.eval().encode_text(texts).numpy()
    assert np.abs(encoder_with(model.text, None, served).encode_text(texts) - expected).max() < 1e-5


def test_a_size_that_the_exporter_fixes_is_refused(sources: Path, tmp_path: Path) -> None:
    class Fixed(torch.nn.Module):
        def forward(self, ids: Tensor) -> Tensor:
            return ids.reshape(2, 5) * 1.0

    with pytest.raises(RuntimeError, match="fixed the size of axis 1 of ids"):
        write_graph(Fixed(), (torch.ones(2, 5),), tmp_path / "a.onnx", ["ids"], ({1: Dim("length")},))
    assert not (tmp_path / "a.onnx").exists()
