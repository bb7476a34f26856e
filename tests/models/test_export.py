"""models/export.py and models/encoder.py: one folder, the same vectors as torch, refused when it is another's."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from catalog.errors import InvalidMedia, NotReady
from catalog.media import decode_image
from models.dual_encoder import DualEncoder
from models.encoder import Encoder
from models.encoder_folder import BASELINE, fingerprint, read_probes

TEXTS = ["red dress", "红色连衣裙", "a black leather bag for women with two handles", ""]


@pytest.fixture(scope="module")
def encoder(exported: Any) -> Encoder:
    return Encoder.load(exported.folder, threads=1)


def test_texts_and_pictures_get_the_vectors_of_torch(
    encoder: Encoder, packaged: DualEncoder, pictures: list[bytes]
) -> None:
    pixels = packaged.image.preprocess.prepare_batch([decode_image(data) for data in pictures])
    with torch.no_grad():
        text, image = packaged.encode_text(TEXTS).numpy(), packaged.encode_pixels(torch.from_numpy(pixels)).numpy()
    assert np.abs(encoder.encode_text(TEXTS) - text).max() < 1e-5
    assert np.abs(encoder.encode_image(pictures) - image).max() < 1e-5


def test_the_report_says_parity_sizes_and_times(exported: Any) -> None:
    report = exported.report
    assert report["parity"]["min"] > 0.99999 and set(report["parity"]) == {"text", "image", "fused", "min"}
    assert report["bytes"]["text.onnx"] > 60e6 and report["ms"]["text"] > 0 and report["ms"]["image_torch"] > 0
    assert report["encoder"] == fingerprint(exported.folder)
    json.dumps(report)


def test_no_graph_names_a_place_of_this_machine(exported: Any) -> None:
    graphs = sorted(exported.folder.rglob("*.onnx"))
    assert len(graphs) >= 3
    places = (str(Path(__file__).parents[2]), str(Path(torch.__file__).parents[1]), "stack_trace", ".py")
    for graph in graphs:
        content = graph.read_bytes()
        assert [place for place in places if place.encode() in content] == [], graph


def test_no_texts_and_no_pictures_give_no_rows(encoder: Encoder) -> None:
    assert encoder.encode_text([]).shape == (0, 32) and encoder.encode_image([]).shape == (0, 32)
    none = np.zeros(0, dtype=bool)
    assert encoder.fuse_products(None, None, none, none).shape == (0, 32)


def test_chunks_and_order_do_not_matter(encoder: Encoder, pictures: list[bytes]) -> None:
    texts = [f"{'long ' * (i % 7)}dress {i}" for i in range(150)]
    together = encoder.encode_text(texts)
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-5
    assert np.abs(together[[3, 149]] - encoder.encode_text([texts[3], texts[149]])).max() < 1e-5
    many = encoder.encode_image(pictures * 5)
    assert np.abs(many[-1] - encoder.encode_image(pictures[-1:])[0]).max() < 1e-5


def test_a_product_with_one_modality_has_that_ones_vector(encoder: Encoder, pictures: list[bytes]) -> None:
    text, image = encoder.encode_text(TEXTS), encoder.encode_image(pictures)
    has_text, has_image = np.array([1, 1, 0, 0], dtype=bool), np.array([1, 0, 1, 0], dtype=bool)
    fused = encoder.fuse_products(text, image, has_text, has_image)
    assert np.array_equal(fused[1], text[1]) and np.array_equal(fused[2], image[2]) and not fused[3].any()
    mean = text[0] + image[0]  # an untrained gate is the mean
    assert np.allclose(fused[0], mean / np.linalg.norm(mean), atol=1e-5)
    alone = encoder.fuse_products(text, None, np.ones(4, dtype=bool), np.ones(4, dtype=bool))
    assert np.array_equal(alone, text)


def test_bytes_that_are_no_picture_are_refused(encoder: Encoder) -> None:
    with pytest.raises(InvalidMedia):
        encoder.encode_image([b"hello"])


def test_the_probes_are_encoded_again(encoder: Encoder, exported: Any, tmp_path: Path) -> None:
    assert encoder.check_probes() > 0.99999
    folder = tmp_path / "other"
    shutil.copytree(exported.folder, folder)
    probes = read_probes(folder)
    probes.image[1] = probes.image[0]
    probes.write(folder)
    with pytest.raises(NotReady, match="not the same model"):
        Encoder.load(folder, threads=1).check_probes()


def test_the_fingerprint_changes_with_any_file_but_the_baselines(exported: Any, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(exported.folder, folder)
    assert fingerprint(folder) == fingerprint(exported.folder) and len(fingerprint(folder)) == 16
    (folder / BASELINE / "encoder.json").write_text("{}")
    assert fingerprint(folder) == fingerprint(exported.folder)
    (folder / "sp.model").write_bytes((folder / "sp.model").read_bytes() + b"x")
    assert fingerprint(folder) != fingerprint(exported.folder)


def test_the_baseline_is_the_bare_backbones_in_spaces_of_their_own(
    exported: Any, packaged: DualEncoder, pictures: list[bytes]
) -> None:
    baseline = Encoder.load(exported.folder / BASELINE, threads=1)
    width = packaged.text.width
    assert not baseline.shared_space and baseline.dim == width + packaged.image.width
    text, image = baseline.encode_text(TEXTS), baseline.encode_image(pictures)
    with torch.no_grad():
        bare = packaged.text.backbone(packaged.text.tokenize(TEXTS)).numpy()
    assert np.abs(text[:, :width] - bare).max() < 1e-5 and not text[:, width:].any()
    assert np.abs(text @ image.T).max() == 0  # words and pictures cannot be compared
    there = np.ones(4, dtype=bool)
    fused = baseline.fuse_products(text, image, there, there)
    assert np.allclose(fused, (text + image) / 2**0.5, atol=1e-6)
    assert baseline.check_probes() > 0.99999


def test_a_folder_without_an_encoder_is_not_ready(tmp_path: Path, exported: Any) -> None:
    with pytest.raises(NotReady, match="holds no encoder"):
        Encoder.load(tmp_path)
    shutil.copytree(exported.folder, tmp_path / "half", ignore=shutil.ignore_patterns("image.onnx"))
    with pytest.raises(NotReady, match=r"image\.onnx is missing"):
        Encoder.load(tmp_path / "half")


def test_serving_imports_neither_torch_nor_transformers(exported: Any) -> None:
    code = (
        "import sys; from pathlib import Path; from models.encoder import Encoder; "
        f"Encoder.load(Path({str(exported.folder)!r}), threads=1).check_probes(); "
        "sys.exit(', '.join({'torch', 'transformers', 'torchvision'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
