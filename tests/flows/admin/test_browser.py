"""The admin view in a real browser: log in, look, choose, cancel a rollback, do it, log out."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.bento.page.conftest import browser as browser
from tests.bento.page.conftest import opened
from tests.bento.page.test_page import serious
from tests.flows.admin.homes import GOOD, WORSE, Home

pytestmark = pytest.mark.slow
BOTH = f"release={GOOD}&release={WORSE}"
PAGES = ("/", f"/compare?{BOTH}", f"/slices?{BOTH}", f"/worst?{BOTH}", "/quality", "/rollback", "/rollback/progress")

COLOURS = "cells => new Set(cells.map((cell) => getComputedStyle(cell).backgroundColor)).size"


@pytest.fixture
def page(browser: Browser, address: str, secret: str) -> Iterator[Page]:
    """A window that is logged in; the test fails where the policy of a page forbids something that it tries."""
    with opened(browser, address) as own:
        own.get_by_label("API key").fill(secret)
        own.get_by_role("button", name="Log in").click()
        expect(own.get_by_role("heading", name="Releases")).to_be_visible()
        yield own


def champion(home: Home) -> str:
    record = home.store.champion()
    assert record is not None
    return record.release


def test_releases_are_chosen_and_compared_and_the_worst_queries_have_pictures(page: Page):
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)  # the champion, and the one before it
    page.get_by_role("button", name="Side by side").click()
    expect(page.get_by_role("heading", name="2 releases side by side")).to_be_visible()
    expect(page.get_by_role("region", name="Gates")).to_contain_text("missed by")
    page.get_by_role("link", name="Slices").click()
    expect(page.locator(".heat").first).to_be_visible()
    assert page.locator(".heat").evaluate_all(COLOURS) > 3  # a heat map
    page.get_by_role("link", name="Worst queries").click()
    first = page.get_by_role("region", name="query 1", exact=True)
    for picture in first.locator("img").all():
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert first.locator("img").count() > 2
    page.get_by_label("Kind of query").select_option("attribute_zh")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".query .pill").first).to_have_text("attribute zh")
    page.get_by_role("link", name="Quality over time").click()
    expect(page.locator("svg").first).to_be_visible()
    stroke = page.locator("svg g[id^=line2d] path").first.evaluate("line => getComputedStyle(line).stroke")
    assert stroke.startswith("rgb(")  # the page's own colour, although no style is inline


def test_a_rollback_is_cancelled_and_then_done_by_clicking(page: Page, home: Home):
    page.get_by_role("link", name="Roll back").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Releases")).to_be_visible()
    page.get_by_role("link", name="Roll back").click()
    page.get_by_role("button", name=f"Roll back to {GOOD}").click()  # without a reason the browser does not send it
    expect(page.get_by_label("Why?")).to_be_focused()
    assert champion(home) == WORSE
    page.keyboard.type("hits for shoes look wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Rolled back to {GOOD}")).to_be_visible()
    expect(page.locator("main")).to_contain_text("hits for shoes look wrong")
    assert champion(home) == GOOD
    page.get_by_role("link", name="All releases").click()
    expect(page.locator("tr.champion")).to_contain_text(GOOD)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("API key")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
def test_nobody_is_kept_out(page: Page, address: str, scheme: str, width: int):
    """axe-core finds nothing serious on any page, and a phone does not scroll sideways."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 800})
    for path in PAGES:
        page.goto(address + path)
        assert serious(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
