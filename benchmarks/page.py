"""How soon the page shows what was asked for, in a real browser, beside the bare request it sends.

    python -m benchmarks.page [http://127.0.0.1:3000/] [ROUNDS]

Needs `etalage serve` of the sample under way, and chromium on PATH (`make browser`). Queries are asked in turns by the
page and by a bare `fetch` of the same form in the same page; none is asked twice, so no cache of query vectors helps.
Milliseconds from submitting the form to the frame after the cards are in the page ("cards"), to the last picture's
coming ("pictures"), and from pressing "Why this?" to the frame after the reasons are there ("reasons"): p50 and p95
of all rounds, and the median of the rounds' ratios to the bare request.
"""

import sys
from collections.abc import Sequence
from itertools import product
from statistics import median, quantiles

from playwright.sync_api import Page, sync_playwright

from benchmarks.browser import chromium
from catalog.errors import InvalidQuery

ADDRESS = "http://127.0.0.1:3000/"
COLOURS = ("red", "blue", "green", "black", "white", "红色", "蓝色", "绿色", "黑色", "白色")
KINDS = ("mug", "dress", "umbrella", "bag", "lamp", "马克杯", "连衣裙", "雨伞")
HOW = ("plain", "dotted", "striped", "small", "big", "new", "cheap")  # one for each round, the first to warm up
WHYS = 10  # of each round

ASK = """async (text) => {
  const frame = () => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
  const list = document.getElementById("hits"), told = document.getElementById("state");
  document.getElementById("text").value = text;
  const changed = new Promise((go, stop) => {
    new MutationObserver((_, own) => { own.disconnect(); go(); }).observe(list, { childList: true });
    setTimeout(() => stop(new Error(`No answer to ${text}: ${told.textContent}`)), 20000);
  });
  const begun = performance.now();
  document.getElementById("ask").requestSubmit();
  await changed;
  await frame();
  const cards = performance.now() - begun;
  if (!list.querySelector("article")) throw new Error(`No hit for ${text}: ${told.textContent}`);
  let last = performance.now(); // of the pictures that are there: a product may have none
  const coming = new MutationObserver(() => { last = performance.now(); });
  coming.observe(list, { childList: true, subtree: true });
  while (performance.now() - last < 400) await frame();
  coming.disconnect();
  return [cards, last - begun];
}"""
BARE = """async (text) => {
  const form = new FormData();
  const fields = { text, k: "24", facets: "*", text_weight: "0.5" };
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const begun = performance.now();
  const reply = await fetch("search", { method: "POST", body: form });
  const answer = await reply.json();
  if (!reply.ok || !answer.hits.length) throw new Error(`No hit for ${text}`);
  return performance.now() - begun;
}"""
WHY = """async () => {
  const frame = () => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
  const place = document.getElementById("reasons");
  const begun = performance.now();
  document.querySelector("#hits article .acts button:last-child").click();
  while (!place.querySelector("h3")) {
    if (performance.now() - begun > 20000) throw new Error(`No reasons: ${place.textContent}`);
    await frame();
  }
  const took = performance.now() - begun;
  document.getElementById("why").close();
  return took;
}"""
OPENED = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


def main(address: str, rounds: int) -> None:
    """Measure and print."""
    if not 1 <= rounds < len(HOW):
        raise InvalidQuery(f"{rounds} rounds: it takes 1 to {len(HOW) - 1}.")
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        page = browser.new_page(locale="en-GB", viewport={"width": 1200, "height": 900})
        took: dict[str, list[list[float]]] = {}
        for number, how in enumerate(HOW[: rounds + 1]):
            one = measured(page, address, queries(how), bare_first=bool(number % 2))
            if number:
                for name, values in one.items():
                    took.setdefault(name, []).append(values)
        browser.close()
    print(f"{len(queries(''))} queries a round, {rounds} rounds, ms")
    print("| what | p50 | p95 | x bare request |")
    print("|---|---|---|---|")
    for name, by_round in took.items():
        every = [value for values in by_round for value in values]
        ratio = median(
            median(values) / median(bare) for values, bare in zip(by_round, took["bare request"], strict=True)
        )
        print(f"| {name} | {median(every):.0f} | {quantiles(every, n=20)[-1]:.0f} | {ratio:.2f} |")


def queries(how: str) -> list[str]:
    """Every colour with every kind, in two languages, and one more word."""
    pairs = product(COLOURS, KINDS)
    return [f"{how} {colour}{' ' if colour.isascii() or kind.isascii() else ''}{kind}" for colour, kind in pairs]


def measured(page: Page, address: str, asked: Sequence[str], bare_first: bool) -> dict[str, list[float]]:
    """Milliseconds of one round: every second query is asked bare."""
    page.goto(address)
    opened = [float(page.evaluate(OPENED))] * 2  # quantiles take two at least, and one round opens it once
    bare: list[float] = []
    shown: list[tuple[float, float]] = []
    for number, query in enumerate(asked):
        if number % 2 == (0 if bare_first else 1):
            bare.append(page.evaluate(BARE, query))
        else:
            shown.append(page.evaluate(ASK, query))
    why = [float(page.evaluate(WHY)) for _ in range(WHYS)]
    cards, pictures = ([float(value) for value in column] for column in zip(*shown, strict=True))
    return {"bare request": bare, "cards": cards, "pictures": pictures, "reasons": why, "page opened": opened}


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ADDRESS, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
