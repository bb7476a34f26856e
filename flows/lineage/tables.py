"""What `etalage why`, `etalage diff` and `etalage gc` show on a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evaluation.queries.kinds import ENGINE, KINDS
from flows.lineage.differences import Differs, ReleaseDiff, ScoreChange
from flows.lineage.origins import Lineage, Score
from flows.retention.keeping import Fate

if TYPE_CHECKING:
    from bento.journals.answered import Answered
    from bento.journals.reported import Reported
    from flows.lineage.rebuild import Rebuilt

STYLES = {"failed": "red", "warned": "yellow", "insufficient": "yellow", "passed": ""}
MIB = 2**20


def show_answers(answers: Sequence["Answered"]) -> None:
    """Every answer to one request id, each with its hits."""
    for line in answers:
        asked = line.query if line.query is not None else line.query_hash
        rows = {
            "request": line.request,
            "answered": f"{line.time.isoformat(timespec='milliseconds')}, in {line.ms:g} ms",
            "by release": line.release or "none was open",
            "asked": f"{line.kind}{f', {line.language}' if line.language else ''}"
            + (f", k {line.k}" if line.k is not None else ""),
            "query": "not kept (ETALAGE_SERVICE_LOG_QUERIES)" if asked is None else str(asked),
            "filters": ", ".join(line.filters or ()) or "none",
            "status": f"{line.status}{f', {line.reason}' if line.reason else ''}",
        }
        if line.hits is not None:
            doubt = ", low confidence" if line.low_confidence else ""
            rows["hits"] = f"{line.hits}, best score {line.top:g}{doubt}" if line.top is not None else "none"
        _pairs(rows)
        if line.ids:
            table = Table("rank", "product", box=None)
            for rank, product in enumerate(line.ids, start=1):
                table.add_row(str(rank), escape(product))
            _out().print(table)
            if line.hits is not None and line.hits > len(line.ids):
                _say(f"And {line.hits - len(line.ids)} more, which the journal does not keep.")


def show_reported(reported: Sequence["Reported"]) -> None:
    """What users did with the hits, as it was told to POST /feedback."""
    if not reported:
        return
    table = Table("reported", "action", "product", "rank", "at", "user", box=None)
    for line in reported:
        when, user = line.time.isoformat(timespec="seconds"), line.user_id or line.user_hash or ""
        rank = "" if line.rank is None else str(line.rank)
        table.add_row(*map(escape, (when, line.action, line.product_id, rank, line.at or "", user)))
    _out().print(table)


def show_lineage(lineage: Lineage) -> None:
    """Origin, scores with intervals, the gates rule by rule, and what was done with it."""
    rows = {
        "release": f"{lineage.release} ({lineage.state}), made {lineage.created_at}",
        "data": f"snapshot {lineage.snapshot} (data.dvc {lineage.data_md5})",
        "code": lineage.code_revision,
        "params": lineage.params_hash,
        "encoder": lineage.encoder,
        "collection": f"{lineage.collection} ({lineage.milvus} Milvus)",
        "files": "not sealed" if lineage.files is None else f"{len(lineage.files)}, each by its sha256",
        "manifest": lineage.manifest_digest or "of an earlier version, without a digest of its own",
    }
    if lineage.forced is not None:
        rows["forced"] = f"by {lineage.forced.by}: {lineage.forced.reason}"
    if lineage.retired is not None:
        rows["retired"] = f"{lineage.retired.at} by {lineage.retired.by}: {lineage.retired.reason}"
    _pairs(rows)
    _show_scores(lineage)
    _show_gates(lineage)
    _show_moves(lineage)


def show_diff(diff: ReleaseDiff) -> None:
    """What differs, before on the left."""
    _show_differing("what", diff.about, diff)
    if diff.products is not None:
        told = diff.products
        _say(f"Products: {told.new} new, {told.gone} gone, {told.changed} changed, {told.same} the same.")
    elif diff.products_note:
        _say(diff.products_note)
    _show_differing("params", diff.params, diff)
    _show_score_changes(diff)
    _show_differing("gates", [_of_gate(row) for row in diff.gates], diff)
    if not (diff.about or diff.params or diff.gates or any(row.difference for row in diff.scores)):
        _say("Nothing differs.")


def show_rebuilt(rebuilt: "Rebuilt") -> None:
    """Digest by digest, as it was and as it came out."""
    table = Table("rebuilt", "was", "is", "", box=None)
    for row in rebuilt.compared:
        cells = (row.name, row.recorded, row.rebuilt, "the same" if row.same else "differs")
        table.add_row(*map(escape, cells), style="" if row.same else "red")
    _out().print(table)
    if rebuilt.other_packages:
        _say("It was made with other packages: its requirements.lock is not that of today.")
    _say(f"Release {rebuilt.release} was rebuilt in {rebuilt.folder}; remove that folder when you have seen enough.")


def show_fates(fates: Sequence[Fate], dry_run: bool) -> None:
    """What stays and what goes, releases oldest first."""
    table = Table("release", "has", "MiB", "", "why", box=None)
    table.columns[2].justify = "right"
    goes = "would go" if dry_run else "removed"
    for fate in fates:
        cells = (fate.name, ", ".join(fate.parts), f"{fate.size / MIB:.1f}", "stays" if fate.stays else goes, fate.why)
        table.add_row(*map(escape, cells), style="" if fate.stays else "yellow")
    if table.row_count:
        _out().print(table)
    gone = [fate for fate in fates if not fate.stays]
    size = sum(fate.size for fate in gone) / MIB
    what = f"{len(gone)} {goes}, {size:.1f} MiB beside what the collections take" if gone else "Nothing to remove"
    _say(f"{what}; {len(fates) - len(gone)} stay.")


def _show_scores(lineage: Lineage) -> None:
    table = Table("held-out queries", "metric", "engine", "95 %", "queries", box=None)
    for row in lineage.scores:
        if row.system == ENGINE and row.kind in KINDS and row.metric == KINDS[row.kind].primary:
            table.add_row(row.kind, row.metric, f"{row.mean:.3f}", _interval(row), "" if row.n is None else str(row.n))
    if table.row_count:
        _out().print(table)
    if lineage.scores_note:
        _say(f"Scores without intervals: {lineage.scores_note}.")


def _show_gates(lineage: Lineage) -> None:
    if lineage.gate is None:
        _say("The gates were never asked about it.")
        return
    table = Table("gate", "rule", "what", "slice", "value", "limit", box=None)
    for row in lineage.gate.rows():
        cells = (row["outcome"], row["rule"], row["what"], row["slice"], row["value"], row["limit"])
        table.add_row(*map(escape, cells), style=STYLES[row["outcome"]])
    _out().print(table)
    against = f" against champion {lineage.gate.champion}" if lineage.gate.champion else ""
    _say(f"The gates {'passed' if lineage.gate.passed else 'refused'} it{against}.")


def _show_moves(lineage: Lineage) -> None:
    if not lineage.moves:
        _say("It was never promoted.")
        return
    table = Table("when", "what", "release", "instead of", "by", "why", box=None)
    for entry in lineage.moves:
        table.add_row(
            *map(escape, (entry.at, entry.move, entry.release, entry.instead_of or "", entry.by, entry.reason))
        )
    _out().print(table)


def _show_differing(title: str, rows: Sequence[Differs], diff: ReleaseDiff) -> None:
    if rows:
        table = Table(title, escape(diff.before), escape(diff.after), box=None)
        for row in rows:
            table.add_row(escape(row.name), _cell(row.before), _cell(row.after))
        _out().print(table)


def _show_score_changes(diff: ReleaseDiff) -> None:
    table = Table("held-out queries", "metric", diff.before, diff.after, "difference", "", box=None)
    for row in diff.scores:
        if row.system == ENGINE and row.kind in KINDS and row.metric == KINDS[row.kind].primary:
            table.add_row(row.kind, row.metric, _scored(row.before), _scored(row.after), *_changed(row))
    if table.row_count:
        _out().print(table)
    if diff.same_questions is not True:
        why = "were asked other questions" if diff.same_questions is False else "may have been asked other questions"
        _say(f"The two {why}: their scores do not compare.")


def _changed(row: ScoreChange) -> tuple[str, str]:
    sign = "" if row.difference is None else f"{row.difference:+.3f}"
    return sign, "intervals apart" if row.apart else ""


def _scored(score: Score | None) -> str:
    return "" if score is None else f"{score.mean:.3f} {_interval(score)}".strip()


def _interval(score: Score) -> str:
    return "" if score.low is None or score.high is None else f"{score.low:.3f} to {score.high:.3f}"


def _of_gate(row: Differs) -> Differs:
    """A rule's answer in short: outcome, value and limit."""
    return row.model_copy(update={"before": _ruled(row.before), "after": _ruled(row.after)})


def _ruled(told: Any) -> Any:
    if not isinstance(told, dict):
        return told
    value, limit = ("" if told[name] is None else f"{told[name]:.4g}" for name in ("value", "limit"))
    return f"{told['outcome']} {value}{f' (limit {limit})' if limit else ''}".strip()


def _cell(value: Any) -> str:
    return "-" if value is None else escape(str(value))


def _pairs(rows: dict[str, str]) -> None:
    table = Table(box=None, show_header=False)
    for name, value in rows.items():
        table.add_row(name, escape(value))
    _out().print(table)


def _say(sentence: str) -> None:
    _out().print(escape(sentence), soft_wrap=True)


def _out() -> Console:
    return Console(highlight=False)
