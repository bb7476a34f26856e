"""What eight-bit encoders would save, and what they would lose, beside the ones that serve.

    OMP_NUM_THREADS=1 python -m benchmarks.int8 [ROUNDS]

From the root of a workspace with a finished `etalage retrain`. Each graph of the encoder is quantised by ONNX Runtime:
dynamically (weights int8, activations as they come) and, for pictures, statically (both from 150 calibration
pictures). Prints p50 milliseconds of one query on one thread, medians of the rounds, as a multiple of the graph that
serves; the cosine of both vectors; and overlap@10 of what both find among all products, which the gates want at .99.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from catalog.media import MediaStore, decode_image
from catalog.params import load_section
from catalog.products import Product
from catalog.splits import SplitParams, split_products
from catalog.tables import read_products
from catalog.workspace import ENCODER
from evaluation.gates.parity import overlap
from models.embeddings import load_embeddings
from models.encoder import open_session
from models.encoder_folder import IMAGE_GRAPH, TEXT_GRAPH, VECTORS, Floats, read_config
from models.parity import cosines
from models.text_tokens import load_tokens

ASKED, CALIBRATION = 300, 150
Inputs = Mapping[str, NDArray[Any]]


class Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Calibration pictures, one after the other."""

    def __init__(self, inputs: Sequence[Inputs]) -> None:
        self._left: Iterator[Inputs] = iter(inputs)

    def get_next(self) -> Inputs | None:
        """The next one, None after the last."""
        return next(self._left, None)


def main(rounds: int) -> None:
    """Measure and print."""
    products, media, config = read_products(), MediaStore(), read_config(ENCODER)
    splits = split_products(products, load_section("split", SplitParams))
    tokens, fused = load_tokens(ENCODER, config.tokenizer), load_embeddings().fused
    texts: list[Inputs] = [dict(tokens([product.title])) for product in splits["test"][:ASKED]]
    calibrating, asked = (
        [{"pixels": config.preprocess.prepare_batch([decode_image(media.read(each.images[0]))])} for each in part]
        for part in (_shown(splits["train"], CALIBRATION), _shown(splits["test"], ASKED))
    )
    print(f"{len(products)} products, {len(texts)} titles and {len(asked)} pictures, {rounds} rounds, one thread")
    print("| graph | ms | x fp32 | MB | cosine, mean | cosine, least | overlap@10 |")
    print("|---" * 7 + "|")
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        _table("text", ENCODER / TEXT_GRAPH, {"dynamic": lambda to: _dynamic(plain, to)}, plain, texts, fused, rounds)
        ways: dict[str, Callable[[Path], None]] = {
            "dynamic": lambda to: _dynamic(plain, to),
            "static": lambda to: _static(plain, to, calibrating),
        }
        _table("image", ENCODER / IMAGE_GRAPH, ways, plain, asked, fused, rounds)


def _table(
    name: str,
    graph: Path,
    ways: dict[str, Callable[[Path], None]],
    plain: Path,
    asked: Sequence[Inputs],
    products: Floats,
    rounds: int,
) -> None:
    """Rows of one graph: as it serves, and quantised in each way."""
    model = onnx.load(graph)
    del model.graph.value_info[:]  # the exporter's shapes of LSTMs are not those that the quantiser infers
    onnx.save(model, plain)
    graphs = {"fp32": graph}
    for way, quantise in ways.items():
        graphs[way] = plain.with_name(f"{name}-{way}.onnx")
        quantise(graphs[way])
    sessions = {way: open_session(path, 1) for way, path in graphs.items()}
    vectors: dict[str, Floats] = {}
    took: dict[str, list[float]] = {way: [] for way in sessions}
    for _ in range(rounds):
        for way, session in sessions.items():
            rows, times = [], []
            for inputs in asked:
                started = time.perf_counter()
                rows.append(session.run([VECTORS], inputs)[0])
                times.append((time.perf_counter() - started) * 1000)
            vectors[way] = np.concatenate(rows)
            took[way].append(median(times))
    least = median(took["fp32"])
    for way, path in graphs.items():
        near, ms = cosines(vectors["fp32"], vectors[way]), median(took[way])
        found = overlap(vectors["fp32"] @ products.T, vectors[way] @ products.T)
        print(
            f"| {name}, {way} | {ms:.2f} | {ms / least:.2f} | {path.stat().st_size / 1e6:.1f} "
            f"| {near.mean():.4f} | {near.min():.4f} | {found:.3f} |",
            flush=True,
        )


def _dynamic(graph: Path, to: Path) -> None:
    quantize_dynamic(graph, to, weight_type=QuantType.QInt8, per_channel=True)


def _static(graph: Path, to: Path, inputs: Sequence[Inputs]) -> None:
    ready = to.with_suffix(".ready")
    quant_pre_process(graph, ready, skip_symbolic_shape=True)
    quantize_static(
        ready,
        to,
        Pictures(inputs),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "Add", "Clip"],
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )


def _shown(products: Sequence[Product], most: int) -> list[Product]:
    return [product for product in products if product.images][:most]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
