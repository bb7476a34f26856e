"""The files of the page, as they are sent: read once, from beside this module; no other path can be asked for."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from bento.errors import UnknownRoute

HOME = "index.html"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page: its own files, its own server, and pictures that it holds itself (data:, blob:).

Nothing inline may run, and what the service answers to other requests is JSON that no browser takes for a script
(nosniff).
"""


@cache
def page_files() -> dict[str, bytes]:
    """Name -> content of every file of the page."""
    return {path.name: path.read_bytes() for path in Path(__file__).parent.iterdir() if path.suffix in TYPES}


def page_file(name: str, request: Request) -> Response:
    """One file, or 304 where the browser has it. Raises UnknownRoute."""
    content = page_files().get(name)
    if content is None:
        raise UnknownRoute("There is nothing at this path; /openapi.json lists what there is.")
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if name == HOME:
        headers["Content-Security-Policy"] = POLICY
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=TYPES[Path(name).suffix], headers=headers)
