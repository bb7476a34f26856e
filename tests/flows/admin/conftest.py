"""What the tests of the admin view share: pictures, a home in the working directory, the view over it, a key for it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.keys import add_key
from tests.flows.admin.homes import Home, a_home, admin_of, copied
from tests.flows.workspaces import enter

BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("admin-pictures")
    return folder


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Home:
    """Made once for all tests."""
    return a_home(tmp_path_factory.mktemp("admin-home"), pictures)


@pytest.fixture
def home(made: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home of this test's own; its workspace is the working directory."""
    own = copied(made, tmp_path)
    enter(tmp_path, monkeypatch)
    monkeypatch.setenv("ETALAGE_HOME", str(own.store.home))
    return own


@pytest.fixture
def secret(home: Home) -> str:
    """An admin's key."""
    return add_key(home.keys, "A. Person", ("admin",))[1]


@pytest.fixture
def address(home: Home, secret: str) -> Iterator[str]:
    with admin_of(home) as started:
        yield started


@pytest.fixture
def script(address: str, secret: str) -> Iterator[httpx.Client]:
    """Somebody with the key in a header."""
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {secret}"}, timeout=60) as client:
        yield client


@pytest.fixture
def logged_in(address: str, secret: str) -> Iterator[httpx.Client]:
    """A browser's requests after the form took the key."""
    with httpx.Client(base_url=address, headers=BROWSER, timeout=60) as client:
        assert client.post("/login", data={"key": secret, "next": "/"}).status_code == 303
        yield client
