"""An embedded store, read by a short-lived process of its own: the serving one never holds what only reading needs.

    with Reading(uri, release, encoder, wait_s) as reading:    # begins at once
        ...                                                     # the time it takes is free for something else
        collection = reading.collection()

The rows come through a file without a name, so nothing is left of it however either process ends.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from catalog.errors import EncoderMismatch, EtalageError, NotReady, ReleaseNotFound
from search.collection import Collection
from search.release import read_manifest
from search.settings import SearchSettings

WAIT = 5.0
"""Seconds for an embedded store that another process holds; then the service says so, and tries again."""
LONGEST = 600.0
"""Seconds after which the reader counts as stuck: over a million products are read in that."""
_REFUSED = 3  # exit code: the file holds why
_REFUSALS: dict[str, type[EtalageError]] = {
    kind.__name__: kind for kind in (EncoderMismatch, NotReady, ReleaseNotFound)
}
_CODE = Path(__file__).resolve().parents[1]


def read_ahead(folder: Path) -> "Reading | None":
    """Begin to read what the release in `folder` is answered from; None where there is nothing to read that way.

    What is wrong with folder or store is told when the release is opened, and not here.
    """
    settings = SearchSettings()
    if settings.asks_a_server or not Path(settings.uri).exists():
        return None
    try:
        manifest = read_manifest(folder)
    except EtalageError:
        return None
    return Reading(settings.uri, manifest.release, manifest.encoder, WAIT)


class Reading:
    """A reader at work. Close it, or use it as a context: a reader that nobody waits for is ended."""

    def __init__(self, uri: str, release: str, encoder: str, wait_s: float) -> None:
        """Begin. `uri` is the path of an embedded store; the rest is as in search.milvus.lite.read_release."""
        self.uri, self.release, self.encoder = uri, release, encoder
        self._file = tempfile.TemporaryFile(prefix="etalage-rows-")  # noqa: SIM115 (closed by `close`)
        number = self._file.fileno()
        command = [sys.executable, "-P", "-m", "search.reading", str(number), uri, release, encoder, str(wait_s)]
        path = os.pathsep.join([str(_CODE), *filter(None, [os.environ.get("PYTHONPATH")])])  # this very code
        self._process = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": path}, pass_fds=[number], stdin=subprocess.DEVNULL
        )

    def collection(self, longest: float = LONGEST) -> Collection:
        """Wait for the rows. Raises what the reader was refused, and NotReady when it takes `longest` or crashed."""
        from search.handover import read_rows  # slow to load, and there is time for it now
        from search.memory import MemoryCollection
        from search.stored import collection_name

        try:
            code = self._process.wait(longest)
        except subprocess.TimeoutExpired:
            raise NotReady(f"The process that reads the store was not done within {longest:g} seconds.") from None
        self._file.seek(0)
        if code == _REFUSED:
            kind, sentence = json.load(self._file)
            raise _REFUSALS[kind](sentence)
        if code != 0:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}; its reason is in the log"
            raise NotReady(f"The process that reads the store {how}.")
        rows = read_rows(self._file)
        self._file.close()
        return MemoryCollection(rows, name=collection_name(self.release), release=self.release)

    def close(self) -> None:
        """End the reader if it is still at work."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._file.close()

    def __enter__(self) -> "Reading":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def main(arguments: list[str]) -> int:
    """The reader: rows, or the reason why there are none, into the open file that is named by its number."""
    from search.handover import write_rows
    from search.milvus.lite import read_release

    number, uri, release, encoder, wait_s = arguments
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # of a terminal, meant for the service, which then ends this
    with open(int(number), "wb") as file:  # noqa: PTH123 (no path)
        try:
            _, rows = read_release(Path(uri), release, encoder, float(wait_s))
        except tuple(_REFUSALS.values()) as error:
            file.write(json.dumps([type(error).__name__, str(error)]).encode())
            return _REFUSED
        write_rows(file, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
