"""API keys: how one is made, what is kept of it, which one a secret belongs to. Pure; search/key_file.py reads them.

A secret is `etalage_<id>_<64 hex digits>`. The id is public and finds the record; the digits are 256 random bits, and
only an HMAC of the whole secret under a salt of the key's own is kept.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Literal, Self, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from catalog.errors import EtalageError

KeyScope = Literal["search", "feedback", "admin"]
SCOPES: tuple[KeyScope, ...] = get_args(KeyScope)
ADMIN: KeyScope = "admin"
"""It allows what every other scope allows."""

SECRET = re.compile(r"etalage_([0-9a-f]{8})_[0-9a-f]{64}")
HEX_32 = r"^[0-9a-f]{32}$"
HEX_64 = r"^[0-9a-f]{64}$"


class InvalidKeys(EtalageError):
    """The API keys cannot be used as they are (a missing or broken file, an unknown id, a name that is none)."""


class Key(BaseModel):
    """What is kept of one key: never its secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[0-9a-f]{8}$")
    name: str = Field(min_length=1, max_length=64)
    """Who holds it, for people."""
    scopes: tuple[KeyScope, ...] = Field(min_length=1)
    salt: str = Field(pattern=HEX_32)
    digest: str = Field(pattern=HEX_64)
    """HMAC-SHA256 of the secret under `salt`, in hex."""
    created_at: AwareDatetime
    revoked_at: AwareDatetime | None = None

    def allows(self, scope: KeyScope) -> bool:
        """Whether its holder may do what `scope` names."""
        return scope in self.scopes or ADMIN in self.scopes


class Keys(BaseModel):
    """All keys of a service, revoked ones too: who held what, and until when, can be told later."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    keys: tuple[Key, ...] = ()

    @model_validator(mode="after")
    def _every_id_once(self) -> Self:
        if len(self._by_id) < len(self.keys):
            raise ValueError("two keys have the same id")
        return self

    @cached_property
    def _by_id(self) -> dict[str, Key]:
        return {key.id: key for key in self.keys}

    def live(self) -> tuple[Key, ...]:
        """The keys that open something."""
        return tuple(key for key in self.keys if key.revoked_at is None)

    def holder(self, secret: str) -> Key | None:
        """The key that `secret` belongs to; None for an unknown or a revoked one.

        An HMAC is computed and compared in constant time whatever was sent, so that the time says nothing of a digest.
        """
        shape = SECRET.fullmatch(secret)
        key = self._by_id.get(shape.group(1)) if shape else None
        salt, kept = (key.salt, key.digest) if key else (NOBODY, digest_of_secret("", NOBODY))
        same = hmac.compare_digest(digest_of_secret(secret, salt), kept)
        return key if key is not None and same and key.revoked_at is None else None

    def plus(self, key: Key) -> "Keys":
        """These keys and `key`. Raises InvalidKeys for an id that is taken."""
        if key.id in self._by_id:
            raise InvalidKeys(f"There is a key with the id {key.id} already: try again.")
        return Keys(keys=(*self.keys, key))

    def without(self, id: str, now: datetime) -> "Keys":
        """These keys with the key `id` revoked at `now`. Raises InvalidKeys for an unknown id or a revoked key."""
        key = self._by_id.get(id)
        if key is None:
            raise InvalidKeys(f"No key has the id {id[:20]!r}: `etalage keys list` shows them.")
        if key.revoked_at is not None:
            raise InvalidKeys(f"Key {id} was revoked on {key.revoked_at:%Y-%m-%d} already.")
        ended = key.model_copy(update={"revoked_at": now})
        return Keys(keys=tuple(ended if other.id == id else other for other in self.keys))


def make_key(name: str, scopes: tuple[KeyScope, ...], now: datetime) -> tuple[Key, str]:
    """A new key and its secret, which nothing can tell again. Raises InvalidKeys for a bad name or no scope."""
    if not 1 <= len(name) <= 64 or not name.isprintable() or name != name.strip():
        raise InvalidKeys("A key's name has 1 to 64 printable characters, with no blank at its ends.")
    if not scopes:
        raise InvalidKeys(f"A key has one or more of the scopes {', '.join(SCOPES)}.")
    id, salt = secrets.token_hex(4), secrets.token_hex(16)
    secret = f"etalage_{id}_{secrets.token_hex(32)}"
    digest = digest_of_secret(secret, salt)
    return Key(id=id, name=name, scopes=scopes, salt=salt, digest=digest, created_at=now), secret


def scopes_of(names: Sequence[str]) -> tuple[KeyScope, ...]:
    """The scopes that `names` name. Raises InvalidKeys for a name that is none."""
    for name in names:
        if name not in SCOPES:
            raise InvalidKeys(f"{name[:20]!r} is not a scope; known are: {', '.join(SCOPES)}.")
    return tuple(scope for scope in SCOPES if scope in names)


def digest_of_secret(secret: str, salt: str) -> str:
    """HMAC-SHA256 of `secret` in hex, keyed with the bytes that `salt` (hex) stands for."""
    return hmac.new(bytes.fromhex(salt), secret.encode(), hashlib.sha256).hexdigest()


NOBODY = "00" * 16
"""The salt under which a secret is hashed that names no key."""
