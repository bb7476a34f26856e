"""A real encoder folder of a few kilobytes: words and colours known by hand, in the format that models.export writes.

A text is the mean of its words' rows of WORDS; a picture is its mean colour. D = 8: red, green, blue, black, dress,
shirt, shoes, and one for whatever else there is.
"""

import io
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from models.encoder import Encoder
from models.encoder_folder import FUSION_GRAPH, IMAGE_GRAPH, TEXT_GRAPH, EncoderConfig, Probes
from models.preprocess import ImagePreprocess
from models.text_tokens import TokenizerSpec

DIM = 8
SIDE = 8
WORDS = {
    "red": 0, "红": 0, "色": 7, "green": 1, "绿": 1, "blue": 2, "蓝": 2, "black": 3, "黑": 3,
    "dress": 4, "裙": 4, "shirt": 5, "衫": 5, "shoes": 6, "鞋": 6,
}  # fmt: skip
COLOURS = {"Red": (220, 20, 20), "Green": (20, 220, 20), "Blue": (20, 20, 220), "Black": (10, 10, 10)}
OPSET = 17


def photo(colour: str, side: int = 64) -> bytes:
    """A picture of one colour, as JPEG."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), COLOURS[colour]).save(file, "JPEG")
    return file.getvalue()


def write_tiny_encoder(folder: Path) -> Encoder:
    """Write graphs, tokenizer, configuration and probes into `folder`; return the opened encoder."""
    folder.mkdir(parents=True)
    spec = TokenizerSpec(kind="tokenizers", file="tokenizer.json", max_tokens=16, pad_id=0)
    (folder / spec.file).write_text(json.dumps(_tokenizer()), encoding="utf-8")
    EncoderConfig(
        name="tiny",
        dim=DIM,
        spaces={"text": (0, DIM), "image": (0, DIM)},
        tokenizer=spec,
        preprocess=ImagePreprocess(size=SIDE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
    ).write(folder)
    _write_text(folder / TEXT_GRAPH)
    _write_image(folder / IMAGE_GRAPH)
    _write_fusion(folder / FUSION_GRAPH)
    encoder = Encoder.load(folder, threads=1)
    texts, images = ["red dress", "蓝色鞋"], [photo("Red"), photo("Blue")]
    text, image = encoder.encode_text(texts), encoder.encode_image(images)
    fused = encoder.fuse_products(text, image, np.ones(2, dtype=bool), np.ones(2, dtype=bool))
    Probes(texts=texts, images=images, text=text, image=image, fused=fused).write(folder)
    return Encoder.load(folder, threads=1)


def _tokenizer() -> dict[str, object]:
    """Words and single Han characters, ids from 2; 0 pads, 1 is every other word."""
    vocabulary = {"[PAD]": 0, "[UNK]": 1, **{word: number + 2 for number, word in enumerate(WORDS)}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    }


def _write_text(path: Path) -> None:
    """ids, mask [B, L] -> the mean row of the known words, plus a little of `whatever else`, unit length."""
    rows = np.zeros((len(WORDS) + 2, DIM), dtype=np.float32)
    rows[1, 7] = 0.1
    for number, dimension in enumerate(WORDS.values()):
        rows[number + 2, dimension] = 1.0
    rows[:, 7] += 0.05
    nodes = [
        helper.make_node("Gather", ["rows", "input_ids"], ["words"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["words", "wide"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "one"], ["raw"], keepdims=0),
        helper.make_node("Add", ["raw", "little"], ["sum"]),
        helper.make_node("LpNormalization", ["sum"], ["vectors"], axis=-1, p=2),
    ]
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["B", "L"]) for n in ("input_ids", "attention_mask")]
    little = np.zeros(DIM, dtype=np.float32)
    little[7] = 0.01
    constants = {"rows": rows, "last": np.array([-1]), "one": np.array([1]), "little": little}
    _save(path, nodes, inputs, "vectors", constants)


def _write_image(path: Path) -> None:
    """pixels [B, 3, S, S] in 0..1 -> mean colour in the dimensions of the colours, black where it is dark."""
    weights = np.zeros((3, DIM), dtype=np.float32)
    weights[[0, 1, 2], [0, 1, 2]] = 1.0
    weights[:, 3] = -0.4
    bias = np.zeros(DIM, dtype=np.float32)
    bias[3], bias[7] = 0.35, 0.01
    nodes = [
        helper.make_node("ReduceMean", ["pixels"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["colour", "weights"], ["turned"]),
        helper.make_node("Add", ["turned", "bias"], ["raw"]),
        helper.make_node("LpNormalization", ["raw"], ["vectors"], axis=-1, p=2),
    ]
    inputs = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["B", 3, SIDE, SIDE])]
    _save(path, nodes, inputs, "vectors", {"weights": weights, "bias": bias})


def _write_fusion(path: Path) -> None:
    """vectors [B, M, D], present [B, M] -> the normalised sum of what is present."""
    nodes = [
        helper.make_node("Unsqueeze", ["present", "last"], ["wide"]),
        helper.make_node("Mul", ["vectors", "wide"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "one"], ["sum"], keepdims=0),
        helper.make_node("LpNormalization", ["sum"], ["fused"], axis=-1, p=2),
    ]
    inputs = [
        helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["B", 2, DIM]),
        helper.make_tensor_value_info("present", TensorProto.FLOAT, ["B", 2]),
    ]
    _save(path, nodes, inputs, "fused", {"last": np.array([-1]), "one": np.array([1])})


def _save(path: Path, nodes: list, inputs: list, output: str, constants: dict[str, np.ndarray]) -> None:
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["B", DIM])]
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, path)
