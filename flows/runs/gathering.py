"""All that the page of a run tells, gathered where it lies: reports, artifacts and the release store.

A report is believed only when it is about today's snapshot and encoder; a part that the run did not come to says why.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from catalog.digests import digest_of
from catalog.errors import EtalageError, GateRefused, InvalidSnapshot
from catalog.media import MediaStore
from catalog.params import load_section, params_document
from catalog.products import Product
from catalog.snapshot import snapshot_id
from catalog.tables import read_products
from catalog.workspace import CURVES, EVALUATION, GATE_REPORT
from evaluation.answers import RUNS_FILE, read_run
from evaluation.gates.evidence import Evidence
from evaluation.gates.rules import GateRules
from evaluation.pages.figures import curves
from evaluation.pages.report import headlines
from evaluation.pages.shown import Thumbnails
from evaluation.pages.worst import best_queries, shown_queries, worst_queries
from evaluation.queries.judgements import read_evaluation_set
from evaluation.queries.kinds import ENGINE
from evaluation.results import EvaluationReport
from evaluation.run_page.catalogue_map import CatalogueMap, catalogue_map
from evaluation.run_page.content import Ending, Gates, Missing, Queries, RunPage, Tile, Tone
from evaluation.run_page.costs import Costs, ReportParams
from evaluation.run_page.heat import heat_map
from evaluation.run_page.scores import scores_of
from evaluation.scores import PER_QUERY_FILE, engine_values, read_scores
from flows import milestones
from flows.errors import RefusedByGates
from flows.milestones import Measured
from flows.outcome import RetrainOutcome
from flows.releases import ReleaseStore
from flows.revision import code_revision
from flows.runs.changes import changes_since
from flows.runs.run import Run
from flows.runs.times import read_times
from flows.verdict import Verdict, verdict_of
from models.embeddings import load_embeddings

STAGES = Path("dvc.yaml")
SEED = 7
WORST, BEST, HEADLINES = 10, 6, 2
TONES: Mapping[str, Tone] = {"promoted": "good", "forced": "plain", "challenger": "good", "unchanged": "plain"}

Part = TypeVar("Part")


def page_of_run(store: ReleaseStore, run: Run, ended: RetrainOutcome | EtalageError) -> RunPage:
    """The page of `run`, which `ended` so."""
    rules, media = load_section("gates", GateRules), MediaStore()
    snapshot = _or_missing(snapshot_id)
    measured = _or_missing(lambda: milestones.read_measured(_there(snapshot)))
    report = Missing(f"The run did not come to this. {measured.why}") if isinstance(measured, Missing) else measured
    verdict = _verdict(store, ended)
    evidence = _evidence(verdict)
    comparison, alpha = None if evidence is None else evidence.comparison, rules.champion.alpha
    alone = _alone(verdict, evidence)
    return RunPage(
        run=run.id,
        began=f"{run.began:%Y-%m-%d %H:%M} UTC",
        ending=ending(ended),
        about=_about(run, ended, snapshot, measured),
        changes=_or_missing(
            lambda: changes_since(run.served, _there(snapshot), rules.continuity, _settings(store, run), media)
        ),
        scores=_of(report, lambda known: scores_of(known.evaluation, comparison, alpha, alone)),
        gates=_gates(verdict, ended),
        slices=_of(report, lambda known: heat_map(known.evaluation, comparison, alpha)),
        curves=_of(report, lambda _: curves(CURVES) or Missing("The training left no curve of two points.")),
        catalogue=_of(report, lambda known: _map(known.encoder, media)),
        queries=_of(report, lambda _: _queries(media)),
        costs=costs(run),
        headlines=() if isinstance(report, Missing) else _headlines(report.evaluation),
    )


def ending(ended: RetrainOutcome | EtalageError) -> Ending:
    """In a word, and in the words of who decided."""
    if isinstance(ended, RetrainOutcome):
        sentence = ended.sentence
        if ended.verdict is not None and ended.status == "forced":
            sentence = f"{sentence} {ended.verdict.sentence()}"
        return Ending(ended.status, sentence, TONES[ended.status])
    refused = isinstance(ended, GateRefused | InvalidSnapshot)
    return Ending("refused" if refused else "stopped", str(ended), "bad")


def costs(run: Run) -> Costs:
    """DVC's stages in their order, then the steps of the flow."""
    times = read_times()
    rows = [times[name].cost(name, run.since) for name in _stages() if name in times]
    section = params_document().get("report") or {}
    return Costs((*rows, *run.steps), run.seconds, ReportParams.model_validate(section))


def _stages() -> list[str]:
    """The stages of dvc.yaml, in its order."""
    return list(yaml.safe_load(STAGES.read_text(encoding="utf-8"))["stages"])


def _verdict(store: ReleaseStore, ended: RetrainOutcome | EtalageError) -> Verdict | None:
    """What the gates said in this run, or, where it changed nothing, when the release was made."""
    if isinstance(ended, RefusedByGates):
        return ended.verdict
    if not isinstance(ended, RetrainOutcome):
        return None
    if ended.verdict is None and ended.release is not None:
        return verdict_of(store.get(ended.release))
    return ended.verdict


def _evidence(verdict: Verdict | None) -> Evidence | None:
    """What the gates looked at; None where reports/gate.json is not about this very question to them."""
    try:
        kept = json.loads(GATE_REPORT.read_bytes())
        asked = verdict is not None and kept.get("key") == verdict.key
        return Evidence.model_validate(kept.get("evidence")) if asked else None
    except (FileNotFoundError, ValueError):
        return None


def _alone(verdict: Verdict | None, evidence: Evidence | None) -> str:
    """Why no champion stands beside the scores, for a page that has none."""
    if verdict is None:
        return "The run ended before the champion was asked the same."
    if verdict.champion is None:
        return "There was no champion to compare with."
    if evidence is None:
        return "What the gates looked at is not kept any more."
    return f"Champion {verdict.champion} could not be compared with."


def _gates(verdict: Verdict | None, ended: RetrainOutcome | EtalageError) -> Gates | Missing:
    if verdict is not None:
        return Gates(verdict.passed, verdict.sentence(), verdict.ordered())
    return Missing(
        f"The gates were not asked. {ended}" if isinstance(ended, EtalageError) else "The gates were not asked."
    )


def _headlines(report: EvaluationReport) -> list[Tile]:
    return [Tile(number, what, remark) for what, number, remark in headlines(report)[:HEADLINES]]


def _about(
    run: Run, ended: RetrainOutcome | EtalageError, snapshot: str | Missing, measured: Measured | Missing
) -> dict[str, str]:
    """Names of what went in, as the manifest names them."""
    params = params_document()
    known = {
        "run": run.id,
        "release": ended.release if isinstance(ended, RetrainOutcome) else None,
        "champion before": None if run.served is None else run.served.release,
        "snapshot": None if isinstance(snapshot, Missing) else snapshot,
        "encoder": None if isinstance(measured, Missing) else measured.encoder,
        "params": digest_of(params),
        "code": code_revision(),
    }
    return {name: value for name, value in known.items() if value is not None}


def _settings(store: ReleaseStore, run: Run) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """The champion's settings and today's."""
    if run.served is None:
        return None
    return store.get(run.served.release).params, params_document()


def _map(encoder: str, media: MediaStore) -> CatalogueMap | Missing:
    embeddings, thumbnails, there = load_embeddings(), Thumbnails(media), set(media.ids())
    if embeddings.encoder != encoder:
        return Missing(f"The embeddings are of encoder {embeddings.encoder}, and the workspace holds {encoder}.")

    def picture(product: Product) -> str:
        return thumbnails.of(product.images[0]) if {*product.images[:1]} & there else ""

    drawn = catalogue_map(embeddings, read_products(), picture, seed=SEED)
    return drawn or Missing("Too few products have a vector to draw a map of them.")


def _queries(media: MediaStore) -> Queries | Missing:
    questions, values = read_evaluation_set(EVALUATION), engine_values(read_scores(EVALUATION / PER_QUERY_FILE))
    run, products = read_run(EVALUATION / RUNS_FILE, ENGINE), read_products()
    best, worst = best_queries(questions, run, values, BEST), worst_queries(questions, run, values, WORST)
    return Queries(*(shown_queries(chosen, questions, run, values, products, media) for chosen in (best, worst)))


def _or_missing(made: Callable[[], Part]) -> Part | Missing:
    """What is made, or the sentence of what refuses to be."""
    try:
        return made()
    except EtalageError as error:
        return Missing(str(error))


def _of(measured: Measured | Missing, made: Callable[[Measured], Part | Missing]) -> Part | Missing:
    """A part of what was measured; where nothing was of today's inputs, why."""
    return measured if isinstance(measured, Missing) else _or_missing(lambda: made(measured))


def _there(part: str | Missing) -> str:
    if isinstance(part, Missing):
        raise InvalidSnapshot(part.why)
    return part
