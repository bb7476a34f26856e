"""Nothing that is loaded may run code: no pickle, no joblib, and torch and numpy only with their doors shut."""

import ast
import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from catalog.arrays import read_array, read_arrays
from catalog.errors import InvalidParams, NotReady
from models.composer import load_composer
from models.embeddings import load_embeddings
from models.encoder_folder import PROBES, read_probes
from models.late.tokens import ProductTokens
from models.towers.torchvision_image import _read
from models.training.checkpoint import Checkpoint
from search.handover import read_rows
from search.hubness import Hubs
from search.ranking.neural import MODEL, Network
from search.understanding.vocabulary import Vocabulary
from tests.models.training.test_checkpoint import KEY

ROOT = Path(__file__).parents[2]
PACKAGES = ("catalog", "validation", "models", "search", "evaluation", "flows", "bento", "benchmarks", "etalage_client")
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
ERRORS_ONLY = {"pickle": {"UnpicklingError"}}
"""What may be used of them: the name of an error."""


def calls_that_unpickle(source: str) -> Iterator[str]:
    """What in a module's source could unpickle, as the code that does."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNPICKLERS:
            yield ast.unparse(node)
        elif isinstance(node, ast.Import):
            for name in {alias.name.split(".")[0] for alias in node.names} & (UNPICKLERS - set(ERRORS_ONLY)):
                yield f"import {name}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = node.value.id
            if module in ERRORS_ONLY and node.attr not in ERRORS_ONLY[module]:
                yield ast.unparse(node)
            if (module, node.attr) in {("pd", "read_pickle"), ("pandas", "read_pickle")}:
                yield ast.unparse(node)
        if isinstance(node, ast.Call):
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            called = ast.unparse(node.func)
            shut = {"torch.load": ("weights_only", "True"), "np.load": ("allow_pickle", "False")}.get(called)
            if shut and given.get(shut[0]) != shut[1]:
                yield ast.unparse(node)
            if given.get("allow_pickle") == "True" or given.get("weights_only") == "False":
                yield ast.unparse(node)
            if given.get("trust_remote_code", "False") != "False":
                yield ast.unparse(node)


def test_no_code_of_the_project_can_unpickle() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {call}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for call in calls_that_unpickle(path.read_text(encoding="utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize(
    "source",
    [
        "import joblib",
        "import os, dill",
        "from pickle import loads",
        "import pickle\npickle.load(file)",
        "import pickle\nf = pickle.Unpickler",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=flag)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "numpy.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
    ],
)
def test_the_contract_sees_each_way_to_unpickle(source: str) -> None:
    assert list(calls_that_unpickle(source))


class Bomb:
    """Unpickling it writes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.write_text, (self.mark, "code ran")


def pickled(bomb: Bomb) -> dict[str, bytes]:
    """The ways a pickle can stand where arrays or tensors are expected."""
    npy, npz, pt = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, np.array([bomb], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(npz, "w") as archive:
        for name in ("vectors", "looks", "mean", "w1", "weights"):
            archive.writestr(f"{name}.npy", npy.getvalue())
    torch.save(bomb, pt)
    return {"bare": pickle.dumps(bomb), "npy": npy.getvalue(), "npz": npz.getvalue(), "pt": pt.getvalue()}


def readers(folder: Path, content: bytes) -> dict[str, Callable[[], object]]:
    """Every place that reads arrays, with `content` where its arrays should be."""
    (folder / PROBES).mkdir()
    (folder / PROBES / "probes.json").write_text('{"texts": [], "images": []}')
    (folder / "hubs.json").write_text('{"format": 1, "encoder": "e"}')
    (folder / "vocabulary.json").write_text("{}")
    (folder / "composer.json").write_text('{"format": 1, "composer": "learned", "encoder": "e", "dim": 2, "hidden": 2}')
    (folder / "embeddings.json").write_text('{"products": 1, "dim": 1}')
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"id": ["p"], "picture": [0], "words": [0], "has_text": [True], "has_image": [True]})
    pq.write_table(table, folder / "products.parquet")
    names = ("bank.npy", "vocabulary.npz", "composer.npz", MODEL, "fused.npy", "places.npy", "text.npy", "image.npy")
    for name in (*names, "scale.npy", "words.npy", "titles.npy", f"{PROBES}/text.npy"):
        (folder / name).write_bytes(content)
    return {
        "an array": lambda: read_array(folder / "bank.npy"),
        "arrays": lambda: read_arrays(folder / "vocabulary.npz"),
        "probes": lambda: read_probes(folder),
        "hubs": lambda: Hubs.load(folder),
        "vocabulary": lambda: Vocabulary.load(folder),
        "composer": lambda: load_composer(folder),
        "network": lambda: Network.load(folder, ()),
        "embeddings": lambda: load_embeddings(folder),
        "tokens": lambda: ProductTokens.load(folder),
        "rows handed over": lambda: read_rows(io.BytesIO(content)),
    }


@pytest.mark.parametrize("kind", ["bare", "npy", "npz", "pt"])
def test_a_pickle_in_place_of_arrays_is_refused_in_one_sentence_and_runs_no_code(tmp_path: Path, kind: str) -> None:
    mark = tmp_path / "mark"
    content = pickled(Bomb(mark))[kind]
    (tmp_path / "folder").mkdir()
    for name, read in readers(tmp_path / "folder", content).items():
        with pytest.raises(NotReady) as refused:
            read()
        sentence = str(refused.value)
        assert "\n" not in sentence and sentence.endswith("."), (name, sentence)
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["bare", "npy", "npz", "pt"])
def test_a_pickle_in_place_of_tensors_is_refused_and_runs_no_code(tmp_path: Path, kind: str) -> None:
    mark, told = tmp_path / "mark", list[str]()
    content = pickled(Bomb(mark))[kind]
    for suffix in (".pth", ".safetensors"):
        path = tmp_path / f"weights{suffix}"
        path.write_bytes(content)
        with pytest.raises(InvalidParams, match="does not hold the weights of resnet18") as refused:
            _read(path, "resnet18")
        assert "\n" not in str(refused.value)
    (tmp_path / "state.pt").write_bytes(content)
    assert Checkpoint(tmp_path, KEY, told.append).load() is None
    assert "cannot be read" in told[0]
    assert not mark.exists()


def test_the_bomb_would_go_off_where_pickles_are_read(tmp_path: Path) -> None:
    pickle.loads(pickled(Bomb(tmp_path / "mark"))["bare"])
    assert (tmp_path / "mark").read_text() == "code ran"
