"""What the tests of the package share: a started application over a small real engine, and a Bento that is served."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from bento.settings import ServiceSettings
from tests.bento.running import Served, Shop, make_shop, serving
from tests.bento.world import ready_client


@pytest.fixture(scope="module", autouse=True)
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home without API keys, whatever lies in the one of this checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ETALAGE_HOME", str(tmp_path_factory.mktemp("empty-home")))
        yield


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """A client of a ready service."""
    with ready_client(ServiceSettings()) as started:
        yield started


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """One release, built into a Bento."""
    return make_shop(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def served(shop: Shop) -> Iterator[Served]:
    """Its service over real HTTP, one for all tests: none of them may leave it worse than it was."""
    with serving(shop) as running:
        yield running
