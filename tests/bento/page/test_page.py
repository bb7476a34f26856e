"""The page in a real browser: typing, photos, filters, reasons, and what it says when something goes wrong."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from bento.settings import ServiceSettings
from flows.keys import add_key
from tests.bento.page.conftest import opened, page_service
from tests.bento.tiny_encoder import photo

pytestmark = pytest.mark.slow

BLUE = base64.b64encode(photo("Blue")).decode()
FILES = """(data, type) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)), carried = new DataTransfer();
  carried.items.add(new File([bytes], "photo", { type }));
  return carried;
}"""
DROP = f"""([data, type]) => {{
  const dataTransfer = ({FILES})(data, type);
  for (const name of ["dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(name, {{ dataTransfer, bubbles: true, cancelable: true }}));
}}"""
BYTES = """(image) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/jpeg").split(",")[1];
}"""
PASTE = f"""([data, type]) => {{
  const clipboardData = ({FILES})(data, type);
  document.body.dispatchEvent(new ClipboardEvent("paste", {{ clipboardData, bubbles: true, cancelable: true }}));
}}"""


def typed(page: Page, words: str) -> None:
    page.get_by_role("searchbox").fill(words)
    page.keyboard.press("Enter")


def titles(page: Page) -> list[str]:
    return page.locator("#hits h3").all_inner_texts()


def found(page: Page) -> None:
    expect(page.get_by_role("status").first).to_contain_text("products in")


def serious(page: Page) -> list[str]:
    """What axe-core finds that keeps people out."""
    violations = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html']}" for v in violations if v["impact"] in ("serious", "critical")]


def test_words_typed_find_products_with_pictures_and_prices(page: Page):
    typed(page, "red dress")
    found(page)
    assert titles(page)[0] == "Red dress" and len(titles(page)) == 24
    expect(page.locator("#hits article").first).to_contain_text("€10.00")
    expect(page.locator("#hits article img").first).to_be_visible()
    decoded = "image => image.decode().then(() => image.naturalWidth)"
    assert page.locator("#hits article img").first.evaluate(decoded) == 64
    assert page.url.endswith("#q=red%20dress")
    page.reload()
    found(page)
    assert titles(page)[0] == "Red dress"


@pytest.mark.parametrize("way", [DROP, PASTE], ids=["dropped", "pasted"])
def test_a_photo_finds_what_looks_like_it_and_words_beside_it_count(page: Page, way: str):
    page.evaluate(way, [BLUE, "image/jpeg"])
    found(page)
    assert all(title.startswith("Blue") for title in titles(page)[:9])
    expect(page.locator("#balance")).to_be_hidden()
    typed(page, "red")
    expect(page.get_by_role("slider")).to_be_visible()
    with page.expect_response("**/search"):
        page.get_by_role("slider").fill("1")
    expect(page.locator("#hits h3").first).to_contain_text("Red")
    page.get_by_role("button", name="Remove photo").click()
    expect(page.locator("#photos img")).to_have_count(0)


def test_a_photo_is_picked_and_a_broken_one_is_refused_in_a_sentence(page: Page):
    page.locator("#photo").set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo("Green")})
    found(page)
    assert titles(page)[0].startswith("Green")
    page.get_by_role("button", name="Remove photo").click()
    page.evaluate(DROP, [base64.b64encode(b"no picture at all").decode(), "image/png"])
    expect(page.locator("#state.wrong")).to_contain_text("not a picture Etalage reads")
    page.evaluate(DROP, [BLUE, "text/plain"])
    expect(page.locator("#state")).to_have_text("That is not a picture.")


def test_filters_narrow_with_counts_and_are_cleared(page: Page):
    typed(page, "shirt")
    found(page)
    colours = page.get_by_role("group", name="Colour")
    expect(colours.locator("label")).to_have_text(["Red10", "Black9", "Blue9", "Green9"])
    colours.get_by_label("Blue").check()
    expect(page.get_by_role("status").first).to_contain_text("9 products")
    expect(colours.get_by_label("Blue")).to_be_focused()
    assert all(title.startswith("Blue") for title in titles(page))
    colours.get_by_label("Green").check()
    expect(page.get_by_role("status").first).to_contain_text("18 products")
    page.get_by_label("to", exact=True).fill("10")
    page.get_by_label("to", exact=True).press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("6 products")
    page.get_by_label("In stock").check()
    expect(page.get_by_role("status").first).to_contain_text("No product fits")
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_role("status").first).to_contain_text("24 products")


def test_why_a_hit_was_found_is_told_with_a_map_over_the_photo_and_escape_closes_it(page: Page):
    page.evaluate(DROP, [BLUE, "image/jpeg"])
    found(page)
    typed(page, "dress")
    expect(page.get_by_role("status").first).to_contain_text("products in")
    page.get_by_role("button", name="Why this? Blue dress").first.click()
    dialog = page.get_by_role("dialog", name="Why this?")
    expect(dialog.get_by_role("heading", name="What adds up")).to_be_visible()
    expect(dialog.get_by_alt_text("Your photo")).to_be_visible()
    over, under = dialog.locator(".map canvas").bounding_box(), dialog.locator(".map img").bounding_box()
    assert over is not None and under is not None
    assert [round(over[side]) for side in over] == [round(under[side]) for side in under]  # it lies on the photo
    expect(dialog.get_by_role("heading", name="Without this word it would lose")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Why this? Blue dress").first).to_be_focused()


def test_more_like_this_shows_products_like_it(page: Page):
    typed(page, "green shoes")
    found(page)
    page.get_by_role("button", name="More like this: Green shoes").first.click()
    expect(page.get_by_role("status").first).to_contain_text("More like “Green shoes”")
    assert "Green shoes" in titles(page)[:2]
    page.get_by_role("button", name="Why this? Green shoes").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("both have: Category")


def test_it_speaks_chinese(browser: Browser, service: str):
    with opened(browser, service, locale="zh-CN") as page:
        expect(page.get_by_role("button", name="搜索")).to_be_visible()
        typed(page, "红色连衣裙")
        expect(page.get_by_role("status").first).to_contain_text("件商品")
        assert titles(page)[0] == "Red dress"
        assert page.evaluate("document.documentElement.lang") == "zh"
        assert serious(page) == []
        page.get_by_label("语言").select_option("en")
        expect(page.get_by_role("button", name="Search")).to_be_visible()
        expect(page.get_by_role("status").first).to_contain_text("products in")


def test_it_is_used_by_keyboard_alone(page: Page):
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("red dress")
    page.keyboard.press("Enter")
    found(page)
    page.get_by_role("button", name="More like this: Red dress").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading", name="What adds up")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
def test_nobody_is_kept_out(browser: Browser, service: str, scheme: str, width: int):
    """axe-core finds nothing serious, and a phone does not scroll sideways."""
    with opened(browser, service, color_scheme=scheme, viewport={"width": width, "height": 800}) as page:
        typed(page, "red shirt")
        found(page)
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_offline_is_said_and_the_search_goes_on_when_the_connection_is_back(page: Page):
    page.context.set_offline(True)
    typed(page, "red")
    expect(page.locator("#state.wrong")).to_contain_text("You are offline")
    page.context.set_offline(False)
    found(page)
    assert titles(page)[0].startswith("Red")


def test_a_slow_answer_is_said_to_be_slow_and_can_be_stopped(page: Page):
    held: list[Route] = []
    page.route("**/search", lambda route: held.append(route))
    typed(page, "red")
    expect(page.get_by_text("This takes longer than usual")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("status").first).to_have_text("Stopped.")
    typed(page, "blue")
    expect(page.get_by_text("This takes longer than usual")).to_be_visible()
    held[-1].continue_()
    found(page)
    assert titles(page)[0].startswith("Blue")
    expect(page.locator("#wait")).to_be_hidden()


def test_a_service_that_is_gone_is_said_and_asked_again(page: Page):
    page.route("**/search", lambda route: route.abort(), times=1)
    typed(page, "red")
    expect(page.locator("#state.wrong")).to_have_text("The service did not answer.")
    page.get_by_role("button", name="Try again").click()
    found(page)
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()


@pytest.fixture
def locked(tmp_path: Path, media: Path) -> Iterator[tuple[str, str]]:
    """A service that needs a key, and the key."""
    path = tmp_path / "keys.json"
    secret = add_key(path, "page", ("search",))[1]
    with page_service(ServiceSettings(pictures=media, keys=path)) as address:
        yield address, secret


def test_a_key_is_asked_for_where_it_is_needed_and_pictures_are_fetched_with_it(
    browser: Browser, locked: tuple[str, str]
):
    address, secret = locked
    with opened(browser, address) as page:
        expect(page.get_by_label("API key")).to_be_hidden()
        typed(page, "red")
        expect(page.locator("#state.wrong")).to_have_text("This service needs an API key.")
        expect(page.get_by_label("API key")).to_be_focused()
        page.keyboard.type(secret)
        page.keyboard.press("Enter")
        found(page)
        expect(page.locator("#hits article img").first).to_be_visible()


def test_it_asks_nothing_of_anybody_else(page: Page, service: str):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    typed(page, "red")
    found(page)
    assert asked and all(url.startswith((service, "blob:", "data:")) for url in asked)


@pytest.mark.skipif("ETALAGE_SCREENSHOTS" not in os.environ, reason="no folder is named for them")
def test_screenshots_for_the_docs(browser: Browser, service: str):
    """ETALAGE_SCREENSHOTS: where to; ETALAGE_PAGE: of which service, by default this test's own."""
    folder, address = Path(os.environ["ETALAGE_SCREENSHOTS"]), os.environ.get("ETALAGE_PAGE", service)
    folder.mkdir(parents=True, exist_ok=True)
    with opened(browser, address, viewport={"width": 1100, "height": 760}) as page:
        typed(page, "red dress")
        found(page)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / "page.jpg", quality=70)
        page.evaluate(DROP, [page.locator("#hits img").first.evaluate(BYTES), "image/jpeg"])
        found(page)
        page.get_by_role("button", name="Why this?").first.click()
        expect(page.get_by_role("heading", name="What adds up")).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / "why.jpg", quality=70)
