"""One workspace for the whole story: a small shop, tiny params, a Prefect server beside it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.repository import copy_repository
from tests.pipeline.workspace import LEFT_OUT, Workspace, prefect_server, write_shop


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prefect_server(tmp_path_factory.mktemp("prefect") / "home") as url:
        yield url


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory, server: str) -> Workspace:
    folder = tmp_path_factory.mktemp("workspace")
    copy_repository(folder, without=LEFT_OUT)
    ours = ("PREFECT_", "ETALAGE_", "BENTOML_", "DVC_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"PREFECT_API_URL": server, "COLUMNS": "200"}
    return Workspace(folder, environment)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 160 products."""
    folder = tmp_path_factory.mktemp("shop")
    assert write_shop(folder, every=3) > 150
    return folder


@pytest.fixture(scope="session")
def tiny_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty products: fewer than validation asks for."""
    folder = tmp_path_factory.mktemp("tiny-shop")
    write_shop(folder, every=3, most=20)
    return folder
