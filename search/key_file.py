"""The file that holds the API keys, read again whenever it changes: a key is made or revoked without a restart."""

from pathlib import Path

from pydantic import ValidationError

from search.keys import InvalidKeys, Keys

FILE = "keys.json"
Signature = tuple[int, int, int]
"""Device-independent signs of another content: modification time in ns, bytes, inode (a rename brings a new one)."""


def key_path(home: Path, chosen: Path | None) -> Path:
    """Where the keys are: `chosen`, or keys.json in `home`."""
    return (chosen or home / FILE).absolute()


def read_keys(path: Path) -> Keys:
    """The keys in `path`. Raises InvalidKeys when it is missing, unreadable or not such a file."""
    try:
        return Keys.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InvalidKeys(f"There is no key file at {path}: `etalage keys add` makes one.") from None
    except OSError as error:
        raise InvalidKeys(f"The key file {path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise InvalidKeys(f"{path} is not a key file: {where}: {first['msg']}.") from None


class KeyFile:
    """The keys as they are now. `required`: a missing file is a failure and not "no keys"."""

    def __init__(self, path: Path, required: bool) -> None:
        self.path = path
        self.required = required
        self._seen: Signature | None = None
        self._read: Keys | InvalidKeys | None = None

    def now(self) -> Keys | None:
        """The keys, or None where there is no file and none is required. Costs one stat while nothing changes.

        Raises InvalidKeys for a file that is broken, that is required and missing, or that was there and is gone:
        taking the file away must not open a service that runs.
        """
        signature = self._signature()
        if signature is None and not self.required:
            return None
        if signature is None or signature != self._seen or self._read is None:
            self.required = True
            self._seen = signature
            try:
                self._read = read_keys(self.path)
            except InvalidKeys as error:
                self._read = error
        if isinstance(self._read, InvalidKeys):
            raise InvalidKeys(str(self._read))
        return self._read

    def _signature(self) -> Signature | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InvalidKeys(f"The key file {self.path} cannot be read: {error.strerror}.") from None
        return found.st_mtime_ns, found.st_size, found.st_ino
