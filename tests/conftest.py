"""How processes share out the tests (`--dist loadfile`): a file's stay together, and files that tell one story too."""

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

GOES_ON = {"tests/pipeline/test_schedules.py": "tests/pipeline/test_loop.py"}
"""File -> the one whose workspace it finds a champion in. In another process, or alone, it trains one of its own."""


class StoriesTogether(LoadFileScheduling):
    """By file, but for what goes on with another's workspace."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return GOES_ON.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """xdist's hook; None leaves every other way of sharing out to xdist."""
    return StoriesTogether(config, log) if config.getvalue("dist") == "loadfile" else None
