"""The BentoML service: the application of app.py, answering from the release that was packed beside this code.

    bentoml serve etalage:<release>

BentoML would answer /healthz, /livez, /readyz, /metrics and / itself, before any mounted application is asked. Its
probes know nothing of the release and its metrics take labels from callers, so every request goes to ours.
"""

from pathlib import Path
from typing import Any, cast

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from bento.app import create_app
from bento.process.opening import ReleaseOpener
from bento.telling.json_lines import log_as_json_lines
from bento.telling.metrics import Metrics

PACKED = Path(__file__).resolve().parents[1] / "release"

metrics = Metrics()
opener = ReleaseOpener(PACKED, metrics.cached)
app = create_app(opener, release=opener.release, metrics=metrics)


class EveryRequest:
    """ASGI middleware: requests go to `instead`, and only the server's start and stop reach BentoML's own routes."""

    def __init__(self, app: ASGIApp, instead: ASGIApp) -> None:
        self.app = app
        self.instead = instead

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request to the application, everything else to BentoML."""
        await (self.app if scope["type"] == "lifespan" else self.instead)(scope, receive, send)


@bentoml.service(
    name="etalage",
    workers=1,
    traffic={"timeout": 60},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},  # its own spans would go nowhere: ours are made in bento/telling/traces.py
)
@bentoml.asgi_app(app, path="/", name="etalage")
class Etalage:
    """Product search over one release: words, photos, both; see /openapi.json."""

    def __init__(self) -> None:
        log_as_json_lines()


cast(Any, Etalage).add_asgi_middleware(EveryRequest, instead=app)
