"""model.words_beside: a tower over whole words learns beside a pretrained text tower, which rests."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from models.dual_encoder import DualEncoder
from models.encoder import Encoder
from models.encoder_folder import BASELINE
from models.export import write_baseline, write_encoder
from models.params import WordReader
from models.training.encoded import encode_texts
from models.training.features import FeatureStore, untrained
from models.training.params import TrainParams
from models.training.texts import LiveTexts, RememberedTexts
from tests.models.conftest import TEXTS
from tests.models.tower_sources import image_tower, text_params, text_tower

READERS = get_args(WordReader)
HARD = [*TEXTS, "", "zxcvbnmq qwrtp 鱻龘", "!!!", "dress", "dress zxcvbnmq"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sources")


def a_model(reader: WordReader, sources: Path, rests: str = "bert") -> DualEncoder:
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


@pytest.mark.parametrize("reader", READERS)
def test_it_is_the_same_when_saved_loaded_and_served(reader: WordReader, sources: Path, tmp_path: Path) -> None:
    model = a_model(reader, sources).eval()
    with torch.no_grad():
        expected = model.encode_text(HARD)
        alone = torch.cat([model.encode_text([text]) for text in HARD])
    assert torch.allclose(expected, alone, atol=1e-6)  # padding changes nothing
    model.save(tmp_path / "model")
    again = DualEncoder.load(tmp_path / "model")
    with torch.no_grad():
        assert torch.equal(again.encode_text(HARD), expected)
    write_encoder(again, tmp_path / "encoder")
    encoder = Encoder.load(tmp_path / "encoder", threads=1)
    assert np.abs(encoder.encode_text(HARD) - expected.numpy()).max() < 1e-5
    for row, text in enumerate(HARD):
        assert np.abs(encoder.encode_text([text]) - expected[row].numpy()).max() < 1e-5


def test_the_packaged_sentence_encoder_with_words_beside_it_is_served(sources: Path, tmp_path: Path) -> None:
    model = a_model("text_cnn", sources, "use3").eval()
    model.save(tmp_path / "model")
    assert (tmp_path / "model/model.safetensors").stat().st_size < 20e6  # the packaged weights stay in their package
    write_encoder(DualEncoder.load(tmp_path / "model"), tmp_path / "encoder")
    with torch.no_grad():
        expected = model.encode_text(HARD).numpy()
    assert np.abs(Encoder.load(tmp_path / "encoder", threads=1).encode_text(HARD) - expected).max() < 1e-5


def test_a_word_that_training_never_saw_says_nothing_on_the_learned_side(sources: Path) -> None:
    tower = a_model("text_cnn", sources).text.eval()

    def learned(text: str) -> torch.Tensor:
        return tower.pooled(tower.tokenize([text]))[:, tower.resting.width :]

    with torch.no_grad():
        assert torch.equal(learned("dress zxcvbnmq"), learned("dress"))
        assert torch.equal(learned("zxcvbnmq"), learned("!!!"))
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
    found = []
    for chunk in (0, 2):
        model = a_model("bilstm", sources)
        model.eval()  # no dropout
        texts = RememberedTexts(model, FeatureStore.open(tmp_path / str(chunk), "float32"))
        list(texts.prepare(TEXTS))
        vectors = encode_texts(model, TEXTS, texts, TrainParams(grad_cache=chunk, text_noise=0.0))
        (vectors * torch.randn(vectors.shape, generator=torch.Generator().manual_seed(5))).sum().backward()
        found.append({name: p.grad for name, p in model.text.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys() and any(name.startswith("words.") for name in found[0])
    for name, gradient in found[0].items():
        assert torch.allclose(gradient, found[1][name], atol=1e-6), name


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
    model = a_model("text_cnn", sources, "use3")
    write_baseline(model, tmp_path / BASELINE)
    bare = Encoder.load(tmp_path / BASELINE, threads=1)
    assert not (tmp_path / BASELINE / "words.json").exists()
    first, last = bare.config.spaces["text"]
    assert last - first == model.text.resting.width
