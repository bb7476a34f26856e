"""Hosts that a picture's URL may name, and what a URL asks for once it is read."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

PORTS = {"http": 80, "https": 443}
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*")
NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
"""Names that a resolver may read as an IPv4 address: 127.1, 2130706433, 0x7f.1, 017700000001."""
ENTRY = re.compile(r"(?P<wild>\*\.)?(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True)
class Target:
    """One request: `host` is a lower-case name or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """As it is asked for."""
        return f"{self.scheme}://{self.authority}{self.path}"


@dataclass(frozen=True)
class AllowedHost:
    """An entry of the list: a name, all names below one (`below`), or an address. `port` None: that of the scheme."""

    host: str
    below: bool
    port: int | None

    @classmethod
    def parse(cls, entry: str) -> "AllowedHost":
        """`shop.example`, `*.shop.example`, `shop.example:8443`, `10.0.0.7`, `[fd00::7]`. Raises ValueError."""
        read = ENTRY.fullmatch(entry.strip().lower())
        host = read["host"].strip("[]") if read else ""
        if not read or not is_host(host):
            raise ValueError(f"'{entry}' is neither a host, *.host nor an address, with or without :port")
        if read["wild"] and (_is_address(host) or "." not in host):
            raise ValueError(f"'{entry}' allows more than the names below one domain")
        if read["port"] and not 0 < int(read["port"]) < 2**16:
            raise ValueError(f"'{entry}' has no port from 1 to 65535")
        return cls(host, below=bool(read["wild"]), port=int(read["port"]) if read["port"] else None)

    def allows(self, target: Target) -> bool:
        """Whether the target's host and port are meant."""
        meant = target.host.endswith("." + self.host) if self.below else target.host == self.host
        return meant and target.port == (self.port or PORTS[target.scheme])


def is_host(host: str) -> bool:
    """Whether `host`, lower-case and without brackets, is a name or the usual spelling of an address."""
    if NUMERIC.fullmatch(host) or ":" in host:
        return _is_address(host)
    return NAME.fullmatch(host) is not None


def _is_address(host: str) -> bool:
    try:
        return str(ip_address(host)) == host  # no other spelling of it
    except ValueError:
        return False
