"""ONNX graphs of a dual encoder, with dynamic batch and text length."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from onnxscript.ir.passes.common import ClearMetadataAndDocStringPass
from torch import Tensor, nn
from torch.export import Dim
from torch.export._patches import register_gru_while_loop_decomposition, register_lstm_while_loop_decomposition
from torch.nn import functional as F

from catalog.errors import InvalidParams
from models.encoder_folder import FUSION_GRAPH, IMAGE_GRAPH, MODALITIES, PLACES, POOLED, TEXT_GRAPH, VECTORS
from models.fusion.fusion import Fusion
from models.prefixes import PrefixFusion, unit_prefix
from models.text_tokens import TokenizerSpec
from models.towers.tower import ImageTower, TextTower, Tower

_EXAMPLE = 5  # tokens, at least
BARE = 0  # as a graph's dim: the backbone without its head


class TextGraph(nn.Module):
    """Token inputs in the order of the tokenizer's spec -> what `served` gives."""

    def __init__(self, tower: TextTower, dim: int) -> None:
        super().__init__()
        self.tower, self.dim = tower, dim
        self.names = tower.tokens.spec.all_inputs

    def forward(self, *inputs: Tensor) -> Tensor:
        """int64 [B, L] each -> [B, d]."""
        return served(self.tower, self.tower.pooled(dict(zip(self.names, inputs, strict=True))), self.dim)


class ImageGraph(nn.Module):
    """pixels -> what `served` gives; with `seen` also what late interaction takes: [B, C, h, w] and pooled [B, F]."""

    def __init__(self, tower: ImageTower, dim: int, seen: bool = False) -> None:
        super().__init__()
        self.tower, self.dim, self.seen = tower, dim, seen

    def forward(self, pixels: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """float32 [B, 3, H, W] -> [B, d] and more."""
        features = self.tower.early(pixels)
        pooled = self.tower.late(features)
        vectors = served(self.tower, pooled, self.dim)
        return (vectors, self.tower.places(features), pooled) if self.seen else vectors


def served(tower: Tower, pooled: Tensor, dim: int) -> Tensor:
    """Pooled [B, W] -> unit rows of the part of the space that the tower fills, or of the first `dim` dimensions of
    a space that has more; BARE: [B, W], without the head.
    """
    if dim == BARE:
        return F.normalize(pooled, dim=-1)
    vectors = tower.project(pooled)
    first, last = tower.span
    return vectors[:, first:last] if dim == tower.head.dim else unit_prefix(vectors, dim)


def write_text_graph(tower: TextTower, folder: Path, dim: int | None = None) -> None:
    """Write text.onnx; its inputs carry the names of the tokenizer's spec. `dim`: see `served`; None is all."""
    spec = tower.tokens.spec
    example = tower.tokenize(["a red dress for women", "shoes"])
    shapes = _shapes(spec, Dim("batch"))
    arguments = tuple(_lengthened(example[name]) for name in spec.all_inputs)
    graph = TextGraph(tower, tower.head.dim if dim is None else dim)
    write_graph(graph, arguments, folder / TEXT_GRAPH, list(spec.all_inputs), (shapes,))


def _lengthened(ids: Tensor) -> Tensor:
    """[B, L] -> [B, _EXAMPLE or more], repeating the last column: only the shape counts, and the exporter takes a
    length of 1, or one that is the batch's, for fixed.
    """
    return torch.cat([ids, ids[:, -1:].expand(-1, max(0, _EXAMPLE - ids.shape[1]))], dim=1)


def _shapes(spec: TokenizerSpec, batch: Dim, name: str = "length") -> tuple[dict[int, Dim], ...]:
    """What varies of each input: the batch, and the length unless texts are always filled up to it."""
    length = {} if spec.pad == "max_tokens" else {1: Dim(name, min=2, max=spec.max_tokens)}
    own = ({0: batch, **length},) * len(spec.inputs)
    return own if spec.beside is None else (*own, *_shapes(spec.beside, batch, f"{name}_beside"))


def write_image_graph(tower: ImageTower, folder: Path, dim: int | None = None) -> None:
    """Write image.onnx with the input `pixels`. `dim`: see `served`; None is all.

    Without BARE, and where the tower knows places, the graph tells them too: they cost nothing on the way.
    """
    size = tower.preprocess.size
    example = torch.zeros(2, 3, size, size)
    seen = dim != BARE and _knows_places(tower, example)
    graph = ImageGraph(tower, tower.head.dim if dim is None else dim, seen)
    outputs = [VECTORS, PLACES, POOLED] if seen else [VECTORS]
    write_graph(graph, (example,), folder / IMAGE_GRAPH, ["pixels"], ({0: Dim("batch")},), outputs)


def _knows_places(tower: ImageTower, example: Tensor) -> bool:
    try:
        with torch.inference_mode():
            tower.places(tower.early(example))
    except InvalidParams:  # late.enabled is refused for it; without late interaction nobody asks
        return False
    return True


def write_fusion_graph(fusion: Fusion, dim: int, folder: Path) -> None:
    """Write fusion.onnx with the inputs `vectors` [B, M, d] and `present` [B, M], 1 where there is one."""
    example = (torch.zeros(2, len(MODALITIES), dim), torch.ones(2, len(MODALITIES)))
    shapes = ({0: Dim("batch")}, {0: Dim("batch")})
    write_graph(PrefixFusion(fusion), example, folder / FUSION_GRAPH, ["vectors", "present"], shapes, ["fused"])


def write_graph(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    names: list[str],
    shapes: object,
    outputs: Sequence[str] = (VECTORS,),
) -> None:
    """Write `module` as a graph with inputs `names` and `outputs`, traced with `example`; `shapes`: what varies.

    Raises RuntimeError when the exporter fixed a size that varies, as it does in silence.
    """
    with warnings.catch_warnings(), _quiet(), torch.no_grad(), _recurrent_lengths_vary():
        warnings.simplefilter("ignore")  # deprecations inside the exporter
        program = torch.onnx.export(
            module.eval(),
            example,
            dynamo=True,
            input_names=names,
            output_names=list(outputs),
            dynamic_shapes=shapes,  # type: ignore[arg-type]
            verbose=False,
        )
        assert program is not None
        _check_sizes(program.model.graph.inputs, list(_each(shapes)))
        # The exporter notes where in which file each operation comes from: the same model would be other bytes, and so
        # another encoder and release, in another folder.
        ClearMetadataAndDocStringPass()(program.model)
        program.save(path, external_data=False)


def _each(shapes: Any) -> Iterator[Mapping[int, Dim]]:
    """What varies of each input, of tuples in tuples."""
    for shape in shapes:
        if isinstance(shape, Mapping):
            yield shape
        else:
            yield from _each(shape)


def _check_sizes(inputs: Sequence[Any], varying: Sequence[Mapping[int, Dim]]) -> None:
    for value, axes in zip(inputs, varying, strict=True):
        fixed = [axis for axis in axes if isinstance(value.shape[axis], int)]
        if fixed:
            raise RuntimeError(f"the ONNX exporter fixed the size of axis {fixed[0]} of {value.name}, which varies")


@contextlib.contextmanager
def _recurrent_lengths_vary() -> Iterator[None]:
    """torch 2.13 lets an LSTM's length vary while it captures a graph, and fixes it again while it decomposes one
    (pytorch/pytorch#191855; mended there in #193192, after this release): so it is let vary all the while.
    """
    with register_lstm_while_loop_decomposition(), register_gru_while_loop_decomposition():
        yield


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter reports its steps on stdout and warns of optimisations it leaves out; errors still come through."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
