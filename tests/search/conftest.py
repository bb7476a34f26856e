"""A Milvus server that the tests of the package share."""

from collections.abc import Iterator

import pytest

from tests.search.milvus_server import MilvusServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of a running server with an empty store."""
    with MilvusServer(tmp_path_factory.mktemp("server")) as running:
        yield running.uri
