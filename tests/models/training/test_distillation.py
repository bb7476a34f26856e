"""train.teacher: a query tower of its own is trained, exported and served, and the products stay as they are."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from catalog.errors import InvalidParams
from catalog.tables import write_products, write_terms
from models.dual_encoder import DualEncoder
from models.encoder import Encoder
from models.export import write_encoder, write_probes
from models.params import ModelParams
from models.progress import Lines
from models.query_tower import QueryTower
from models.train import Sections, train
from models.training.distillation import distances
from models.training.features import FeatureStore
from models.training.remembered import RememberedEncoder
from models.training.teacher import Teacher
from models.training.texts import LiveTexts
from models.training.weights import copy_of
from tests.models.tiny_towers import TERMS, tiny_model, tiny_shop
from tests.models.tiny_training import a_task, learn

CPU = torch.device("cpu")
SMALL = {"preset": "packaged", "dim": 16, "image_size": 64, "image_cut": 15}
NOTHING_HELD_OUT = {"validation": 0.0, "test": 0.0}
TEXTS = ["Make 3 Red Bags", "红色包", "blue shirts"]


def test_distances_by_hand():
    student, teacher = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.6, 0.8]])
    things = torch.eye(2)
    found = distances(student, teacher, things, torch.tensor(2.0))
    assert found["distil_vectors"].item() == pytest.approx(1 - 0.6)
    theirs = [math.exp(2 * 0.6), math.exp(2 * 0.8)]
    ours = [math.exp(2 * 1.0), math.exp(2 * 0.0)]
    p, q = [each / sum(theirs) for each in theirs], [each / sum(ours) for each in ours]
    kl = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert found["distil_rows"].item() == pytest.approx(kl, rel=1e-5)
    same = distances(teacher, teacher, things, torch.tensor(2.0))
    assert same["distil_vectors"].item() == pytest.approx(0, abs=1e-6) and same["distil_rows"].item() == 0


def test_only_the_query_tower_learns_and_it_comes_to_ask_as_the_teacher(tmp_path):
    task = a_task(tmp_path, teacher="large", learning_rate=0.05, distil_weight=100.0, text_noise=0.0)
    teacher = task.teacher
    assert teacher is not None
    learning = {name.split(".")[1] for name, p in task.module.named_parameters() if p.requires_grad}
    assert learning == {"text", "logit_scale"}
    own = copy_of(teacher.model.state_dict())
    task.model.text.head.layers.weight.data.normal_()  # far from the teacher's

    def cosine() -> float:
        titles = [product.title for product in task.products]
        with torch.no_grad():
            asked = task.model.text.project(task.texts.pooled(task.model, titles))
            return float((asked * teacher.vectors(titles)).sum(dim=1).mean())

    task.prepare_texts(task.texts_of(0))
    task.prepare_texts([product.title for product in task.products])
    before = cosine()
    learn(task, 40)
    assert before < 0.5 and cosine() > 0.9
    assert all(torch.equal(own[name], tensor) for name, tensor in teacher.model.state_dict().items())
    task.module.train()
    assert task.model.text.head.training and not task.model.image.head.training  # a head at rest drops nothing


def test_the_teachers_vectors_are_read_once_and_kept_by_content(tmp_path):
    class Counting(Teacher):
        read = 0

        def prepare(self, texts):
            for done in super().prepare(texts):
                self.read += done
                yield done

    first = Counting(tiny_model(), "tiny", FeatureStore.open(tmp_path, "float32"))
    assert first.missing(["red", "blue", "", "red"]) == 2
    assert sum(first.prepare(["red", "blue", "", "red"])) == 2
    again = Counting(tiny_model(), "tiny", FeatureStore.open(tmp_path, "float32"))
    assert sum(again.prepare(["blue", "red", "green"])) == 1
    vectors = again.vectors(["green", "", "red"])
    with torch.no_grad():
        torch.testing.assert_close(vectors[[0, 2]], tiny_model().encode_product_text(["green", "red"]))
    assert not vectors[1].any()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A snapshot, a teacher trained on it in artifacts/teacher, and a query tower that it taught."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "data").mkdir()
    write_products(tiny_shop(40, folder / "data" / "media"), folder / "data" / "products.parquet")
    write_terms(TERMS, folder / "data" / "terms.parquet")
    brief = {"epochs": 2, "batch_size": 8, "min_steps": 1, "rounds": 1, "device": "cpu", "tail_epochs": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        reports = []
        for change in ({}, {"teacher": "artifacts/teacher", "epochs": 6, "learning_rate": 0.01}):
            model = {**SMALL, "head": "linear"} if change else SMALL
            sections = {"split": NOTHING_HELD_OUT, "model": model, "train": {**brief, **change}}
            (folder / "params.yaml").write_text(yaml.safe_dump(sections))
            reports.append(train(Sections.load(), Lines()))
            if not change:
                (folder / "artifacts/model").rename(folder / "artifacts/teacher")
        torch.use_deterministic_algorithms(False)
    return folder, reports


def test_the_stage_adds_a_query_tower_and_leaves_the_teacher_as_it_was(workspace, capsys):
    folder, (large, small) = workspace
    teacher, model = (DualEncoder.load(folder / "artifacts" / name) for name in ("teacher", "model"))
    assert teacher.queries is None and model.queries is not None
    assert (model.queries.kind, model.queries.params.head, model.params.head) == ("use3", "linear", "residual")
    own, theirs = model.state_dict(), teacher.state_dict()
    assert all(torch.equal(own[name], tensor) for name, tensor in theirs.items())
    for name in ("config.json", "model.safetensors"):
        assert (folder / "artifacts/model" / name).read_bytes() == (folder / "artifacts/teacher" / name).read_bytes()
    with torch.no_grad():
        assert torch.equal(model.encode_product_text(TEXTS), teacher.encode_text(TEXTS))
        asked, taught = model.encode_text(TEXTS), teacher.encode_text(TEXTS)
    assert not torch.equal(asked, taught) and (asked * taught).sum(dim=1).min() > 0.5
    assert large["teacher"] is None and len(small["teacher"]) == 16
    history = (folder / "reports" / "curves.csv").read_text().splitlines()
    assert "loss_distil_rows" in history[0]
    kept = sorted(path.name.split("-")[0] for path in (folder / "artifacts/checkpoint").iterdir())
    assert kept == ["features", "finished.json", "teacher"]  # one folder of features: the teacher's were used again


@pytest.mark.parametrize("change", [{}, {"text": "frozen", "words_beside": "bilstm"}], ids=["plain", "words_beside"])
def test_the_served_encoder_asks_by_the_small_tower_and_reads_products_by_the_large(
    hub_params, pictures, tmp_path, change
):
    params = hub_params("vit_bert").model_copy(update=change)
    torch.manual_seed(0)
    large, small = DualEncoder.build(params), DualEncoder.build(params.model_copy(update={"head": "residual"}))
    for each in (large, small):
        each.text.fit([*TEXTS, *(f"{text} again" for text in TEXTS)])
    large.queries = QueryTower(small.params, small.text)
    large.save(tmp_path / "model")
    model = DualEncoder.load(tmp_path / "model")
    write_encoder(model, tmp_path)
    write_probes(tmp_path, TEXTS, pictures[:1])
    encoder = Encoder.load(tmp_path, threads=1)
    beside = "+bilstm" if change else ""
    assert encoder.name == f"vit_bert{beside}-8-asked-by-bert{beside}" and encoder.check_probes() > 0.9999
    with torch.no_grad():
        asked, read = small.eval().encode_text(TEXTS).numpy(), large.eval().encode_product_text(TEXTS).numpy()
    kept = RememberedEncoder(model, LiveTexts(), None)
    for each in (encoder, kept):
        assert np.abs(each.encode_text(TEXTS) - asked).max() < 1e-5
        assert np.abs(each.encode_product_text(TEXTS) - read).max() < 1e-5
    assert np.abs(asked - read).max() > 0.1


@pytest.mark.parametrize(
    ("student", "sentence"),
    [
        ({"dim": 8}, "has model.dim: 16, and this configuration 8; a query tower must ask in the space"),
        ({"fusion": "mean"}, "has model.fusion: gated, and this configuration mean"),
        ({"space": "independent"}, "has model.space: shared, and this configuration independent"),
    ],
)
def test_a_teacher_of_another_space_is_refused(workspace, tmp_path, student, sentence):
    params = ModelParams.model_validate({**SMALL, **student})
    with pytest.raises(InvalidParams, match=sentence):
        Teacher.open(workspace[0] / "artifacts" / "teacher", params, tmp_path, CPU)
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_model_cannot_teach(tmp_path: Path):
    with pytest.raises(InvalidParams, match=r"train\.teacher: .* holds no model"):
        Teacher.open(tmp_path, ModelParams(), tmp_path, CPU)
