"""`etalage search --explain`: the reasons of each hit, for people to read in a terminal."""

from rich.console import Console

from search.query import Answer, Hit
from search.reasons import AttributeReason, HeatMap, Reasons

SHADES = " ░▒▓█"
"""From nothing lost to the most that any cell of the map loses."""


def show_reasons(answer: Answer) -> None:
    """A paragraph for each hit that has reasons."""
    out = Console(highlight=False, markup=False)
    for hit in answer.hits:
        if hit.reasons is not None:
            out.print("\n".join(lines(hit, hit.reasons)))


def lines(hit: Hit, why: Reasons) -> list[str]:
    """The paragraph of one hit."""
    adds = [f"{leg.leg} {leg.adds:+.3f}" + (f" (rank {leg.rank})" if leg.rank else "") for leg in why.legs]
    if why.late_score is not None:
        adds.append(f"late {why.late_adds:+.3f}")
    found = [f"{hit.rank}. {hit.product['title'] or hit.id}", f"   {why.sum:.3f} = {', '.join(adds)}"]
    if why.ranked and hit.contributions is not None:
        most = sorted(hit.contributions.items(), key=lambda item: -abs(item[1]))[:5]
        found.append(f"   ranker {hit.score:.3f}: {', '.join(f'{name} {adds:+.3f}' for name, adds in most)}, ...")
    if why.words:
        parts = [f"{w.text!r} {w.loses:.3f}" + (f" (in {', '.join(w.met)})" if w.met else "") for w in why.words]
        found.append(f"   without it, less: {'; '.join(parts)}")
    found += [f"   {_wanted(own)}" for own in why.attributes]
    matched = [f"{m.text} -> {_where(m.word, m.place)}" for m in why.matches]
    if matched:
        found.append(f"   matched one by one: {', '.join(matched)}")
    for seen in why.photos:
        found.append(f"   photo {(seen.photo or 0) + 1}, what matters most is darkest:")
        found += [f"      {row}" for row in _drawn(seen)]
    if why.left_out:
        found.append(f"   no time for: {', '.join(why.left_out)}")
    return found


def _wanted(own: AttributeReason) -> str:
    names = " / ".join(dict.fromkeys((own.value, *own.names.values())))
    said = {"photo": "the photo shows", "product": "both have"}.get(own.how, f"{own.text!r} is")
    has = ", ".join(own.has) or "not told"
    adds = "" if own.adds is None else f" {own.adds:+.3f}"
    return f"{said} {'not ' if own.negated else ''}{own.field} {names}; it has: {has}{adds}"


def _where(word: str | None, place: tuple[int, int] | None) -> str:
    if word is not None:
        return f"{word!r} of the title"
    return "the whole picture" if place is None else f"row {place[0] + 1}, column {place[1] + 1} of the picture"


def _drawn(seen: HeatMap) -> list[str]:
    most = max(max(row) for row in seen.cells)
    shade = len(SHADES) - 1
    return ["".join(SHADES[round(shade * max(cell, 0.0) / most)] * 2 if most > 0 else "  " for cell in row)
            for row in seen.cells]  # fmt: skip
