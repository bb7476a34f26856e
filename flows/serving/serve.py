"""`etalage serve`: the champion over HTTP, and after a change of it the next one, without a lost request.

A change is a promotion, a rollback, or a refresh of its rows.
"""

import asyncio
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

from bento.process.listener import listen
from bento.settings import ServiceSettings
from bento.telling.json_lines import log_as_json_lines
from bento.telling.traces import TraceSettings
from catalog.errors import ReleaseNotFound
from flows.keys import require_keys
from flows.packaging import is_packaged
from flows.refreshing.freshness import served_as
from flows.releases import ReleaseStore
from flows.serving.supervisor import Supervisor
from flows.serving.workers import Worker, start_worker


def serve(home: Path, host: str, port: int, release: str | None, workers: int = 1) -> int:
    """Serve the champion, whoever that is, or for good `release`, by `workers` processes. Returns the exit code.

    Raises ReleaseNotFound, NotReady where `port` is in use or traces are asked for that cannot be sent, InvalidQuery
    for a host that is none, and InvalidKeys where strangers reach `host` and there are no API keys.
    """
    require_keys(home, host)
    TraceSettings().exporters()
    store = ReleaseStore(home)
    manifest = store.get(release) if release else store.champion_manifest()
    if not is_packaged(manifest.release, home):
        raise ReleaseNotFound(
            f"Release {manifest.release} has no Bento: `etalage promote {manifest.release}` builds it."
        )

    def wanted() -> str:
        if release:
            return served_as(store, manifest.release)
        champion = store.champion()
        if champion is None:
            raise ReleaseNotFound(f"{store.champion_path} is gone.")
        return served_as(store, champion.release)

    async def start(served: str, listener: socket.socket, changed: Callable[[], None]) -> Worker:
        return await start_worker(served, home, listener, changed, metrics)

    async def supervise(listener: socket.socket) -> int:
        settings = ServiceSettings()
        return await Supervisor(listener, wanted, start, settings.ready_timeout, settings.drain_timeout, workers).run()

    log_as_json_lines()
    with listen(host, port) as listener:
        metrics = _empty(home / "service" / f"metrics-{port}") if workers > 1 else None
        return asyncio.run(supervise(listener))


def _empty(folder: Path) -> Path:
    """Where the workers of one port write what they count; who holds the port is alone with it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder.absolute()
