"""Rolling back over HTTP: asked for on a page, once, by somebody who is named, and only what that page said."""

import asyncio
import re

import httpx
import pytest

from bento.errors import Busy
from flows.admin.refusals import Overtaken
from flows.admin.rolling import Rollbacks, Wish
from flows.promotion import INTENT, promote
from tests.flows.admin.homes import GOOD, UNMEASURED, WORSE, Home

FORM = {"champion": WORSE, "to": GOOD, "reason": "hits for shoes look wrong"}


def proof_in(page: str) -> str:
    found = re.search(r'name="proof" value="([^"]+)"', page)
    assert found
    return found[1]


def asked(client: httpx.Client, **changes: str) -> httpx.Response:
    """The form of the page, sent."""
    proof = proof_in(client.get("/rollback").text)
    return client.post("/rollback", data={**FORM, "proof": proof, **changes})


def test_the_page_says_what_will_change(script: httpx.Client):
    page = script.get("/rollback").text
    assert f"Roll back to {GOOD}?" in page and f"etalage promote {WORSE}" in page
    assert f"<code>products_{GOOD}</code>" in page and f"<code>etalage:{GOOD}</code>" in page
    assert "No service of this home" in page and "Scores now and then" in page


def test_a_rollback_changes_the_champion_and_the_record_says_who_and_why(home: Home, logged_in: httpx.Client):
    reply = asked(logged_in)
    assert (reply.status_code, reply.headers["location"]) == (303, "/rollback/progress")
    while "Refresh" in (page := logged_in.get("/rollback/progress")).headers:
        pass
    assert f"Rolled back to {GOOD}" in page.text and FORM["reason"] in page.text
    champion, entry = home.store.champion(), home.store.history()[-1]
    assert (
        champion is not None
        and (champion.release, champion.withdrawn) == (GOOD, (WORSE,))
        and home.alias.pointed == GOOD
    )
    assert (entry.move, entry.release, entry.instead_of, entry.reason) == ("rollback", GOOD, WORSE, FORM["reason"])
    assert re.fullmatch(r"A\. Person \(key [0-9a-f]{8}, etalage admin\)", entry.by)
    assert "There is no earlier release to roll back to." in logged_in.get("/rollback").text


@pytest.mark.parametrize("proof", ["", "guessed"])
def test_a_form_without_the_proof_of_this_log_in_does_nothing(home: Home, logged_in: httpx.Client, proof: str):
    reply = asked(logged_in, proof=proof)
    assert reply.status_code == 403 and "nothing was done" in reply.text
    reply = logged_in.post("/rollback", data={**FORM, "proof": proof}, headers={"sec-fetch-site": "cross-site"})
    assert reply.status_code == 403
    assert home.store.champion().release == WORSE  # type: ignore[union-attr]


def test_the_proof_of_another_log_in_does_nothing(home: Home, address: str, secret: str, logged_in: httpx.Client):
    with httpx.Client(base_url=address, headers=dict(logged_in.headers)) as other:
        other.post("/login", data={"key": secret})
        theirs = proof_in(other.get("/rollback").text)
    assert asked(logged_in, proof=theirs).status_code == 403
    assert home.store.champion().release == WORSE  # type: ignore[union-attr]


def test_asking_by_get_does_nothing(home: Home, script: httpx.Client):
    assert script.get("/rollback", params=FORM).status_code == 200
    assert script.put("/rollback", data=FORM).status_code == 405
    assert home.store.champion().release == WORSE  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        ({"reason": "  "}, 422, "A rollback needs a reason"),
        ({"reason": "two\nlines"}, 422, "one line"),
        ({"reason": "x" * 301}, 422, "at most 300 characters"),
        ({"champion": ""}, 422, "Say which release"),
        ({"champion": GOOD}, 409, f"Meanwhile release {WORSE} is the champion"),
        ({"to": UNMEASURED}, 409, f"Meanwhile release {WORSE} is the champion"),
    ],
)
def test_what_is_not_as_the_page_said_is_refused(
    home: Home, logged_in: httpx.Client, changes: dict[str, str], status: int, sentence: str
):
    reply = asked(logged_in, **changes)
    assert reply.status_code == status and sentence in reply.text
    assert home.store.champion().release == WORSE  # type: ignore[union-attr]


def test_a_script_is_answered_when_it_is_over(home: Home, script: httpx.Client):
    reply = script.post("/rollback", data=FORM)
    assert (reply.status_code, reply.text) == (200, f"Release {GOOD} answers again.\n")
    again = script.post("/rollback", data=FORM)
    assert again.status_code == 409 and f"Meanwhile release {GOOD} is the champion" in again.text


def test_a_rollback_that_fails_says_why_and_nothing_moves(home: Home, script: httpx.Client):
    home.alias.drop(GOOD)
    reply = script.post("/rollback", data=FORM)
    assert reply.status_code == 409 and f"The collection of release {GOOD} is not in Milvus" in reply.text
    assert home.store.champion().release == WORSE  # type: ignore[union-attr]
    assert "Nothing was rolled back" in script.get("/rollback/progress").text


def test_one_that_was_cut_short_is_told(home: Home, script: httpx.Client):
    def cut(step: str) -> None:
        if step == "alias moved":
            raise KeyboardInterrupt

    home.alias.add(UNMEASURED)
    with pytest.raises(KeyboardInterrupt):
        promote(home.store, home.alias, UNMEASURED, by="a test", reached=cut)
    assert (home.store.home / INTENT).exists()
    assert f"A promotion or rollback to {UNMEASURED} was cut short" in script.get("/").text


def test_two_at_once_are_one(home: Home):
    async def both() -> tuple[str, int]:
        go = asyncio.Event()

        async def slow(wish: Wish) -> tuple[int, str]:
            await go.wait()
            return await home.carry()(wish)

        rollbacks, wish = Rollbacks(home.store, slow), Wish(WORSE, GOOD, "A. Person", "why")
        task = rollbacks.begin(wish)
        with pytest.raises(Busy, match=f"A rollback to {GOOD} is under way"):
            rollbacks.begin(wish)
        go.set()
        outcome = await task
        with pytest.raises(Overtaken):
            rollbacks.begin(wish)
        return outcome.sentence, len(home.store.history())

    assert asyncio.run(both()) == (f"Release {GOOD} answers again.", 3)
