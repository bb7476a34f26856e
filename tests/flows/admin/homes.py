"""A home with releases that were really measured: the small shop of tests/evaluation, by an encoder that sees colours
and by one that does not; the alias is a file, as in tests/flows/worlds.py."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalog.errors import EtalageError
from catalog.tables import write_products
from catalog.workspace import DATA, MEDIA, PRODUCTS
from evaluation.answers import RUNS_FILE, Systems, ask_baselines, ask_engine, runs_table
from evaluation.evaluate import summarise
from evaluation.gates.decide import Decision
from evaluation.gates.reasons import at_least, unasked
from evaluation.measure import score
from evaluation.params import EvaluateParams
from evaluation.pool import pool_engines
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.questions import evaluation_set
from evaluation.results import EvaluationReport, Inputs
from evaluation.runs import photos_of
from evaluation.scores import PER_QUERY_FILE
from flows.admin.app import create_app
from flows.admin.catalogue import Catalogue
from flows.admin.entrance import Gatekeeper
from flows.admin.rolling import Carry, Wish
from flows.admin.serving import door_of, server_of
from flows.admin.sessions import Sessions
from flows.errors import exit_code
from flows.promotion import promote, roll_back
from flows.releases import ReleaseStore
from flows.verdict import Verdict
from search.logic import SearchLogic
from tests.bento.running import listening
from tests.evaluation.worlds import TERMS, FacetEncoder, embedded, media, shop
from tests.flows.worlds import FileAlias, a_release, a_store

GOOD, WORSE, UNMEASURED = "r-sees", "r-blind", "r-unmeasured"
"""In the order they were made; WORSE is the champion, GOOD the one before it."""
SNAPSHOT, MD5 = "5" * 12, "d" * 32 + ".dir"
POOL = shop()
PARAMS = EvaluateParams(attribute_queries=10, bootstrap_rounds=100, slice_minimum=2)


@dataclass(frozen=True)
class Home:
    """A workspace, the home in it, and its Milvus."""

    folder: Path
    store: ReleaseStore
    alias: FileAlias

    @property
    def keys(self) -> Path:
        """The key file."""
        return self.store.home / "keys.json"

    def carry(self) -> Carry:
        """A rollback without Prefect and Milvus: the record, the history and the alias move as they do there."""

        async def carry(wish: Wish) -> tuple[int, str]:
            try:
                roll_back(self.store, self.alias, by=wish.by, reason=wish.reason)
            except EtalageError as error:
                return exit_code(error), str(error)
            return 0, f"Release {wish.to} answers again."

        return carry


@cache
def questions() -> EvaluationSet:
    """What all of them are asked."""
    return evaluation_set(POOL, POOL, TERMS, (), PARAMS)


@cache
def measured(folder: Path, blind: bool) -> tuple[EvaluationReport, Systems, Systems]:
    """The report of one encoder, and what was answered. `folder` is for its pictures."""
    store, encoder = media(folder), FacetEncoder(fingerprint="blind" if blind else "sees", blind=blind)
    engines = pool_engines(POOL, TERMS, embedded(POOL, store, encoder), encoder, SearchLogic())
    asked = ask_engine(engines, questions(), photos_of(store))
    others = ask_baselines(questions(), POOL, lambda query: None, None, PARAMS.seed)
    scores = score(questions(), {**asked.runs, **others.runs}, {**asked.asked, **others.asked})
    inputs = Inputs(
        snapshot=SNAPSHOT, encoder=encoder.fingerprint, baseline_encoder=None, ranking="a", params="b",
        evaluation_set=questions().fingerprint,
    )  # fmt: skip
    return summarise(inputs, questions(), scores, [asked, others], len(POOL), PARAMS), asked, others


def a_home(folder: Path, pictures: Path) -> Home:
    """GOOD was promoted, then WORSE; UNMEASURED never was, and keeps nothing. `pictures` is shared by many homes."""
    store, alias = a_store(folder / ".etalage")
    for number, (release, blind) in enumerate(((GOOD, False), (WORSE, True))):
        report, asked, others = measured(pictures / release, blind)
        a_release(
            store, release, number, snapshot=SNAPSHOT, data_md5=MD5, encoder=report.inputs.encoder,
            scores=report.metrics, gate=a_verdict(release, GOOD if number else None, report),
            params={"train": {"epochs": number + 1}},
        )  # fmt: skip
        reports = store.folder(release) / "reports"
        kept = reports / "evaluation"
        kept.mkdir(parents=True)
        (reports / "evaluate.json").write_text(report.model_dump_json())
        (reports / "report.html").write_text("<!doctype html><title>kept</title>")
        questions().write(kept)
        scores = score(questions(), {**asked.runs, **others.runs}, {**asked.asked, **others.asked})
        scores.write_parquet(kept / PER_QUERY_FILE)
        runs_table([asked, others]).write_parquet(kept / RUNS_FILE)
        alias.add(release)
        promote(store, alias, release, by="etalage retrain", reason=f"promotion of {release}")
    a_release(store, UNMEASURED, 2, snapshot=SNAPSHOT)
    (folder / DATA).mkdir()
    write_products(POOL, folder / PRODUCTS)
    media(folder / MEDIA)
    (folder / "data.dvc").write_text(f"outs:\n- md5: {MD5}\n  path: data\n")
    return Home(folder, store, alias)


def copied(made: Home, folder: Path) -> Home:
    """The same home once more, to be changed by one test."""
    shutil.copytree(made.folder, folder, dirs_exist_ok=True)
    home = folder / ".etalage"
    return Home(folder, ReleaseStore(home), FileAlias(home / "alias.json"))


def a_verdict(release: str, champion: str | None, report: EvaluationReport) -> dict[str, object]:
    """Two rules of this release's own numbers, the second of which WORSE fails, and one that could not be asked."""

    def engine(kind: str, metric: str) -> float:
        return report.metrics[kind]["engine"][metric]

    reasons = (
        at_least("floor", "title_to_product engine recall@10", engine("title_to_product", "recall@10"), 0.5),
        at_least("floor", "attribute_zh engine nDCG@10", engine("attribute_zh", "nDCG@10"), 0.9),
        unasked("floor", "shop", "The shop gave no judgements."),
    )
    decision = Decision(passed=all(reason.outcome != "failed" for reason in reasons), reasons=reasons)
    told = Verdict(key="k", release=release, snapshot=SNAPSHOT, encoder="e", champion=champion, decision=decision)
    return told.model_dump(mode="json")


@contextmanager
def admin_of(home: Home, carry: Carry | None = None) -> Iterator[str]:
    """The address of `etalage admin` over `home`, whose workspace must be the working directory."""
    gatekeeper = Gatekeeper(door_of(home.store.home, "127.0.0.1"), Sessions())
    app = create_app(home.store, gatekeeper, Catalogue(), carry or home.carry())
    with listening(server_of(app)) as own:
        yield own
