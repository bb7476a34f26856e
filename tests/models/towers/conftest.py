"""What the tests of towers share: files to build them from, and a served encoder to put them into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.dual_encoder import DualEncoder
from models.export import write_encoder
from models.towers import torchvision_image
from tests.models.towers.thin_networks import thin
from tests.models.towers.tower_sources import image_params, image_tower, text_tower


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sources")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, sources: Path) -> Iterator[Path]:
    """An encoder folder, so that one tower's graph can be put in the place of another's."""
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torchvision_image, "_network", thin)
        text, image = text_tower("bag_of_words", "frozen", sources), image_tower("resnet18", "finetuned", sources)
        params = image_params("resnet18", "finetuned", sources)
        write_encoder(DualEncoder(params, text, image), folder)
        yield folder
