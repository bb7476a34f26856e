"""The export stage: the trained dual encoder as ONNX graphs for serving, checked against torch.

    python -m models.export        (from the root of a workspace; `dvc repro export`)

Reads artifacts/model and data/, writes artifacts/encoder and reports/export.json. Beside the encoder it writes
baseline/: the same backbones as they were before training, which evaluation compares with.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from catalog.media import MediaStore
from catalog.params import load_section
from catalog.tables import read_products, read_terms
from catalog.workspace import ENCODER, EXPORT_REPORT, MODEL
from models.dual_encoder import DualEncoder
from models.encoder import Encoder, cores
from models.encoder_folder import BASELINE, PRODUCT_TEXT, EncoderConfig, Floats, Probes, fingerprint
from models.export_graphs import BARE, write_fusion_graph, write_image_graph, write_text_graph
from models.fusion.weighing import MeanFusion
from models.params import ExportParams, ModelParams, served_width
from models.parity import cosines, trained_vectors
from models.presets import name_of, sources_of
from models.probes import probe_images, probe_texts
from models.towers.tower import TextTower


def main() -> None:
    """Export the trained model of this workspace."""
    params = load_section("export", ExportParams)
    torch.set_num_threads(cores())
    products = read_products()
    texts = probe_texts(products, read_terms(), params.probes)
    images = probe_images(products, MediaStore(), params.probes)
    report = export(DualEncoder.load(MODEL), texts, images, ENCODER, params.dim)
    report["model"] = fingerprint(MODEL)
    EXPORT_REPORT.parent.mkdir(exist_ok=True)
    EXPORT_REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    parity, ms = report["parity"]["min"], report["ms"]
    print(f"export: parity {parity:.7f}, {ms['text']} ms a text, {ms['image']} ms a picture")


def export(
    model: DualEncoder, texts: Sequence[str], images: Sequence[bytes], folder: Path, dim: int | None = None
) -> dict[str, Any]:
    """Write `model` and its baseline into `folder`, with probes; return the report. `dim`: see `write_encoder`.

    parity: cosine of torch and served vectors over the probes, 1 is the same. ms: median of one text or picture alone.
    """
    write_encoder(model, folder, dim)
    write_baseline(model, folder / BASELINE)
    for each in (folder / BASELINE, folder):
        write_probes(each, texts, images)
    served = Encoder.load(folder)
    expected = trained_vectors(model, texts, images, served.dim)
    vectors = {"text": served.encode_text(texts), "image": served.encode_image(images)}
    if model.queries is not None:
        vectors["product_text"] = served.encode_product_text(texts)
    parity = {name: _parity(expected[name], found) for name, found in vectors.items() if len(found)}
    pairs = min(len(texts), len(images))
    there = np.ones(pairs, dtype=bool)
    if pairs:
        fused = served.fuse_products(vectors["text"][:pairs], vectors["image"][:pairs], there, there)
        parity["fused"] = _parity(expected["fused"], fused)
    return {
        "encoder": served.fingerprint,
        "name": served.name,
        "dim": served.dim,
        "parity": {**parity, "min": min(part["min"] for part in parity.values())},
        "bytes": {path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(folder.rglob("*.onnx"))},
        "ms": {
            "text": _ms(lambda text: served.encode_text([text]), texts),
            "image": _ms(lambda image: served.encode_image([image]), images),
            "text_torch": _ms(lambda text: trained_vectors(model, [text], [], served.dim), texts),
            "image_torch": _ms(lambda image: trained_vectors(model, [], [image], served.dim), images),
        },
        "threads": cores(),
    }


def write_encoder(model: DualEncoder, folder: Path, dim: int | None = None) -> None:
    """Write graphs, tokenizer and encoder.json of the trained model; the last makes the folder readable.

    `dim`: one of the prefixes that the model was trained for, to which every vector is cut; None is all of D.
    Raises InvalidParams when it was not trained for that one.
    """
    dim = served_width(model.params, dim)
    _write_text(model.query_tower, folder, dim)
    if model.queries is not None:
        _write_text(model.text, folder / PRODUCT_TEXT, dim)
    write_image_graph(model.image, folder, dim)
    write_fusion_graph(model.fusion, dim, folder)
    whole = dim == model.dim
    config = EncoderConfig(
        name="-".join(
            [
                f"{name_of(model.params)}-{model.dim}",
                *([] if whole else [f"cut-{dim}"]),
                *([] if model.queries is None else [f"asked-by-{model.queries.name}"]),
            ]
        ),
        dim=dim,
        spaces={name: tower.span if whole else (0, dim) for name, tower in model.towers.items()},
        tokenizer=model.query_tower.tokens.spec,
        preprocess=model.image.preprocess,
        product_tokenizer=None if model.queries is None else model.text.tokens.spec,
    )
    config.write(folder)


def _write_text(tower: TextTower, folder: Path, dim: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tower.write_files(folder)
    write_text_graph(tower, folder, dim)


def write_baseline(model: DualEncoder, folder: Path) -> None:
    """Write the backbones as they were before training, without heads, fused by their mean.

    A backbone that started from random numbers starts there again; words have the numbers that training gave them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    before = DualEncoder.build(_before_training(model.params)).eval()
    before.text.fit_like(model.text)
    before.text.write_files(folder)
    write_text_graph(before.text, folder, BARE)
    write_image_graph(before.image, folder, BARE)
    text, image = before.text.width, before.image.width
    shared = sources_of(model.params).shared_space and text == image
    dim = text if shared else text + image
    write_fusion_graph(MeanFusion(dim, 2), dim, folder)
    config = EncoderConfig(
        name=f"{name_of(before.params)}-frozen",
        dim=dim,
        spaces={"text": (0, text), "image": (0, image) if shared else (text, dim)},
        tokenizer=before.text.tokens.spec,
        preprocess=before.image.preprocess,
    )
    config.write(folder)


def _before_training(params: ModelParams) -> ModelParams:
    frozen = {name: "frozen" for name in ("text", "image") if getattr(params, name) == "lora"}
    return params.model_copy(update={**frozen, "words_beside": "none"})


def write_probes(folder: Path, texts: Sequence[str], images: Sequence[bytes]) -> None:
    """Encode the probes with the encoder in `folder` and keep them there with their vectors."""
    encoder = Encoder.load(folder)
    text, image = encoder.encode_text(texts), encoder.encode_image(images)
    pairs = min(len(texts), len(images))
    there = np.ones(pairs, dtype=bool)
    fused = encoder.fuse_products(text[:pairs], image[:pairs], there, there)
    Probes(texts, images, text, image, fused).write(folder)


def _parity(expected: Floats, found: Floats) -> dict[str, float]:
    near = cosines(expected, found)
    return {"min": round(float(near.min()), 7), "mean": round(float(near.mean()), 7)}


def _ms(encode: Callable[[Any], object], items: Sequence[Any]) -> float | None:
    """Median milliseconds of one item alone, after one to warm up."""
    if not items:
        return None
    encode(items[0])
    times = []
    for item in items:
        started = time.perf_counter()
        encode(item)
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times), 2)


if __name__ == "__main__":
    main()
