"""The whole loop as a user runs it, one story told in order: each test goes on where the one before it ended.

python -m pytest tests/pipeline
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.faithfulness import engine_here, measured
from catalog.media import MediaStore
from evaluation.run_page.page import PARTS
from search.milvus.store import MilvusStore
from search.release import read_manifest, write_manifest
from tests.pipeline.prefect_api import Server
from tests.pipeline.workspace import TINY, Done, Workspace
from tests.search.milvus_server import MilvusServer

pytestmark = pytest.mark.slow

IMPOSSIBLE = "gates.latency.p95_ms=0.0001"
POSSIBLE = "gates.latency.p95_ms=60000"
ANOTHER_RANKING = "tune.floor=0.25"  # four legs, a quarter each: not what the first release has


def settings(*more: str) -> list[str]:
    """--set options."""
    return [part for setting in more for part in ("--set", setting)]


def explain(done: Done) -> str:
    return f"exit {done.code}\n{done.out[-3000:]}\n{done.err[-6000:]}"


def content(workspace: Workspace) -> dict[str, bytes]:
    """Everything a retrain could change, but Prefect's own database and the lock file."""
    kept = [workspace.folder / "dvc.lock", workspace.folder / "params.yaml", workspace.folder / "data.dvc"]
    kept += [path for path in workspace.home.rglob("*.json*") if "prefect" not in path.parts]
    return {str(path): path.read_bytes() for path in kept if path.is_file()}


def aliased(workspace: Workspace) -> str | None:
    """The release that the Milvus alias names."""
    return MilvusStore(str(workspace.home / "milvus" / "etalage.db")).champion()


def _hits(out: str) -> list[str]:
    """The lines of an answer's table that show a product: place, score, id and so on."""
    return [" ".join(line.split()) for line in out.splitlines() if line.strip()[:1].isdigit()]


def test_before_anything_the_answers_are_sentences_with_exit_code_3(workspace: Workspace) -> None:
    for arguments in (["search", "red dress"], ["serve"], ["retrain"], ["refresh"], ["promote", "r1"], ["rollback"]):
        done = workspace.run(*arguments)
        assert done.code == 3, explain(done)
        assert "Traceback" not in done.err


def test_a_catalogue_becomes_a_snapshot_that_dvc_names(workspace: Workspace, shop: Path) -> None:
    done = workspace.run("ingest", str(shop))

    assert done.code == 0, explain(done)
    assert "products" in done.out and "quarantined" in done.out
    assert (workspace.folder / "data.dvc").is_file()


def test_a_refusal_exits_1_with_the_table_of_what_failed_by_how_much(workspace: Workspace) -> None:
    tiny = [f"{key}={value}" for key, value in TINY.items()]
    done = workspace.run("retrain", *settings(*tiny, IMPOSSIBLE))

    assert done.code == 1, explain(done)
    assert "p95 of one query, ms" in done.err and "misses it by" in done.err
    assert "Traceback" not in done.err
    assert workspace.champion() is None
    verdict = json.loads((workspace.folder / "reports/gate.json").read_text())
    failed = [reason["rule"] for reason in verdict["decision"]["reasons"] if reason["outcome"] == "failed"]
    assert failed == ["latency"]
    page = (workspace.folder / "reports/retrain.html").read_text()
    assert "There was no champion when the run began" in page and "1 refused" in page
    assert all(f">{title}</h2>" in page for title in PARTS.values())
    assert "The run did not come to this" not in page and "Map of the catalogue" in page
    (kept,) = workspace.pages()
    assert kept.read_text() == page and str(kept) in done.out.replace("\n", "")
    linked = Server(workspace.environment["PREFECT_API_URL"]).artifacts("run-page")
    assert sum(kept.as_uri() in artifact["data"] for artifact in linked) == 1


def test_the_same_inputs_are_refused_again_without_computing_anything(workspace: Workspace) -> None:
    before = content(workspace)
    done = workspace.run("retrain")

    assert done.code == 1, explain(done)
    assert "Nothing was recomputed" in done.err
    assert "reports/retrain.html" in done.out  # what was said then
    assert "Flow run" not in done.err  # Prefect was not started
    assert content(workspace) == before


def test_force_needs_a_reason_and_is_recorded(workspace: Workspace) -> None:
    assert workspace.run("retrain", "--force").code == 2
    assert workspace.champion() is None

    done = workspace.run("retrain", "--force", "--reason", "the machine is slow", "--by", "A Tester")

    assert done.code == 0, explain(done)
    release = workspace.champion()
    assert release is not None and release == aliased(workspace)
    manifest = json.loads((workspace.home / "releases" / release / "manifest.json").read_text())
    assert manifest["forced"] == {"by": "A Tester", "reason": "the machine is slow"}
    assert workspace.moves() == [("force", release)]


def test_with_nothing_changed_nothing_is_computed_and_it_says_so(workspace: Workspace) -> None:
    before = content(workspace)
    done = workspace.run("retrain")

    assert done.code == 0, explain(done)
    assert f"Nothing changed: release {workspace.champion()} already serves snapshot" in done.out
    assert "nothing was recomputed" in done.out
    assert f"releases/{workspace.champion()}/reports/retrain.html" in done.out.replace("\n", "")
    assert "Flow run" not in done.err  # Prefect was not started
    assert content(workspace) == before


@pytest.mark.parametrize("query", ["red dress", "红色连衣裙"])
def test_the_champion_answers_in_both_languages(workspace: Workspace, query: str) -> None:
    done = workspace.run("search", query, "--k", "3", "--explain")

    assert done.code == 0, explain(done)
    assert f"Release {workspace.champion()}" in done.out
    assert "without it, less:" in done.out and "category" in done.out


def test_what_is_named_as_a_reason_is_missed_more_than_something_random(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words dropped, photos painted over, attributes taken away: 95 % intervals of the difference lie above 0."""
    monkeypatch.chdir(workspace.folder)
    for taken, falls in measured(engine_here(), MediaStore(), texts=24, photos=8).items():
        assert falls.pairs >= 8 and falls.interval[0] > 0, (taken, falls)


def test_bad_questions_are_sentences_with_exit_code_2(workspace: Workspace, shop: Path) -> None:
    for arguments in (
        ["search"],
        ["search", "dress", "--filter", "colour"],
        ["search", "dress", "--filter", "size_of_moon=1"],
        ["search", "dress", "--k", "0"],
        ["search", "--image", str(shop / "products.jsonl")],
        ["ingest", "no/such/folder"],
        ["retrain", "--set", "train.epoch=3"],
    ):
        done = workspace.run(*arguments)
        assert done.code == 2, f"{arguments}: {explain(done)}"
        assert "Traceback" not in done.err


def test_killed_anywhere_and_run_again_it_ends_in_the_same_place(workspace: Workspace) -> None:
    first = workspace.champion()
    change = settings(ANOTHER_RANKING, POSSIBLE)
    releases = workspace.home / "releases"
    known = {path.name for path in releases.iterdir()}

    def new_release(name: str) -> bool:
        return any((path / name).exists() for path in releases.iterdir() if path.name not in known)

    workspace.run_until(lambda said: "Running stage 'evaluate'" in said, "retrain", *change)
    assert workspace.champion() == first
    workspace.run_until(lambda said: new_release("ranking"), "retrain")
    assert workspace.champion() == first
    workspace.run_until(lambda said: new_release("manifest.json"), "retrain")
    assert workspace.champion() == first == aliased(workspace)
    assert first is not None
    a_champion_with_another_score_than_its_record_is_not_compared_with(workspace, first)

    done = workspace.run("retrain")

    assert done.code == 0, explain(done)
    assert f"Champion {first}: " in done.err and "score what its record says" in done.err
    second = workspace.champion()
    assert second is not None and second != first
    assert second == aliased(workspace)
    assert workspace.moves() == [("force", first), ("promote", second)]
    assert [path.name for path in releases.iterdir() if path.name not in known] == [second]
    assert (workspace.home / "bentoml" / "bentos" / "etalage" / second / "bento.yaml").is_file()
    page = (releases / second / "reports/retrain.html").read_text()
    assert page == workspace.pages()[-1].read_text()
    assert "<b>promoted</b>" in page and "against the champion, mean over all kinds" in page
    assert f"<dt>champion before</dt><dd><code>{first}</code></dd>" in page and "tune.floor" in page
    assert workspace.run("retrain").out.startswith(f"Nothing changed: release {second}")


def a_champion_with_another_score_than_its_record_is_not_compared_with(workspace: Workspace, champion: str) -> None:
    with raised_score(workspace, champion):
        refused = workspace.run("retrain")

    assert refused.code == 5, explain(refused)
    assert f"The evaluation itself is broken, so nothing is compared: champion {champion} records" in refused.err
    assert "recall@10 of title_to_product (engine)" in refused.err and "Traceback" not in refused.err
    assert workspace.champion() == champion == aliased(workspace)


@contextmanager
def raised_score(workspace: Workspace, release: str) -> Iterator[None]:
    """One score in its manifest is another, and the manifest's own digest fits."""
    folder = workspace.home / "releases" / release
    path = folder / "manifest.json"
    honest = path.read_bytes()
    manifest = read_manifest(folder)
    scores = {kind: {system: dict(own) for system, own in of.items()} for kind, of in manifest.scores.items()}
    scores["title_to_product"]["engine"]["recall@10"] += 0.1
    write_manifest(manifest.model_copy(update={"scores": scores}), folder)
    try:
        yield
    finally:
        path.write_bytes(honest)


def test_a_champion_with_another_score_than_its_record_is_told_of_before_anything_is_trained(
    workspace: Workspace,
) -> None:
    champion = workspace.champion()
    assert champion is not None
    params = workspace.folder / "params.yaml"
    honest = params.read_bytes()
    with raised_score(workspace, champion):
        refused = workspace.run("retrain", "--set", "train.epochs=3")
    params.write_bytes(honest)

    assert refused.code == 5, explain(refused)
    assert "The evaluation itself is broken" in refused.err and "Running stage 'train'" not in refused.err
    assert workspace.run("retrain").out.startswith(f"Nothing changed: release {champion}")


def test_rollback_moves_alias_and_record_back_and_retrain_does_not_undo_it(workspace: Workspace) -> None:
    first, second = (release for _, release in workspace.moves())

    done = workspace.run("rollback", "--reason", "hits look wrong")
    assert done.code == 0, explain(done)
    assert workspace.champion() == first == aliased(workspace)
    assert workspace.moves()[-1] == ("rollback", first)

    refused = workspace.run("retrain")
    assert refused.code == 1, explain(refused)
    assert f"etalage promote {second}" in refused.err
    assert workspace.champion() == first

    promoted = workspace.run("promote", second)
    assert promoted.code == 0, explain(promoted)
    assert workspace.champion() == second == aliased(workspace)


def test_another_milvus_is_one_setting_and_one_retrain_that_only_fills_it(
    workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    champion, question = workspace.champion(), ["search", "red dress", "--k", "5"]
    answers = [workspace.run(*question).out]
    moves, stages = workspace.moves(), (workspace.folder / "dvc.lock").read_bytes()
    with MilvusServer(tmp_path_factory.mktemp("milvus")) as running:
        elsewhere = replace(workspace, environment={**workspace.environment, "ETALAGE_MILVUS_URI": running.uri})
        early = elsewhere.run(*question)
        assert early.code == 3 and "has no collection" in early.err, explain(early)

        filled = elsewhere.run("retrain")

        assert filled.code == 0, explain(filled)
        assert f"Release {champion} already serves" in filled.out
        assert "Running stage" not in filled.err
        assert MilvusStore(running.uri).champion() == champion == aliased(workspace)
        assert elsewhere.run("retrain").out.startswith(f"Nothing changed: release {champion}")
        answers.append(elsewhere.run(*question).out)
    back = workspace.run("retrain")
    assert back.code == 0 and f"Release {champion} already serves" in back.out, explain(back)
    answers.append(workspace.run(*question).out)
    assert _hits(answers[0]) == _hits(answers[1]) == _hits(answers[2]) != []
    assert (workspace.moves(), (workspace.folder / "dvc.lock").read_bytes()) == (moves, stages)


def test_an_unfit_snapshot_stops_before_training_and_the_good_one_is_still_known(
    workspace: Workspace, shop: Path, tiny_shop: Path
) -> None:
    champion = workspace.champion()
    model = (workspace.folder / "artifacts/model").stat().st_mtime_ns
    assert workspace.run("ingest", str(tiny_shop)).code == 0

    done = workspace.run("retrain")

    assert done.code == 1, explain(done)
    assert "not fit to train on" in done.err and "20" in done.err
    assert "Running stage 'train'" not in done.err
    assert (workspace.folder / "artifacts/model").stat().st_mtime_ns == model
    assert workspace.champion() == champion
    page = (workspace.folder / "reports/retrain.html").read_text()
    assert "<b>refused</b>" in page and "not fit to train on" in page
    assert "products then, 20 now" in page and page.count("The run did not come to this.") == 5

    question = ["search", "red dress", "--k", "5"]
    before = _hits(workspace.run(*question).out)
    refused = workspace.run("refresh")
    assert refused.code == 1 and "not fit to train on" in refused.err, explain(refused)
    assert _hits(workspace.run(*question).out) == before

    assert workspace.run("ingest", str(shop)).code == 0
    again = workspace.run("retrain")
    assert again.code == 0, explain(again)
    assert again.out.startswith(f"Nothing changed: release {champion}")


def test_a_changed_shop_reaches_the_champion_without_training_and_the_old_one_comes_back(
    workspace: Workspace, shop: Path, tmp_path: Path
) -> None:
    champion, model = workspace.champion(), (workspace.folder / "artifacts/model").stat().st_mtime_ns
    question = ["search", "red dress", "--k", "5"]
    before = _hits(workspace.run(*question).out)
    shutil.copytree(shop, tmp_path / "later")
    table = tmp_path / "later" / "products.jsonl"
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    gone, other = rows[0], {**rows[1], "title": "Quibblefrock of another world"}
    table.write_text("\n".join(map(json.dumps, [other, *rows[2:]])) + "\n", encoding="utf-8")
    assert workspace.run("ingest", str(tmp_path / "later")).code == 0

    dry, done, again = (workspace.run("refresh", *more) for more in (["--dry-run"], [], []))

    assert (dry.code, done.code, again.code) == (0, 0, 0), explain(done)
    assert "nothing was written" in dry.out and "nothing was written" in again.out
    assert "refresh 1 took" in done.out and "Running stage 'train'" not in done.err
    found = workspace.run("search", "quibblefrock", "--k", "1", "--leg", "lexical").out
    assert other["id"] in found and champion is not None and champion in found
    assert gone["id"] not in {
        line.split()[2] for line in _hits(workspace.run("search", gone["title"], "--leg", "lexical").out)
    }
    assert (workspace.champion(), (workspace.folder / "artifacts/model").stat().st_mtime_ns) == (champion, model)

    assert workspace.run("ingest", str(shop)).code == 0
    back = workspace.run("retrain")
    assert back.code == 0 and f"Release {champion} already serves" in back.out, explain(back)
    assert "Running stage" not in back.err.replace("Running stage 'validate'", "")
    assert _hits(workspace.run(*question).out) == before


def test_a_second_run_at_the_same_time_is_told_that_the_workspace_is_busy(workspace: Workspace) -> None:
    from flows.durable import one_writer

    with one_writer(workspace.home):
        done = workspace.run("rollback")

    assert done.code == 4, explain(done)
    assert "Another etalage run" in done.err
    assert "Traceback" not in done.err


def test_deploy_registers_the_flows_with_a_schedule(workspace: Workspace) -> None:
    done = workspace.run("deploy", "--cron", "0 4 * * *", "--timezone", "Europe/Paris")

    assert done.code == 0, explain(done)
    assert "retrain/etalage" in done.out and "0 4 * * *" in done.out
