"""Where the store and the releases are, from the environment: ETALAGE_HOME, ETALAGE_MILVUS_URI and so on.

settings = SearchSettings()   # read now, never at import
"""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

IndexChoice = Literal["auto", "FLAT", "HNSW", "AUTOINDEX"]


class SearchSettings(BaseSettings):
    """Frozen. Without ETALAGE_MILVUS_URI the embedded store in ETALAGE_HOME is used."""

    model_config = SettingsConfigDict(env_prefix="ETALAGE_", frozen=True)

    home: Path = Path(".etalage")
    """Releases, the embedded store and the Bento store."""
    milvus_uri: str = ""
    """http://host:port of a server, or a path that ends in .db for the embedded store."""
    milvus_token: str = Field(default="", repr=False)
    """user:password or an API key of the server."""
    milvus_wait_s: float = Field(default=60.0, ge=0.0)
    """How long to wait for an embedded store that another process holds."""
    milvus_timeout_s: float = Field(default=20.0, gt=0.0)
    """How long writers wait for a server: to connect, and for each call."""
    milvus_query_timeout_s: float = Field(default=1.5, gt=0.0)
    """How long a query of the service may wait for a server, all its calls together; connecting has as long."""

    milvus_index: IndexChoice = "auto"
    """Index of new collections' vectors. auto: FLAT (exact) on Milvus Lite, HNSW on a server; AUTOINDEX for a cloud."""

    @property
    def asks_a_server(self) -> bool:
        """Whether the store is one over the network."""
        return "://" in self.uri

    @property
    def server(self) -> str:
        """host:port of the Milvus server, without user and password; "" for an embedded store."""
        return urlsplit(self.uri).netloc.rpartition("@")[2] if self.asks_a_server else ""

    @property
    def uri(self) -> str:
        """The store's address, with the default filled in."""
        return self.milvus_uri or str(self.home / "milvus" / "etalage.db")
