"""Who comes in to the admin view: admins, by a header or by a log-in, and nobody else."""

from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bento.guarding.headers import ON_EVERY_ANSWER
from flows.admin.entrance import COOKIE, POLICY, inside
from flows.admin.serving import door_of
from flows.admin.sessions import SECONDS, Sessions
from flows.keys import add_key, revoke_key
from search.key_file import read_keys
from search.keys import InvalidKeys
from tests.flows.admin.conftest import BROWSER
from tests.flows.admin.homes import GOOD, WORSE, Home, admin_of
from tests.flows.test_cli import etalage

PATHS = (
    "/", "/compare?release=" + GOOD, "/slices?release=" + GOOD, "/worst?release=" + WORSE, "/quality", "/rollback",
    "/rollback/progress", "/pictures/abc", f"/releases/{GOOD}/reports/report.html", "/nothing",
)  # fmt: skip


def test_every_page_needs_a_key_and_a_shops_key_is_not_enough(address: str, home: Home):
    shop = {"x-api-key": add_key(home.keys, "web shop", ("search", "feedback"))[1]}
    for path in PATHS:
        only_admins(address, path, shop)


def only_admins(address: str, path: str, shop: dict[str, str]) -> None:
    with httpx.Client(base_url=address, timeout=60) as client:
        bare, shops = client.get(path), client.get(path, headers=shop)
        browser = client.get(path, headers=BROWSER)
    assert [reply.status_code for reply in (bare, shops)] == [401, 403]
    assert shops.text == "The API key is not allowed to do this: it lacks the scope admin.\n"
    assert browser.status_code == 303 and browser.headers["location"].startswith("/login?next=%2F")
    assert WORSE not in bare.text + shops.text + browser.text


def test_every_answer_closes_the_browser_to_strangers(logged_in: httpx.Client):
    assert "script" not in POLICY and "inline" not in POLICY
    for path in ("/login", "/style.css", "/", "/nothing"):
        headers = logged_in.get(path).headers
        assert headers["content-security-policy"] == POLICY
        assert {name: headers[name] for name in ON_EVERY_ANSWER} == ON_EVERY_ANSWER
        assert "server" not in headers


def test_a_log_in_is_a_cookie_that_no_script_and_no_other_site_gets(address: str, secret: str):
    reply = httpx.post(f"{address}/login", data={"key": f" {secret}\n", "next": "/quality"}, headers=BROWSER)
    assert (reply.status_code, reply.headers["location"]) == (303, "/quality")
    token, *rules = reply.headers["set-cookie"].split("; ")
    assert {rule.lower() for rule in rules} == {"httponly", "samesite=strict", "path=/", f"max-age={SECONDS}"}
    assert secret not in reply.headers["set-cookie"] and len(token) > 40
    behind_tls = {**BROWSER, "x-forwarded-proto": "https"}
    assert "; Secure" in httpx.post(f"{address}/login", data={"key": secret}, headers=behind_tls).headers["set-cookie"]


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "/\n/x", "", "/login"]
)
def test_a_log_in_leads_nowhere_else(elsewhere: str):
    assert inside(elsewhere) == "/"
    assert inside("/compare?release=a&release=b") == "/compare?release=a&release=b"


def test_a_wrong_key_is_told_on_the_form_and_too_many_are_told_to_wait(address: str, home: Home, secret: str):
    shop = add_key(home.keys, "web shop", ("search",))[1]
    with httpx.Client(base_url=address, headers=BROWSER, timeout=60) as client:
        told = [client.post("/login", data={"key": key}) for key in ("", "wrong", "密钥", shop)]
        assert [reply.status_code for reply in told] == [401, 401, 401, 403]
        assert "Type an API key first." in told[0].text and "unknown or was revoked" in told[1].text
        assert "lacks the scope admin" in told[3].text
        assert not client.cookies
        guesses = [client.post("/login", data={"key": f"guess {n}"}) for n in range(25)]
        assert guesses[-1].status_code == 429 and int(guesses[-1].headers["retry-after"]) >= 1
        assert client.post("/login", data={"key": secret}).status_code == 303


def test_a_session_ends_with_its_key_with_the_log_out_and_with_time(address: str, home: Home):
    key, secret = add_key(home.keys, "B. Person", ("admin",))
    with httpx.Client(base_url=address, headers=BROWSER, timeout=60) as client:
        client.post("/login", data={"key": secret})
        proof = _proof(client.get("/").text)
        assert client.post("/logout", data={"proof": "no"}).status_code == 403 and client.get("/").status_code == 200
        kept = client.cookies[COOKIE]
        assert client.post("/logout", data={"proof": proof}).headers["location"] == "/login"
        assert client.get("/", cookies={COOKIE: kept}).status_code == 303
        client.cookies.clear()
        client.post("/login", data={"key": secret})
        assert client.get("/").status_code == 200
        revoke_key(home.keys, key.id)
        assert client.get("/").status_code == 303
    now = 0.0
    sessions = Sessions(clock=lambda: now)
    token = sessions.begin("3f9a1c07")
    now = SECONDS - 1
    assert sessions.of(token) is not None and sessions.of(token + "x") is None
    now = SECONDS
    assert sessions.of(token) is None


def test_a_form_of_another_site_is_refused_before_its_key_is_looked_at(address: str, secret: str):
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 303)):
        headers = {**BROWSER, "sec-fetch-site": site}
        assert httpx.post(f"{address}/login", data={"key": secret}, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"key=" + b"x" * 9000, None, 413),
        (b"key=%ff", None, 422),
        (b"&=" * 30, None, 422),
    ],
)
def test_what_is_no_short_form_is_one_sentence(address: str, content: bytes, kind: str | None, status: int):
    headers = {"content-type": kind or "application/x-www-form-urlencoded"}
    reply = httpx.post(f"{address}/login", content=content, headers=headers)
    assert reply.status_code == status and reply.text.count("\n") == 1 and "Traceback" not in reply.text


def test_without_an_admins_key_the_command_says_how_to_make_one(tmp_path: Path):
    done = etalage("admin", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        'No API key opens the admin view yet: make one with `etalage keys add "A. Person" --scope admin`.\n'
    )
    add_key(tmp_path / "keys.json", "web shop", ("search",))
    with pytest.raises(InvalidKeys, match="--scope admin"):
        door_of(tmp_path, "127.0.0.1")


def test_a_key_file_that_is_taken_away_lets_nobody_in(home: Home, secret: str):
    with admin_of(home) as address:
        assert read_keys(home.keys).live()
        home.keys.unlink()
        reply = httpx.get(f"{address}/", headers={"x-api-key": secret})
    assert reply.status_code == 503 and "no key file" in reply.text


def _proof(page: str) -> str:
    with suppress(IndexError):
        return page.split('name="proof" value="')[1].split('"')[0]
    return ""
