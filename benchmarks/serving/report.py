"""What was measured, as Markdown."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Literal

from benchmarks.serving.cell import Cell, Ratio, middle, of, ratio
from benchmarks.serving.measure import ALONE, CACHED_CLIENTS, PEER, SERVICE, SEVERAL, Measured
from benchmarks.serving.plan import Plan
from search.logic import SearchLogic

RankedAs = Literal["text", "image", "text+image"]
RANKED_AS: dict[str, RankedAs] = {"text": "text", "photo": "image", "photo+text": "text+image"}
P50_OF_PEER, RATE_OF_PEER, P50_OF_FLOOR = 0.5, 3.0, 1.5
RATE_AT = 16
"""The aims: p50 at every number of clients, requests a second at this one, and p50 at one client."""


def report(measured: Measured, plan: Plan) -> str:
    """All tables and what they are to be judged by."""
    blocks = [
        table(
            (
                "query",
                "clients",
                "server",
                "p50",
                "p95",
                "p99",
                "req/s",
                "CPU ms/req",
                "RSS MB",
                "clients' cores",
                "refused",
            ),
            cells(measured, plan),
        ),
        "Ratios: median of the rounds, and the least and the most.\n",
        table(
            ("query", "clients", "p50 / by hand", "req/s / by hand", "CPU / by hand", "p50 / floor"),
            ratios(measured, plan),
        ),
        aims(measured, plan),
        "Where the service's time goes at one client, p50 in ms (HTTP: what the client waited beyond took_ms):\n",
        phase_table(measured),
        "Queries asked before, cache of query vectors on (every lookup a hit) against off:\n",
        table(("query", "clients", "p50 off", "p50 on", "p50 on / off", "req/s on / off"), cached(measured)),
        table(("server", "start to ready s", "RSS MB", "PSS MB"), starts(measured)),
    ]
    return "\n".join(blocks)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, and a blank line."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def cells(measured: Measured, plan: Plan) -> list[list[str]]:
    """A row for every kind, number of clients and server."""
    rows = []
    for kind, floor in measured.floor.items():
        rows.append([kind, "1", "floor, in process", f"{_middle(floor):.1f}", *[""] * 7])
        for clients in plan.clients:
            for name in (SERVICE, SEVERAL, PEER, ALONE):
                if found := measured.rounds.get((kind, clients, name)):
                    rows.append([kind, str(clients), name, *_numbers(middle(found))])
    return rows


def ratios(measured: Measured, plan: Plan) -> list[list[str]]:
    """The service, and its dense leg alone, against the search by hand of the same round."""
    rows = []
    for kind in measured.floor:
        for clients in plan.clients:
            theirs = measured.rounds[kind, clients, PEER]
            for name in (SERVICE, SEVERAL, ALONE):
                if ours := measured.rounds.get((kind, clients, name)):
                    label = kind if name == SERVICE else f"{kind}, {name}"
                    over_floor = str(_over_floor(measured, kind, ours)) if clients == 1 else ""
                    rows.append([label, str(clients), *map(str, against(ours, theirs)), over_floor])
    return rows


def against(ours: Sequence[Cell], theirs: Sequence[Cell]) -> tuple[Ratio, Ratio, Ratio]:
    """p50, requests a second and processor time over the other's."""
    return (
        ratio(of(ours, lambda cell: cell.p50), of(theirs, lambda cell: cell.p50)),
        ratio(of(ours, lambda cell: cell.rate), of(theirs, lambda cell: cell.rate)),
        ratio(of(ours, lambda cell: cell.cpu_ms), of(theirs, lambda cell: cell.cpu_ms)),
    )


def aims(measured: Measured, plan: Plan) -> str:
    """One line for each aim and kind: met or missed, by the medians."""
    lines = []
    for kind in measured.floor:
        for clients in plan.clients:
            for name in (SERVICE, SEVERAL):
                if not (ours := measured.rounds.get((kind, clients, name))):
                    continue
                found, what = against(ours, measured.rounds[kind, clients, PEER]), f"{name}: {kind}, at {clients}"
                lines.append(_aim(f"{what}, p50 of by hand's", found[0].median, P50_OF_PEER, most=True))
                if clients == RATE_AT:
                    lines.append(_aim(f"{what}, req/s of by hand's", found[1].median, RATE_OF_PEER, most=False))
        alone = _over_floor(measured, kind, measured.rounds[kind, 1, SERVICE]).median
        lines.append(_aim(f"{SERVICE}: {kind}, at 1, p50 of the floor's", alone, P50_OF_FLOOR, most=True))
    return "".join(lines)


def _aim(what: str, found: float, wanted: float, most: bool) -> str:
    met = found <= wanted if most else found >= wanted
    return f"- {'met' if met else 'MISSED'}: {what} {found:.2f} (aim: at {'most' if most else 'least'} {wanted:g})\n"


def phase_table(measured: Measured) -> str:
    """The service's own timings, and what HTTP adds."""
    names = list(dict.fromkeys(name for told in measured.phases.values() for name in told))
    rows = [
        [kind, *(f"{told[name]:.2f}" if name in told else "-" for name in names)]
        for kind, told in measured.phases.items()
    ]
    return table(("query", *names), rows)


def cached(measured: Measured) -> list[list[str]]:
    """The gain of the cache where every query was asked before."""
    rows = []
    for kind in measured.floor:
        for clients in CACHED_CLIENTS:
            off, on = (measured.cached[kind, clients, name] for name in ("cache off", "cache on"))
            gain = against(on, off)
            p50 = (f"{middle(cells).p50:.1f}" for cells in (off, on))
            rows.append([kind, str(clients), *p50, str(gain[0]), str(gain[1])])
    return rows


def starts(measured: Measured) -> list[list[str]]:
    """Seconds from exec to ready, files in the page cache, and memory after the warm-up."""
    return [
        [name, str(Ratio(_middle(seconds), min(seconds), max(seconds))), *(f"{mb:.0f}" for mb in measured.memory[name])]
        for name, seconds in measured.starts.items()
    ]


def difference(logic: SearchLogic, overlap: dict[str, float]) -> str:
    """What the service does for a query that the search by hand does not."""
    lines = [
        "By hand: one dense search of the fused vectors, no more; " + _shares(overlap) + " of the floor's ten found."
    ]
    lines.append("The service answers each query with the whole search logic of the release:")
    for kind, ranked_as in RANKED_AS.items():
        legs = ", ".join(logic.ranking.weights_for(ranked_as))
        late = logic.ranking.late.get(ranked_as, 0.0)
        lines.append(f"- {kind}: legs {legs}" + (f"; late interaction (share {late:g}) over the best" if late else ""))
    lines += [
        f"- {what}"
        for what, there in (
            ("texts are read (attributes, negations, prices, spelling)", logic.vocabulary is not None),
            ("what a photo shows is voted by its neighbours", logic.vocabulary is not None),
            ("photo and words are composed by a learned network", type(logic.composer).__name__ != "SumComposer"),
            (f"{logic.ranking.candidates} candidates of each leg are fused", True),
        )
        if there
    ]
    lines.append(
        "Its answers hold every field of a product, the place in each leg and the timings; by hand: id, score, title."
    )
    return "\n".join(lines)


def _shares(overlap: dict[str, float]) -> str:
    return ", ".join(f"{kind} {share:.3f}" for kind, share in overlap.items())


def _numbers(cell: Cell) -> list[str]:
    times = [f"{value:.1f}" for value in (cell.p50, cell.p95, cell.p99, cell.rate, cell.cpu_ms)]
    return [*times, f"{cell.rss_mb:.0f}", f"{cell.client_cores:.2f}", f"{cell.refused:.0f}"]


def _over_floor(measured: Measured, kind: str, ours: Sequence[Cell]) -> Ratio:
    return ratio(of(ours, lambda cell: cell.p50), measured.floor[kind])


def _middle(values: Sequence[float]) -> float:
    return float(median(values))
