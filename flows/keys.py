"""Making and revoking API keys: the key file is changed under a lock of its own, whole or not at all."""

import fcntl
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bento.guarding.addresses import is_loopback
from bento.settings import ServiceSettings
from flows.durable import write_durably
from search.key_file import key_path, read_keys
from search.keys import InvalidKeys, Key, Keys, KeyScope, make_key

OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR


def keys_of(home: Path) -> Path:
    """The key file that a service of `home` reads: ETALAGE_SERVICE_KEYS, or keys.json in `home`."""
    return key_path(home, ServiceSettings().keys)


def add_key(path: Path, name: str, scopes: tuple[KeyScope, ...]) -> tuple[Key, str]:
    """Add a key to the file at `path`, which is made if it is missing. Returns the key and its secret.

    Raises InvalidKeys for a bad name, no scope or a broken file; the file is then as it was.
    """
    key, secret = make_key(name, scopes, _now())
    _change(path, lambda keys: keys.plus(key))
    return key, secret


def revoke_key(path: Path, id: str) -> Key:
    """Revoke the key `id` in the file at `path`; services take note at their next request. Returns the key.

    Raises InvalidKeys for an unknown id, a key revoked before, a missing or broken file.
    """
    read_keys(path)  # a missing file is told as such
    changed = _change(path, lambda keys: keys.without(id, _now()))
    return next(key for key in changed.keys if key.id == id)


def require_keys(home: Path, host: str) -> None:
    """Raises InvalidKeys where `host` is reached by strangers and no API key would stop them.

    So does a broken key file, or a named one that is missing, whatever the host: the service would let nobody in.
    """
    path = keys_of(home)
    if path.exists() or ServiceSettings().keys is not None:
        read_keys(path)
    elif not is_loopback(host):
        raise InvalidKeys(
            f"Strangers reach {host}, and there are no API keys: make one with `etalage keys add NAME`, "
            "or serve on 127.0.0.1."
        )


def _change(path: Path, change: Callable[[Keys], Keys]) -> Keys:
    with _alone(path):
        changed = change(read_keys(path) if path.exists() else Keys())
        # Whoever gave a service of another user the right to read it keeps it.
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else OWNER_ONLY
        write_durably(path, changed.model_dump_json(indent=2) + "\n", mode)
    return changed


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait for others who change the file: two who add a key at once must both find theirs in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
