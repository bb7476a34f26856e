"""Which URLs may be asked for: the one strict reading of a URL, and the rules it is held to.

Pure functions; client.py asks them again at every redirect.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from catalog.errors import InvalidQuery, UrlRefused
from catalog.fetching.addresses import Network
from catalog.fetching.hosts import PORTS, AllowedHost, Target, is_host

MAX_LENGTH = 2048
URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][!$-;=?-Z_a-z~%\[\]]*)?(?:#.*)?"
)
_WRITTEN = "%/:=&?~#+!$,;'@()*[]"
"""What a URL may hold as it is, beside letters and digits."""


@dataclass(frozen=True)
class UrlRules:
    """What may be asked for. `hosts` None: any host; `plain`: http as well as https; `networks`: connected to although
    they are not on the open net. `subject` is how sentences call the URL.
    """

    hosts: tuple[AllowedHost, ...] | None = None
    plain: bool = False
    networks: tuple[Network, ...] = ()
    subject: str = "the URL"

    @property
    def opening(self) -> str:
        """The subject at the beginning of a sentence."""
        return self.subject[:1].upper() + self.subject[1:]


def read_target(url: str, rules: UrlRules) -> Target:
    """What `url` asks for, when it may be asked for.

    Raises UrlRefused, or InvalidQuery for what is no URL of a picture on the net.
    """
    if "@" in re.split(r"[/?#\\]", url.partition("://")[2], maxsplit=1)[0]:
        raise InvalidQuery(f"{rules.opening} holds a user name or password: send a URL without.")
    read = URL.fullmatch(url) if len(url) <= MAX_LENGTH else None
    if read is None:
        raise InvalidQuery(
            f"{rules.opening} is not a URL of at most {MAX_LENGTH:,} characters, written in ASCII with % escapes."
        )
    scheme = read["scheme"].lower()
    if scheme not in (PORTS if rules.plain else ("https",)):
        raise UrlRefused(f"{rules.opening} must begin with {'https:// or http' if rules.plain else 'https'}://.")
    target = read["target"] or "/"
    port = int(read["port"]) if read["port"] else PORTS[scheme]
    path = target if target.startswith("/") else f"/{target}"
    found = Target(scheme, read["host"].lower().strip("[]"), port, path)
    if not _allowed(found, rules):
        raise UrlRefused(f"The host or port of {rules.subject} is not one that pictures are fetched from.")
    return found


def is_url(reference: str) -> bool:
    """Whether a reference to a picture is a URL and no name of a file; the scheme may be missing (//cdn.example/a)."""
    return re.match(r"\s*(https?:)?//", reference, re.IGNORECASE) is not None


def spelled(url: str) -> str:
    """`url` as it is asked for: what shops write beyond ASCII, and spaces, escaped; a host beyond ASCII in IDNA."""
    url = url.strip()
    scheme, mark, rest = (f"https:{url}" if url.startswith("//") else url).partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    try:
        wired = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        wired = host  # no URL, as read_target will say
    return f"{scheme}{mark}{wired}{quote(rest[len(host) :], safe=_WRITTEN)}"


def redirected(before: Target, location: str, rules: UrlRules) -> Target:
    """Where a redirect leads, under the same rules. Raises UrlRefused."""
    try:
        return read_target(urljoin(before.url, location), rules)
    except (UrlRefused, InvalidQuery, ValueError):
        raise UrlRefused(f"{rules.opening} leads to another place, which pictures are not fetched from.") from None


def _allowed(target: Target, rules: UrlRules) -> bool:
    if rules.hosts is None:
        return is_host(target.host) and 0 < target.port < 2**16
    return any(entry.allows(target) for entry in rules.hosts)
