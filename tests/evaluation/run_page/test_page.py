"""The page of a run: every part is there or says why not, nothing is from elsewhere, what a shop wrote is text."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from evaluation.run_page.content import Ending, Queries, RunPage
from evaluation.run_page.page import PARTS, render
from tests.bento.page.conftest import browser as a_browser
from tests.bento.page.test_page import serious
from tests.evaluation.run_page.pages import CHANGES, a_map, a_product, a_query, promoted, refused, unfit

browser = a_browser
HOSTILE = "<script>alert('x')</script>\"><img src=http://evil.example/a.png onerror=alert(1)>"


@cache
def drawn(page: Callable[[], RunPage]) -> str:
    """The page, drawn once."""
    return render(page())


def headings(html: str) -> list[str]:
    return re.findall(r"<h2[^>]*>([^<]*)</h2>", html)


@pytest.mark.parametrize("page", [promoted, refused, unfit])
def test_every_run_has_all_parts_in_their_order(page: Callable[[], RunPage]) -> None:
    html = drawn(page)
    assert headings(html) == [*PARTS.values(), "What it was made of"]
    assert html.index("<h1>") < html.index(page().ending.sentence) < html.index('<div class="tiles">')


def test_a_promoted_run_shows_its_numbers() -> None:
    html = drawn(promoted)
    assert html.count('class="missing"') == 0
    for told in (
        "▲ +0.080", "= -0.040", "+0.020 to +0.040", "0.770–0.830", "0.57", "frozen backbones", "Home &gt; Mugs",
        "15 new, 5 gone, 7 changed", "Teal", "A new teal mug", "train.epochs", "5 min 00 s", "2,400 MB", "0.34 EUR",
        "unchanged", "last time 21.0 s", "The 1 worst", "The 1 best", "▼ -0.20",
    ):  # fmt: skip
        assert told in html, told


def test_a_refused_run_says_which_rule_first_and_opens_it() -> None:
    html = drawn(refused)
    assert 'class="ending bad"' in html
    assert "1 of 3" in html and "misses it by 0.1" in html
    assert re.search(r"<details open><summary>1 refused</summary>", html)
    assert re.search(r"<details><summary>1 passed</summary>", html)


def test_an_unfit_snapshot_leaves_what_changed_and_why_the_rest_is_missing() -> None:
    html = drawn(unfit)
    assert "15 new, 5 gone" in html
    assert html.count("The run did not come to this.") == 5
    assert "The gates were not asked. Snapshot 555555555555 is not fit" in html


def test_without_a_price_there_are_hours_only() -> None:
    page = promoted()
    costs = replace(page.costs, params=page.costs.params.model_copy(update={"price_per_hour": None}))
    html = render(replace(page, costs=costs))
    assert "6 min 52 s" in html
    assert "EUR" not in html and ">cost<" not in html


def test_the_same_run_gives_the_same_page() -> None:
    assert render(promoted()) == drawn(promoted)


@pytest.mark.parametrize("page", [promoted, refused, unfit])
def test_the_page_loads_nothing_from_outside(page: Callable[[], RunPage]) -> None:
    html = drawn(page)
    assert "://" not in html and "<script" not in html and "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    sources = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert sources
    assert all(source.startswith(("data:image/jpeg;base64,", "#")) for source in sources)


def test_what_a_shop_wrote_is_escaped_wherever_it_stands() -> None:
    changes = replace(
        CHANGES,
        newest=[a_product(HOSTILE)],
        values=[("colour", HOSTILE, 1)],
        rows=[replace(CHANGES.rows[0], name=HOSTILE)],
        categories=[replace(CHANGES.categories[0], value=HOSTILE)],
    )
    made = a_map(HOSTILE)
    made = replace(
        made,
        landmarks=[replace(made.landmarks[0], label=HOSTILE)],
        categories=[replace(made.categories[0], name=HOSTILE)],
    )
    html = render(
        replace(
            promoted(),
            ending=Ending("stopped", HOSTILE, "bad"),
            changes=changes,
            catalogue=made,
            queries=Queries([], [a_query(HOSTILE)]),
        )
    )
    assert "<script" not in html and "<img src=http" not in html
    assert html.count("&lt;script&gt;alert") >= 12  # six points, and each place above


def test_a_page_of_many_pictures_stays_light() -> None:
    queries = Queries([a_query()] * 6, [a_query()] * 10)
    html = render(replace(promoted(), queries=queries, changes=replace(CHANGES, newest=[a_product()] * 10)))
    assert len(html.encode()) < 2_000_000


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("pages")
    for page in (promoted, refused, unfit):
        (folder / f"{page.__name__}.html").write_text(drawn(page), encoding="utf-8")
    yield folder


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
@pytest.mark.parametrize("name", ["promoted", "refused", "unfit"])
def test_nobody_is_kept_out(browser: Browser, shown: Path, name: str, scheme: str, width: int) -> None:
    """axe-core finds nothing serious, and a phone does not scroll sideways."""
    window = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})  # type: ignore[arg-type]
    page = window.new_page()
    page.goto((shown / f"{name}.html").as_uri())
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.close()
