"""Limits of the service, from the environment (ETALAGE_SERVICE_...). Read when the service starts, never at import."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from catalog.fetching.lists import Hosts, Networks


class ServiceSettings(BaseSettings):
    """How much one service process takes on. Times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix="ETALAGE_SERVICE_", frozen=True, extra="ignore")

    threads: int = Field(default=2, ge=1, le=64)
    """Queries answered at the same time."""
    queue: int = Field(default=32, ge=0)
    """Most queries that wait for a thread, whatever they are expected to take; the next one is told 429."""
    patience: float = Field(default=5.0, ge=0)
    """Usual queries, in what they take, that all threads together may have before the next one; beyond it, 429."""
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
    """First wait before opening the release again; it doubles up to 10 s."""
    probe_text: str = "red dress 红色连衣裙"
    """What /readyz asks the engine; both languages, so that the first caller waits for no dictionary."""
    probe_timeout: float = Field(default=5.0, gt=0)

    keep_alive: int = Field(default=5, ge=1)
    """Of an idle connection. More than a proxy in front keeps it, or the proxy sends into a closed one."""
    drain_timeout: float = Field(default=30.0, gt=0)
    """How long a process that is to end may take to answer what it has accepted."""
    ready_timeout: float = Field(default=120.0, gt=0)
    """How long a new release may take until it answers; after that the old one stays, and it is tried again."""

    keys: Path | None = None
    """The file of the API keys; by default keys.json in ETALAGE_HOME. Named here, it must be there."""
    rate: float = Field(default=0.0, ge=0, le=100_000)
    """Requests a second that one key (without keys: one address) may make for long; 0 sets no limit."""
    burst: int = Field(default=20, ge=1)
    """Requests that it may make at once after a pause."""
    wrong_keys: int = Field(default=20, ge=0, le=100_000)
    """Wrong API keys a minute from one address; the next ones are told 429, right ones are let in. 0 sets no limit."""
    pictures: Path | None = None
    """The folder of packed media that /pictures shows; `etalage serve` names that of its workspace. None: none."""
    query_cache: int = Field(default=10_000, ge=0)
    """Vectors of queries that are remembered, 4 x D bytes each; 0: none."""
    image_hosts: Hosts = ()
    """Hosts that `image_url` may name, with commas between them: shop.example, *.cdn.example, shop.example:8443. Empty:
    no image URL is fetched.
    """
    image_http: bool = False
    """Whether http:// will do."""
    image_networks: Networks = ()
    """Networks that are not on the open net and may be connected to all the same: an intranet's, 10.1.0.0/16."""
    image_redirects: int = Field(default=3, ge=0, le=10)
    image_timeout: float = Field(default=5.0, gt=0)
    """For the whole fetch: names, connections, redirects and bytes."""
    image_connect_timeout: float = Field(default=2.0, gt=0)
    image_fetches: int = Field(default=8, ge=1, le=100)
    """Pictures fetched at the same time; the next one is told 429."""
    log_queries: Literal["none", "hash", "plain"] = "none"
    """What a request's line in the log, and its line in the journal, tell of the query."""
    journal: bool = True
    """Whether a line is kept of every query and its answer (bento/journals/journal.py)."""
    journal_folder: Path | None = None
    """Where; by default journal/ in ETALAGE_HOME, and nowhere where that is not there."""
    journal_bytes: int = Field(default=256 * 2**20, ge=2**16)
    """Of all files together; the oldest lines go first."""
    journal_days: float = Field(default=30.0, gt=0)
    """How long a line is kept after its file was closed, which is when it is a day old at the latest."""
    journal_hits: int = Field(default=10, ge=0, le=200)
    """Ids of hits in a line."""
    log_key: SecretStr = SecretStr("")
    """Key of the hashes in the log; empty: a new one in every process, so that hashes compare within one process."""
