"""The admin view as a server: keys first, then a socket, then uvicorn until it is stopped."""

import logging
import signal
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from bento.guarding.addresses import is_loopback
from bento.guarding.door import Door
from bento.process.listener import listen
from bento.settings import ServiceSettings
from bento.telling.json_lines import log_as_json_lines
from flows.admin.app import create_app
from flows.admin.catalogue import Catalogue
from flows.admin.entrance import Gatekeeper
from flows.admin.rolling import by_command
from flows.admin.sessions import Sessions
from flows.keys import keys_of
from flows.releases import ReleaseStore
from search.key_file import read_keys
from search.keys import ADMIN, InvalidKeys

logger = logging.getLogger("etalage.admin")


def serve(home: Path, host: str, port: int) -> None:
    """Serve until it is stopped. Raises InvalidKeys without a key for it, NotReady where `port` is in use."""
    door = door_of(home, host)
    log_as_json_lines()
    app = create_app(ReleaseStore(home), Gatekeeper(door, Sessions()), Catalogue(), by_command(home))
    with listen(host, port) as listener:
        if not is_loopback(host):
            logger.warning("keys come in the clear to %s: let a proxy with TLS stand before it, on its machine", host)
        bound = listener.getsockname()[1]
        logger.info("http://%s:%s/ shows the releases of %s", f"[{host}]" if ":" in host else host, bound, home)
        for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises what ended it once more, when it has ended
            signal.signal(number, lambda *_: None)
        server_of(app).run(sockets=[listener])


def server_of(app: ASGIApp) -> uvicorn.Server:
    """The server, without banner and access log. Addresses are those of the connections: a header is no proof."""
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, proxy_headers=False)
    return uvicorn.Server(config)


def door_of(home: Path, host: str) -> Door:
    """The service's door before this home's keys. Raises InvalidKeys where none of them opens this view."""
    path = keys_of(home)
    live = read_keys(path).live() if path.exists() else ()
    if not any(key.allows(ADMIN) for key in live):
        raise InvalidKeys(
            'No API key opens the admin view yet: make one with `etalage keys add "A. Person" --scope admin`.'
        )
    return Door(ServiceSettings().model_copy(update={"keys": path}), lambda: (host,))
