"""Limits of the service, from the environment (ETALAGE_SERVICE_...). Read when the service starts, never at import."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """How much one service process takes on. Times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix="ETALAGE_SERVICE_", frozen=True, extra="ignore")

    threads: int = Field(default=2, ge=1, le=64)
    """Queries answered at the same time."""
    queue: int = Field(default=32, ge=0)
    """Queries that may wait for a thread; the next one is told 429."""
    encoder_threads: int = Field(default=1, ge=1)
    """ONNX Runtime threads of one query."""
    query_timeout: float = Field(default=15.0, gt=0)
    """A query that waited and ran for longer is answered 503."""
    body_timeout: float = Field(default=20.0, gt=0)
    """A body that takes longer to arrive is answered 408."""
    max_image_bytes: int = Field(default=10 * 2**20, gt=0)
    max_body_bytes: int = Field(default=14 * 2**20, gt=0)
    """Of one request: a picture at its limit, in base64, fits."""
    max_other_bytes: int = Field(default=256 * 2**10, gt=0)
    """Of everything in a request that is not its picture."""
    max_held_bytes: int = Field(default=256 * 2**20, gt=0)
    """Of all bodies held at the same time; the next one is told 429."""
    retry_seconds: float = Field(default=2.0, gt=0)
    """First wait before opening the release again; it doubles up to 30 s."""
    probe_text: str = "red dress 红色连衣裙"
    """What /readyz asks the engine; both languages, so that the first caller waits for no dictionary."""
    probe_timeout: float = Field(default=5.0, gt=0)

    keys: Path | None = None
    """The file of the API keys; by default keys.json in ETALAGE_HOME. Named here, it must be there."""
    rate: float = Field(default=0.0, ge=0, le=100_000)
    """Requests a second that one key (without keys: one address) may make for long; 0 sets no limit."""
    burst: int = Field(default=20, ge=1)
    """Requests that it may make at once after a pause."""
    query_cache: int = Field(default=10_000, ge=0)
    """Vectors of queries that are remembered, 4 x D bytes each; 0: none."""
    log_queries: Literal["none", "hash", "plain"] = "none"
    """What a request's line in the log tells of the query."""
    log_key: SecretStr = SecretStr("")
    """Key of the hashes in the log; empty: a new one in every process, so that hashes compare within one process."""
