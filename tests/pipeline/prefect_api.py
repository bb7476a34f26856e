"""The REST API of a Prefect server, as far as the tests ask it."""

import json
import time
import urllib.request
from typing import Any

from tests.pipeline.workspace import LONG

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
Run = dict[str, Any]


class Server:
    """At `url`, which ends in /api."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, path: str, body: object) -> Any:
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read() or b"null")

    def deployment(self, flow: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/deployments/name/{flow}/etalage", timeout=60) as reply:
            return json.loads(reply.read())

    def runs(self) -> list[Run]:
        """All runs of deployments that were not put off to later, in the order of their start."""
        every = self.post("/flow_runs/filter", {"sort": "EXPECTED_START_TIME_ASC", "limit": 200})
        return [run for run in every if run["deployment_id"] and run["name"] not in self.before]

    def announced(self) -> list[str]:
        """Resources of the events that told of new snapshots."""
        wanted = {"filter": {"event": {"name": ["etalage.snapshot.new"]}}, "limit": 50}
        return [event["resource"]["prefect.resource.id"] for event in self.post("/events/filter", wanted)["events"]]

    def artifacts(self, key: str) -> list[Any]:
        """All artifacts of that key."""
        wanted = {"artifacts": {"key": {"any_": [key]}}, "limit": 50}
        return list(self.post("/artifacts/filter", wanted))

    before: frozenset[str] = frozenset()

    def forget(self) -> None:
        """Runs of until now do not count any more."""
        self.before = frozenset({*self.before, *(run["name"] for run in self.runs())})

    def wait_for(self, count: int) -> list[Run]:
        """`count` runs that ended; more than these may be under way."""
        deadline = time.monotonic() + LONG
        while len(ended := [run for run in self.runs() if run["state_type"] in ENDED]) < count:
            assert time.monotonic() < deadline, [(run["name"], run["state_name"]) for run in self.runs()]
            time.sleep(0.5)
        return ended
