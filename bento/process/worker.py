"""One process that serves the Bento it lies in and drains when it is told to end. In the folder src of a Bento:

    python -m bento.process.worker HOST:PORT              alone, as in a container
    python -m bento.process.worker LISTENER LIFELINE      for a parent, by the numbers of two open files

LISTENER is a bound socket. Over LIFELINE, a socket pair, the worker tells its parent "ready", or "waiting" with the
reason, and its parent tells it "accept": before that it accepts nothing. When LIFELINE ends the parent is gone, however
it went; the worker then drains and ends, as it does after SIGTERM.
"""

import asyncio
import logging
import socket
import sys
from pathlib import Path

from bento.process.listener import listen
from catalog.errors import EtalageError
from search.reading import read_ahead

PACKED = "release"
"""Where a Bento holds its release, from the folder that a worker runs in."""


def main(arguments: list[str]) -> int:
    """Serve until told to end. Returns 0 when everything that was accepted has been answered."""
    lifeline = None
    if len(arguments) == 2:
        listener, lifeline = (socket.socket(fileno=int(number)) for number in arguments)
    elif len(arguments) == 1 and arguments[0].rpartition(":")[2].isdecimal():
        host, _, port = arguments[0].rpartition(":")
        try:
            listener = listen(host.strip("[]"), int(port))
        except EtalageError as error:
            print(error, file=sys.stderr)
            return 1
    else:
        print("usage: python -m bento.process.worker HOST:PORT", file=sys.stderr)
        return 2
    reading = read_ahead(Path.cwd() / PACKED)
    import bentoml  # this and what follows takes seconds to import, in which the store is read already

    from bento.process.serving import serve
    from bento.service import opener
    from bento.telling.json_lines import log_as_json_lines

    opener.begun = reading
    log_as_json_lines("uvicorn")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    service = bentoml.load(str(Path.cwd().parent))
    asyncio.run(serve(service.to_asgi(), listener, lifeline))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
