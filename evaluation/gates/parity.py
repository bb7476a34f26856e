"""The parity stage: does what is served find what the trained model finds?

    python -m evaluation.gates.parity          (from the root of a workspace; `dvc repro parity`)

Reads data/, artifacts/model, artifacts/encoder and artifacts/embeddings. Asks the same questions about the held-out
products of both, in torch as it was trained and in ONNX Runtime as it serves, and writes reports/parity.json.
Legend: B questions, N products, D width of the space.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch

from catalog.media import MediaStore
from catalog.params import load_section
from catalog.splits import SplitParams, split_products
from catalog.tables import read_judgements, read_products, read_terms, snapshot_id
from catalog.workspace import MODEL, PARITY_REPORT
from evaluation.gates import fidelity
from evaluation.gates.fidelity import DEPTH, SAME_SCORE
from evaluation.params import EvaluateParams, ParityParams
from evaluation.queries.questions import few_questions
from evaluation.results import Parity, ParityReport
from evaluation.runs import photos_of
from models.dual_encoder import DualEncoder
from models.embeddings import load_embeddings
from models.encoder import Encoder, cores
from models.encoder_folder import Floats
from models.parity import cosines, trained_vectors

Each = TypeVar("Each")


def main() -> None:
    """Compare the two encoders of this workspace."""
    params, split = load_section("parity", ParityParams), load_section("split", SplitParams)
    seed = load_section("evaluate", EvaluateParams).seed
    products, terms = read_products(), read_terms()
    pool = split_products(products, split)["test"]
    questions = few_questions(pool, products, terms, read_judgements(), seed=seed, most=params.texts)
    photos = photos_of(MediaStore())
    texts = _spread(sorted({query.text for query in questions.queries if query.text}), params.texts)
    shown = _spread([query for query in questions.queries if query.image is not None], params.photos)
    images = [data for query in shown if (data := photos(query)) is not None]
    encoder, embeddings = Encoder.load(), load_embeddings()
    torch.set_num_threads(cores())
    trained = trained_vectors(DualEncoder.load(MODEL), texts, images, encoder.dim)
    served = {"text": encoder.encode_text(texts), "image": encoder.encode_image(images)}
    rows = tuple(
        compared(modality, trained[modality], vectors, embeddings.fused)
        for modality, vectors in served.items()
        if len(vectors)
    )
    report = ParityReport(snapshot=snapshot_id(), encoder=encoder.fingerprint, rows=rows)
    PARITY_REPORT.parent.mkdir(exist_ok=True)
    PARITY_REPORT.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for row in rows:
        print(f"parity: {row.modality}: cosine {row.cosine_min:.6f}, overlap@{DEPTH} {row.overlap:.4f}, n = {row.n}")


def compared(modality: str, trained: Floats, served: Floats, products: Floats) -> Parity:
    """Vectors [B, D] of the same questions by both, and [N, D] of the products that they find."""
    near = cosines(trained, served)
    return Parity(
        modality=modality,
        n=len(near),
        cosine_min=round(float(near.min()), 7),
        cosine_mean=round(float(near.mean()), 7),
        overlap=round(overlap(trained @ products.T, served @ products.T), 6),
    )


def overlap(first: Floats, second: Floats) -> float:
    """Mean overlap@10 of what the scorings [B, N] of the same N products find, by the rule of gates.fidelity:
    products that tie may change places, as variants of one look and one name do.
    """
    return float(np.mean([_overlap(mine, theirs) for mine, theirs in zip(first, second, strict=True)]))


def _overlap(mine: Floats, theirs: Floats) -> float:
    last = len(mine) - min(DEPTH, len(mine))
    near = np.flatnonzero(mine >= np.partition(mine, last)[last] - SAME_SCORE)
    truth = [(str(row), float(mine[row])) for row in near[np.argsort(-mine[near])]]
    return fidelity.overlap(truth, [str(row) for row in np.argpartition(theirs, last)[last:]])


def _spread(items: Sequence[Each], most: int) -> list[Each]:
    """At most `most` of them, from all over the list."""
    if len(items) <= most:
        return list(items)
    return [items[int(at)] for at in np.linspace(0, len(items) - 1, most)]


if __name__ == "__main__":
    main()
