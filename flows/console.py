"""What the command line shows: sentences and tables on stdout, refusals on stderr."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from catalog.workspace import EVALUATE_PAGE, GATE_REPORT, PICTURES_PAGE, RUN_PAGE, SWEEP_PAGE
from evaluation.queries.kinds import BASELINES, ENGINE, KINDS
from flows.packaging import is_packaged
from flows.refreshing.freshness import behind, cut_short
from flows.runs.pages import page_of
from flows.verdict import Verdict, verdict_of
from search.refreshes import RefreshRecord, last_done, records

if TYPE_CHECKING:
    from pathlib import Path

    from catalog.ingesting.ingest import IngestReport
    from evaluation.sweep.results import SweepReport
    from flows.outcome import RetrainOutcome
    from flows.refreshing.steps import Refreshed
    from flows.releases import ChampionRecord, ReleaseStore
    from search.engine import Answer
    from search.keys import Keys
    from search.release import ReleaseManifest
    from search.understanding.understood import Understood


def say(sentence: str) -> None:
    """One line."""
    _out().print(escape(sentence), soft_wrap=True)


def show_snapshot(report: "IngestReport") -> None:
    """What an ingest took in and what it left out, and why."""
    table = Table("what", "count", box=None)
    table.columns[1].justify = "right"
    table.add_row("rows of the source", f"{report.source_rows:,}")
    table.add_row("products", f"{report.products:,}")
    for reason, count in report.quarantined.items():
        table.add_row(f"quarantined: {escape(reason)}", f"{count:,}", style="yellow")
    for reason, count in report.dropped.items():
        table.add_row(f"left out: {escape(reason)}", f"{count:,}", style="yellow")
    table.add_row("pictures", f"{report.media:,}")
    table.add_row("without a picture", f"{report.without_image:,}")
    for what, count in report.downloads.items():
        table.add_row(f"downloads: {escape(what)}", f"{count:,}")
    for what, found in report.findings.by_kind().items():
        if found:
            table.add_row(f"{what} ({PICTURES_PAGE})", f"{len(found):,}", style="yellow")
    _out().print(table)
    change = "" if report.changed else ", the same as before"
    say(f"Snapshot {report.snapshot} of {report.source} is in data/ and named by data.dvc{change}.")


def show_verdict(verdict: Verdict) -> None:
    """What refuses, by how much, as a table on stderr; then how many rules said what. All rules are in gate.json."""
    console = _out() if verdict.passed else _err()
    rows = verdict.rows()
    counts = Counter(row["outcome"] for row in rows)
    table = Table("refused by", "what", "slice", "value", "limit", "missed by", box=None)
    for column in table.columns[3:]:
        column.justify = "right"
    for row in rows:
        if row["outcome"] == "failed":
            cells = (row["rule"], row["what"], row["slice"], row["value"], row["limit"], row["distance"].lstrip("-"))
            table.add_row(*map(escape, cells), style="red")
    if table.row_count:
        console.print(table)
    unasked = f", {counts['insufficient']} had too little evidence" if counts["insufficient"] else ""
    warned = f", {counts['warned']} warn" if counts["warned"] else ""
    failed = f"{counts['failed']} refuse, " if counts["failed"] else ""
    console.print(f"Gates: {failed}{counts['passed']} pass{warned}{unasked}. All of them: {GATE_REPORT}")


def show_outcome(outcome: "RetrainOutcome", store: "ReleaseStore") -> None:
    """What a retrain came to."""
    if outcome.verdict is not None and outcome.status != "unchanged":
        show_scores(store.get(outcome.verdict.release))
        show_verdict(outcome.verdict)
        say(f"The whole report: {EVALUATE_PAGE}")
    say(outcome.sentence)
    champion = store.champion()
    if champion is not None and champion.release == outcome.release:
        say('Ask it: etalage search "red dress"   Serve it: etalage serve   What it was made of: etalage status')


def show_page(path: "Path | None") -> None:
    """Where the page of a run lies, if it left one."""
    if path is not None:
        say(f"The page of the run: {path} (the newest is {RUN_PAGE} too)")


def show_scores(manifest: "ReleaseManifest") -> None:
    """The primary metric of every kind of query: the engine beside the baselines."""
    systems = [ENGINE, *BASELINES]
    table = Table("held-out queries", "metric", *systems, box=None)
    for kind, scores in manifest.scores.items():
        metric = KINDS[kind].primary
        values = [scores.get(system, {}).get(metric) for system in systems]
        table.add_row(kind, metric, *("" if value is None else f"{value:.3f}" for value in values))
    _out().print(table)


def show_sweep(report: "SweepReport") -> None:
    """The front of quality against latency, fastest first, and what mattered most."""
    table = Table("on the front", "trial", "quality", "p50 ms", box=None)
    for column in table.columns:
        column.no_wrap = True
    for trial in report.front():
        if trial.report is not None:
            numbers = (str(trial.number), f"{trial.report.quality:.4f}", f"{trial.report.latency_p50_ms:.2f}")
            table.add_row(escape(trial.experiment or ""), *numbers)
    if table.row_count:
        _out().print(table)
    for row in report.importance:
        told = ", ".join(f"{key} {share:.0%}" for key, share in list(row.shares.items())[:3])
        say(f"What moved {row.objective}: {row.reason or told}")
    say(f"{len(report.trials)} of {report.budget} trials have ended; the whole report: {SWEEP_PAGE}")


def show_champion(champion: "ChampionRecord", store: "ReleaseStore") -> None:
    """Who answers now."""
    before = f"; before it: {champion.previous}" if champion.previous else ""
    say(f"Release {champion.release} answers since {champion.since}{before}.")
    if sentence := behind(store, champion.release):
        say(sentence)
    say("A service that runs follows.")


def show_refresh(refreshed: "Refreshed", *, dry_run: bool = False) -> None:
    """What a refresh changed, or would."""
    table = Table("products", "count", box=None)
    table.columns[1].justify = "right"
    for name, count in refreshed.changes.model_dump().items():
        table.add_row(_CHANGES[name], f"{count:,}")
    table.add_row("to be encoded" if dry_run else "encoded", f"{refreshed.encoded:,}")
    _out().print(table)
    what = f"Release {refreshed.release}, snapshot {refreshed.snapshot}"
    if dry_run:
        say(f"{what}: nothing was written, and the snapshot was not validated. `etalage refresh` does both.")
    elif refreshed.record is None:
        say(f"{what}: no product differs from what the index holds, and nothing was written.")
    else:
        say(f"{what}: refresh {refreshed.record.number} took {refreshed.seconds:.1f} s. A service that runs follows.")


_CHANGES = {
    "new": "new",
    "content": "changed words or pictures",
    "scalars": "changed otherwise (price, stock, ...)",
    "gone": "gone",
    "unchanged": "unchanged",
}


def show_releases(store: "ReleaseStore") -> None:
    """All releases as a table, oldest first, each with its refreshes."""
    champion = store.champion()
    table = Table("release", "made", "snapshot", "gates", "", box=None)
    for column in table.columns:
        column.no_wrap = True
    for manifest in store.list():
        mark = ""
        if champion is not None:
            mark = "champion" if manifest.release == champion.release else mark
            mark = "rolled back" if manifest.release in champion.withdrawn else mark
        table.add_row(
            manifest.release,
            f"{manifest.created_at:%Y-%m-%d}",
            manifest.snapshot,
            _gates(verdict_of(manifest), forced=manifest.forced is not None),
            mark,
            style="bold" if mark == "champion" else "",
        )
        for record in records(store.folder(manifest.release)):
            how = f"{record.encoded:,} encoded" if record.status == "done" else "cut short"
            table.add_row(f"  refresh {record.number}", f"{record.at:%Y-%m-%d}", record.snapshot, how, "")
    if table.row_count:
        _out().print(table)
    else:
        say("There is no release yet: `etalage ingest sample`, then `etalage retrain`.")


def show_keys(keys: "Keys") -> None:
    """All API keys as a table, in the order they were made."""
    table = Table("id", "name", "may do", "made", "revoked", box=None)
    for key in keys.keys:
        ended = "" if key.revoked_at is None else f"{key.revoked_at:%Y-%m-%d}"
        cells = (key.id, escape(key.name), ", ".join(key.scopes), f"{key.created_at:%Y-%m-%d}", ended)
        table.add_row(*cells, style="dim" if ended else "")
    _out().print(table)


def show_status(store: "ReleaseStore") -> None:
    """The champion and its origin."""
    champion = store.champion()
    if champion is None:
        say("No release has been promoted yet.")
    else:
        manifest = store.get(champion.release)
        table = Table(box=None, show_header=False)
        rows = {
            "champion": f"{champion.release}, since {champion.since}, by {champion.by}",
            "before it": champion.previous or "none",
            "snapshot": f"{manifest.snapshot} (data.dvc {manifest.data_md5})",
            "refreshed": _freshness(last_done(store.folder(champion.release))) or "never",
            "code": manifest.code_revision,
            "params": manifest.params_hash,
            "encoder": manifest.encoder,
            "collection": f"{manifest.collection} ({manifest.milvus_server or manifest.milvus_uri_kind + ' Milvus'})",
            "gates": _gates(verdict_of(manifest), forced=manifest.forced is not None),
            "Bento": "built" if is_packaged(champion.release, store.home) else "missing: run `etalage retrain`",
            "report": str(store.folder(champion.release) / "reports" / "report.html"),
            "page of its run": str(page_of(store, champion.release) or "none"),
        }
        if manifest.forced is not None:
            rows["forced"] = f"by {manifest.forced.by}: {manifest.forced.reason}"
        for name, value in rows.items():
            table.add_row(name, escape(value))
        _out().print(table)
        for sentence in (cut_short(store, champion.release), behind(store, champion.release)):
            if sentence is not None:
                say(sentence)


def show_answer(answer: "Answer") -> None:
    """Hits, each with its place in every leg that found it."""
    table = Table("", "score", "id", "title", "category", "price", "found by", box=None)
    for name in ("score", "price"):
        next(column for column in table.columns if column.header == name).justify = "right"
    for hit in answer.hits:
        product: Any = hit.product
        price = "" if product["price"] is None else f"{product['price']:g} {product['currency'] or ''}".strip()
        found = ", ".join(f"{leg} {place.rank}" for leg, place in hit.legs.items() if place.rank is not None)
        cells = (
            str(hit.rank),
            f"{hit.score:.3f}",
            hit.id,
            product["title"],
            product["category"][-1] if product["category"] else "",
            price,
            found,
        )
        table.add_row(*(escape(cell) for cell in cells))
    _out().print(table if answer.hits else "No product fits.")
    if answer.understood is not None:
        show_understood(answer.understood)
    say(f"Release {answer.release}, {answer.took_ms['total']:.0f} ms.")


def show_understood(understood: "Understood") -> None:
    """How the text was read, on one line; nothing where it was plain words."""
    parts = []
    for mention in understood.mentions:
        meant = mention.meanings[0]
        sure = "" if mention.how == "name" else f" ({mention.how}, {meant.confidence:.2f})"
        parts.append(f"{'not ' if mention.negated else ''}{meant.field} {meant.value}{sure}")
    for price in understood.prices:
        parts.append(f"price {price.text}" + ("" if price.applied else f" (not applied: {price.reason})"))
    parts += [f"without {words}" for words in understood.without]
    if parts:
        say(f"Understood: {', '.join(parts)}. Plain words: --no-understand.")


def _freshness(record: RefreshRecord | None) -> str:
    """The snapshot of the last refresh, its number and when it was; "" without one."""
    return "" if record is None else f"{record.snapshot} ({record.number}, {record.at:%Y-%m-%d %H:%M})"


def _gates(verdict: Verdict | None, *, forced: bool) -> str:
    if verdict is None:
        return "not asked"
    if verdict.passed:
        return "passed"
    return f"refused by {len(verdict.decision.refusals())}" + (", forced" if forced else "")


def _out() -> Console:
    return Console(highlight=False)


def _err() -> Console:
    return Console(stderr=True, highlight=False)
