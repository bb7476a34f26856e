"""Every request that docs/feedback.md shows is answered as it says there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bento.feedback.schemas import MOST_EVENTS, FeedbackEvent
from bento.settings import ServiceSettings
from search.keys import SCOPES
from tests.bento.journals.test_journal import lines_of
from tests.bento.world import ready_client

GUIDE = (Path(__file__).parents[3] / "docs" / "feedback.md").read_text(encoding="utf-8")
ASKED = re.compile(
    r"curl -si? 127\.0\.0\.1:3000(?P<path>/\w+) .*?-d '(?P<body>[^']*)'[^\n]*\n(?:#   (?P<answer>[^\n]*)\n)?", re.S
)
"""A request, its path and body, and the comment behind it that says what comes back."""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with ready_client(ServiceSettings(journal_folder=tmp_path)) as started:
        yield started


def test_the_requests_of_the_guide_are_answered_as_it_says(client: TestClient, tmp_path: Path) -> None:
    asked = [found for line in re.split(r"(?=^curl )", GUIDE, flags=re.M) if (found := ASKED.match(line))]
    assert [found["path"] for found in asked] == ["/search", "/feedback", "/feedback"]
    for found in asked:
        reply = client.post(found["path"], json=json.loads(found["body"]))
        assert reply.status_code == 200, reply.text
        if found["path"] == "/feedback":
            assert reply.json() == json.loads(found["answer"])
        else:
            assert reply.headers["X-Request-Id"]
    assert len(lines_of(tmp_path / "feedback")) == 2


def test_the_guide_names_every_field_the_bound_and_a_scope_that_there_is() -> None:
    fields = re.findall(r"^\| `(\w+)` \|", GUIDE, flags=re.M)
    assert fields == list(FeedbackEvent.model_fields)
    needed = re.findall(r"^\| `(\w+)` \| needed \|", GUIDE, flags=re.M)
    assert needed == [name for name, field in FeedbackEvent.model_fields.items() if field.is_required()]
    assert f"Up to {MOST_EVENTS} events a request, {ServiceSettings().max_other_bytes // 1024} KB" in GUIDE
    assert set(re.findall(r"--scope (\w+)", GUIDE)) <= set(SCOPES)
