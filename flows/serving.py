"""`etalage serve`: the Bento of a release over HTTP, in place of this process."""

import os
from pathlib import Path

from bento.serve import serve_command
from catalog.errors import ReleaseNotFound
from flows.keys import require_keys
from flows.packaging import is_packaged, tag_of
from flows.releases import ReleaseStore


def serve(home: Path, host: str, port: int, release: str | None) -> None:
    """Become `bentoml serve` of the champion's Bento, or of `release`. Does not return.

    Raises ReleaseNotFound, and InvalidKeys where strangers reach `host` and there are no API keys.
    The process is replaced, so that signals and the exit code are BentoML's own.
    """
    require_keys(home, host)
    store = ReleaseStore(home)
    manifest = store.get(release) if release else store.champion_manifest()
    if not is_packaged(manifest.release, home):
        raise ReleaseNotFound(
            f"Release {manifest.release} has no Bento: `etalage promote {manifest.release}` builds it."
        )
    command, environment = serve_command(tag_of(manifest.release), home, host, port)
    environment["ETALAGE_HOME"] = str(home)  # absolute: the service runs in another folder
    os.execve(command[0], command, environment)
