"""Prefect's own store for the tests of a module."""

from collections.abc import Iterator

import pytest

from prefect.testing.utilities import prefect_test_harness  # isort: skip


@pytest.fixture(scope="module")
def prefect() -> Iterator[None]:
    """A server of its own, where flows and artifacts are written down."""
    with prefect_test_harness(server_startup_timeout=180):
        yield
