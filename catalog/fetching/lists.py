"""Settings that are lists with commas between them: hosts and networks."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from catalog.fetching.hosts import AllowedHost


def _listed(words: Any) -> Any:
    """`a, b` as ["a", "b"]."""
    return [word.strip() for word in words.split(",") if word.strip()] if isinstance(words, str) else words


def _hosts(words: Any) -> Any:
    """`shop.example, *.cdn.example` as AllowedHosts. Raises ValueError."""
    return [AllowedHost.parse(word) if isinstance(word, str) else word for word in _listed(words)]


Hosts = Annotated[tuple[AllowedHost, ...], NoDecode, BeforeValidator(_hosts)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_listed)]
