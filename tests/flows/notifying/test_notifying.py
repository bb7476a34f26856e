"""Notifications by real blocks: what a web server and a mail server on this machine were sent."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.errors import RefusedByGates
from flows.notifying.hooks import TOLD, NotificationSettings
from flows.notifying.mail import Mail
from flows.notifying.message import table
from flows.orchestration import flow
from flows.outcome import RetrainOutcome
from flows.releases import ChampionRecord
from flows.verdict import Verdict
from tests.flows.notifying.receivers import mail_server, web_server
from tests.flows.worlds import a_release, a_store, an_answer

from prefect.blocks.notifications import CustomWebhookNotificationBlock  # isort: skip

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect")]


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """A block of Prefect's own, and what its server was sent."""
    with web_server() as (url, bodies):
        form = {"title": "{{subject}}", "text": "{{body}}"}
        CustomWebhookNotificationBlock(name="shop", url=url, json_data=form).save("shop", overwrite=True)
        monkeypatch.setenv("ETALAGE_NOTIFY", "custom-webhook/shop")
        yield bodies


def run(result: object) -> object:
    """What Prefect makes of a flow that ends with `result`, by its hooks."""

    @flow(name="retrain", **TOLD)
    def ends() -> object:
        if isinstance(result, Exception):
            raise result
        return result

    return ends(return_state=True).type.value


def promoted(verdict: Verdict) -> RetrainOutcome:
    return RetrainOutcome(status="promoted", sentence="Release r1 passed.", release="r1", verdict=verdict)


def test_a_promotion_goes_to_the_webhook_with_the_table_of_the_gates(webhook: list[bytes]) -> None:
    verdict = an_answer("r1", "r0", True)
    assert run(promoted(verdict)) == "COMPLETED"
    [body] = webhook
    assert json.loads(body) == {
        "title": "etalage retrain: promoted",
        "text": f"Release r1 passed.\n\nGates on release r1:\n\n{table(verdict.rows())}\n",
    }


def test_a_refusal_is_told_by_mail_with_the_table_of_the_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = an_answer("r1", "r0", False)
    with mail_server() as (port, mails):
        address = (
            f"mailto://127.0.0.1:{port}?from=etalage@shop.example&to=team@shop.example&smtp=127.0.0.1&mode=insecure"
        )
        Mail(url=address).save("team", overwrite=True)
        monkeypatch.setenv("ETALAGE_NOTIFY", "etalage-mail/team")
        assert run(RefusedByGates(verdict)) == "FAILED"
    [mail] = mails
    assert (mail["Subject"], mail["To"]) == ("etalage retrain: refused", "team@shop.example")
    text = mail.get_content().replace("\r\n", "\n")
    assert verdict.sentence() in text and table(verdict.rows()) in text
    assert mail.get_content_type() == "text/plain"


def test_a_message_that_does_not_arrive_is_an_error_in_the_log_and_the_next_has_its_turn(
    webhook: list[bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with web_server(status=500) as (url, _):
        CustomWebhookNotificationBlock(name="broken", url=url).save("broken", overwrite=True)
        names = "custom-webhook/broken, custom-webhook/nobody, custom-webhook/shop"
        monkeypatch.setenv("ETALAGE_NOTIFY", names)
        with caplog.at_level(logging.INFO, logger="prefect.flow_runs"):
            assert run(promoted(an_answer("r1", None, True))) == "COMPLETED"
    assert len(webhook) == 1
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2
    assert errors[0].startswith("Nobody was told by custom-webhook/broken: HTTPStatusError: ") and "500" in errors[0]
    assert errors[1].startswith("Nobody was told by custom-webhook/nobody: ValueError: ")


def test_a_rollback_is_told_with_the_gates_of_the_release_that_answers_again(
    webhook: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = an_answer("r1", None, True)
    store, _ = a_store(tmp_path / "home")
    a_release(store, "r1", gate=verdict.model_dump(mode="json"))
    monkeypatch.setenv("ETALAGE_HOME", str(store.home))
    assert run(ChampionRecord(release="r1", since="2026-01-01T00:00:00+00:00", by="A Tester")) == "COMPLETED"
    assert table(verdict.rows()) in json.loads(webhook[0])["text"]


def test_nothing_to_do_is_logged_and_sent_to_nobody(webhook: list[bytes], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="prefect.flow_runs"):
        assert run(RetrainOutcome(status="unchanged", sentence="Nothing changed.")) == "COMPLETED"
    assert webhook == []
    assert "etalage retrain: unchanged. Nothing changed." in caplog.text


def test_the_environment_names_blocks_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETALAGE_NOTIFY", " custom-webhook/a,, etalage-mail/b ,custom-webhook/a")
    assert NotificationSettings().blocks == ("custom-webhook/a", "etalage-mail/b")
    monkeypatch.delenv("ETALAGE_NOTIFY")
    assert NotificationSettings().blocks == ()


@pytest.mark.parametrize("url", ["https://shop.example", "mailto://"])
def test_what_is_no_address_to_send_mail_by_is_refused_when_the_block_is_made(url: str) -> None:
    with pytest.raises(ValueError, match="mail block"):
        Mail(url=url)
