"""What the tests of the package share: a started application over a small real engine, and a Bento that is served."""

import time
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from bento.app import create_app
from bento.settings import ServiceSettings
from tests.bento.running import Served, Shop, make_shop, serving
from tests.bento.world import make_engine


@pytest.fixture(scope="package", autouse=True)
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home without API keys, whatever lies in the one of this checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ETALAGE_HOME", str(tmp_path_factory.mktemp("empty-home")))
        yield


@pytest.fixture(scope="package")
def client() -> Iterator[TestClient]:
    """A client of a ready service."""
    app = create_app(make_engine, release=lambda: "r1", settings=ServiceSettings())
    with TestClient(app, raise_server_exceptions=False) as started:
        until = time.monotonic() + 10
        while started.get("/readyz").status_code != 200 and time.monotonic() < until:
            time.sleep(0.02)
        yield started


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """One release, built into a Bento."""
    return make_shop(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="package")
def served(shop: Shop) -> Iterator[Served]:
    """Its service over real HTTP, one for all tests: none of them may leave it worse than it was."""
    with serving(shop) as running:
        yield running
