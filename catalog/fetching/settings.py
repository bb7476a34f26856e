"""How an ingest downloads pictures, from the environment (ETALAGE_MEDIA_...). Read when it starts, never at import."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from catalog.errors import InvalidParams
from catalog.fetching.lists import Hosts, Networks


class MediaSettings(BaseSettings):
    """Times in seconds. A picture's size is limited as every other picture's is (catalog.media.MAX_BYTES)."""

    model_config = SettingsConfigDict(env_prefix="ETALAGE_MEDIA_", frozen=True, extra="ignore")

    download: bool = True
    """Whether pictures that a catalogue names by URL are fetched at all."""
    cache: Path | None = None
    """Where downloaded pictures are kept; by default downloads/ in ETALAGE_HOME."""
    cache_days: float = Field(default=30.0, gt=0)
    """How long a picture is kept there that no ingest has asked for."""
    hosts: Hosts = ()
    """Hosts that may be asked, with commas between them: shop.example, *.cdn.example. Empty: every host."""
    networks: Networks = ()
    """Networks that are not on the open net and may be connected to all the same: an intranet's, 10.1.0.0/16."""
    proxy: SecretStr | None = None
    """http://host:port or http://user:password@host:port; the usual HTTPS_PROXY is not read."""
    at_once: int = Field(default=16, ge=1, le=256)
    """Pictures fetched at the same time."""
    per_host: int = Field(default=6, ge=1, le=256)
    """Of those, from one host."""
    timeout: float = Field(default=30.0, gt=0)
    """For one attempt at one picture: names, connections, redirects and bytes."""
    connect_timeout: float = Field(default=5.0, gt=0)
    redirects: int = Field(default=5, ge=0, le=20)
    retries: int = Field(default=3, ge=0, le=20)
    """Attempts after the first, where another may do."""
    backoff: float = Field(default=0.5, ge=0)
    """Before the second attempt; it doubles with each. What the server asks for (Retry-After) comes before it."""
    longest_wait: float = Field(default=60.0, ge=0)
    """A server that asks for more (Retry-After) is not waited for: the picture is missing this time."""
    give_up: int = Field(default=20, ge=1)
    """Attempts in a row that a host leaves unanswered until no more of its pictures are asked for."""
    resume_hours: float = Field(default=24.0, ge=0)
    """How old an ingest that was killed may be for the next one to go on with what it had fetched, unasked."""

    @field_validator("proxy")
    @classmethod
    def _is_http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        named = urlsplit(value.get_secret_value())
        if named.scheme not in ("http", "https") or not named.hostname:
            raise ValueError("a proxy is http://host:port or http://user:password@host:port")
        return value


def media_settings() -> MediaSettings:
    """What the environment says now. Raises InvalidParams with one sentence."""
    try:
        return MediaSettings()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = f"ETALAGE_MEDIA_{first['loc'][0]}".upper()
        raise InvalidParams(f"{name}: {first['msg'].removeprefix('Value error, ')}.") from None
