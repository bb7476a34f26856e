"""models/towers/pooling.py"""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from models.export_graphs import write_graph
from models.params import ModelParams
from models.towers.pooling import MapPooling, windows

MAP = torch.randn(2, 3, 7, 7, generator=torch.Generator().manual_seed(0))


def test_parts_of_a_side_that_does_not_divide_share_a_row() -> None:
    assert windows(7, 2).tolist() == [[0.25] * 4 + [0.0] * 3, [0.0] * 3 + [0.25] * 4]
    assert windows(2, 4).argmax(dim=1).tolist() == [0, 0, 1, 1]  # more parts than there are rows


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_every_level_is_torchs_adaptive_pooling(level: int) -> None:
    expected = F.adaptive_avg_pool2d(MAP, level).permute(0, 2, 3, 1).flatten(1)  # part by part
    torch.testing.assert_close(MapPooling((level,))(MAP), expected)


def test_a_pyramid_is_its_levels_side_by_side() -> None:
    params = ModelParams(image_pooling="pyramid", image_pyramid=(1, 2, 4))
    pooling = MapPooling.of(params)
    assert pooling.parts == 1 + 4 + 16
    assert torch.equal(pooling(MAP), torch.cat([MapPooling((level,))(MAP) for level in (1, 2, 4)], dim=1))
    assert MapPooling.of(ModelParams()).parts == 1


def test_a_pyramid_over_seven_by_seven_is_exported(tmp_path: Path) -> None:
    import onnxruntime

    path = tmp_path / "pooling.onnx"
    write_graph(MapPooling((1, 2, 4)), (MAP,), path, ["features"], ({0: torch.export.Dim("batch")},))
    (found,) = onnxruntime.InferenceSession(path).run(None, {"features": MAP[:1].numpy()})
    assert np.abs(found - MapPooling((1, 2, 4))(MAP[:1]).numpy()).max() < 1e-6
