"""A real headless browser at a real service over the small world of tests/bento/world.py, with pictures."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.browser import chromium
from bento.app import create_app
from bento.settings import ServiceSettings
from catalog.shards import write_shards
from tests.bento.running import free_port, is_ready
from tests.bento.tiny_encoder import photo
from tests.bento.world import catalogue, make_engine

expect.set_options(timeout=20_000)  # milliseconds: however busy the machine is


@contextmanager
def page_service(settings: ServiceSettings) -> Iterator[str]:
    """The address of a service that answers."""
    port = free_port()
    app = create_app(make_engine, release=lambda: "r1", settings=settings, bound=lambda: ("127.0.0.1",))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    address, until = f"http://127.0.0.1:{port}/", time.monotonic() + 60
    with httpx.Client(base_url=address) as client:
        while not is_ready(client) and time.monotonic() < until:
            time.sleep(0.05)
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures of the world's products."""
    folder: Path = tmp_path_factory.mktemp("media")
    write_shards([(p.images[0], photo(p.attributes["colour"])) for p in catalogue() if p.images], folder)
    return folder


@pytest.fixture(scope="module")
def service(media: Path) -> Iterator[str]:
    """The address of the page."""
    with page_service(ServiceSettings(pictures=media)) as address:
        yield address


@pytest.fixture(scope="module")  # its event loop must end with it: others start their own
def browser() -> Iterator[Browser]:
    """Chromium, headless."""
    with sync_playwright() as playwright:
        started = chromium(playwright)  # where there is none, the tests of the page fail and say so
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, service: str) -> Iterator[Page]:
    """The page, opened; the test fails where its scripts do, or its policy forbids something that they try."""
    with opened(browser, service) as own:
        yield own


@contextmanager
def opened(browser: Browser, address: str, **context: object) -> Iterator[Page]:
    """The page at `address` in a window of its own, which `context` describes."""
    window = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1200, "height": 900}, **context})  # type: ignore[arg-type]
    own, wrong = window.new_page(), []
    own.on("pageerror", lambda error: wrong.append(str(error)))
    own.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    own.goto(address)
    yield own
    window.close()
    assert [words for words in wrong if NETWORK not in words] == []


NETWORK = "Failed to load resource"
"""How the browser itself writes a refused request down; what the page makes of it is for the tests."""
