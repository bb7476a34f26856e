"""`etalage tune` over a real git, a real DVC and a real Optuna; only the stages are tiny. One story, told in order."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog.errors import InvalidParams, NotReady
from catalog.tables import write_products, write_terms
from evaluation.sweep.results import SweepReport
from evaluation.sweep.space import SweepParams
from flows.errors import StageFailed
from flows.sweep import present_values, study_key, sweep
from flows.workshop import Workshop
from models.params import ModelParams
from models.training.params import TrainParams
from search.ranking import Ranking
from tests.flows.workspaces import GIT, enter, environment
from tests.models.tiny_towers import TERMS, tiny_shop

pytestmark = pytest.mark.slow

PARAMS = """\
# of a tiny shop
split: {seed: 7, validation: 0.3, test: 0.3}
model: {fusion: gated}
train: {learning_rate: 0.1}
tune: {queries: 5}
sweep:
  trials: 1
  queries: 5
  timed: 5
  space:
    train.learning_rate: {choices: [0.1, 0.9]}
"""
STAGES = """
stages:
  tune:
    cmd: python -m tests.flows.lineage.tiny_stage
    deps: [data, code.py]
    params: [model, train, tune]
    outs: [artifacts/encoder, artifacts/embeddings, artifacts/tuned]
    metrics:
      - reports/tune.json: {cache: false}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    run = {"cwd": folder, "check": True, "env": environment()}
    subprocess.run(["git", "init", "-q"], **run)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], **run)
    (folder / ".gitignore").write_text("/data\n/artifacts\n/reports/*\n/.etalage/\n/slow\n/broken\n")
    (folder / "params.yaml").write_text(PARAMS)
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "code.py").write_text("first = True\n")
    (folder / "data").mkdir()
    write_products(tiny_shop(60, folder / "data" / "media"), folder / "data" / "products.parquet")
    write_terms(TERMS, folder / "data" / "terms.parquet")
    subprocess.run([sys.executable, "-m", "dvc", "add", "-q", "data"], **run)
    subprocess.run([*GIT, "add", "-A"], **run)
    subprocess.run([*GIT, "commit", "-q", "-m", "A workspace"], **run)
    return folder


@pytest.fixture
def workspace(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder as the working directory of this process."""
    enter(folder, monkeypatch)
    return folder


def experiments(folder: Path) -> dict[str, str]:
    """Name -> commit, of the experiments that the workspace knows."""
    command = ["git", "for-each-ref", "--format=%(refname) %(objectname)", "refs/exps"]
    listing = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return {line.split()[0].rpartition("/")[2]: line.split()[1] for line in listing.splitlines()}


def kept_file(folder: Path, commit: str, name: str) -> str:
    """The text of a file of an experiment."""
    done = subprocess.run(["git", "show", f"{commit}:{name}"], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def kill_in_the_first_trial(folder: Path) -> None:
    """`etalage tune`, killed with all its children while the stage runs."""
    log = folder / ".etalage/killed.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows", "tune"],
            cwd=folder,
            env=environment(),
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
        deadline = time.monotonic() + 300
        while "tiny stage begins" not in log.read_text(errors="replace"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        while is_there(process.pid):  # until then its DVC counts as running, and holds the outputs
            assert time.monotonic() < deadline
            time.sleep(0.05)


def is_there(group: int) -> bool:
    """Whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_trial_is_tried_again_and_becomes_an_experiment_of_the_workspace(workspace: Path) -> None:
    """What is not committed belongs to the trial too; params.yaml and artifacts of the workspace stay as they are."""
    (workspace / "code.py").write_text("first = False  # changed, and not committed\n")
    slow = workspace / ".etalage/sweep/workshop/slow"
    slow.parent.mkdir(parents=True)
    slow.touch()  # git ignores it, so that preparing the workshop leaves it
    kill_in_the_first_trial(workspace)
    slow.unlink()

    report = sweep()

    (trial,) = report.trials
    assert trial.settings == {"train.learning_rate": 0.1}  # what params.yaml has comes first
    assert trial.number > 0  # another one than was killed
    assert trial.on_front
    assert trial.report is not None
    assert (workspace / "params.yaml").read_text() == PARAMS
    assert not (workspace / "artifacts").exists()
    ((name, commit),) = experiments(workspace).items()
    assert name == trial.experiment
    assert "first = False" in kept_file(workspace, commit, "code.py")
    assert json.loads(kept_file(workspace, commit, "reports/trial.json"))["quality"] == trial.report.quality
    assert SweepReport.model_validate_json((workspace / "reports/sweep.json").read_bytes()) == report
    assert name in (workspace / "reports/sweep.html").read_text()


def test_run_again_it_repeats_nothing(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = SweepReport.model_validate_json((workspace / "reports/sweep.json").read_bytes())
    assert sweep() == before
    assert "tiny stage" not in "".join(capfd.readouterr())


def test_what_cannot_be_is_refused_with_its_sentence_and_no_values_are_run_twice(
    workspace: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = sweep(trials=6)
    assert len(report.trials) == 6
    tried = [trial.settings["train.learning_rate"] for trial in report.trials]
    assert set(tried) == {0.1, 0.9}
    assert "".join(capfd.readouterr()).count("tiny stage begins") == 1  # .9, once; .1 was known
    for trial in report.trials:
        if trial.settings["train.learning_rate"] == 0.9:
            assert (trial.state, trial.reason) == ("refused", "with a learning rate of 0.9 the loss is nan.")
        else:
            assert trial.report == report.trials[0].report
    assert set(experiments(workspace)) == {report.trials[0].experiment}


def test_a_stage_that_breaks_stops_the_sweep(workspace: Path) -> None:
    """Other params are another study: it begins anew."""
    (workspace / "params.yaml").write_text(PARAMS.replace("queries: 5}", "queries: 6}"))
    broken = workspace / ".etalage/sweep/workshop/broken"
    broken.touch()
    with pytest.raises(StageFailed, match="The stage tune broke"):
        sweep()
    broken.unlink()
    told = SweepReport.model_validate_json((workspace / "reports/sweep.json").read_bytes())
    assert told.trials == ()
    (workspace / "params.yaml").write_text(PARAMS)


def test_no_time_left_begins_nothing(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert len(sweep(trials=9, minutes=0.0).trials) == 6
    assert "0 minutes are over" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("space", "why"),
    [
        ("{}", "names nothing to search"),
        ("{train.learning_rat: {low: 0.1, high: 0.2}}", "no value of train.learning_rat works"),
        ("{train.learning_rate: {low: -2, high: -1}}", "no value of train.learning_rate works"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_trained(workspace: Path, space: str, why: str) -> None:
    (workspace / "params.yaml").write_text(PARAMS[: PARAMS.index("  space:")] + f"  space: {space}\n")
    with pytest.raises(InvalidParams, match=why):
        sweep()
    (workspace / "params.yaml").write_text(PARAMS)


def test_a_study_is_named_by_what_its_trials_share() -> None:
    params = SweepParams.model_validate(
        {
            "space": {
                "train.learning_rate": {"low": 0.1, "high": 0.2},
                "tune.weights.text.dense": {"low": 0.1, "high": 1.0},
            }
        }
    )
    document = {
        "train": {"learning_rate": 0.15, "epochs": 4},
        "tune": {"weights": {"text": {"dense": 0.5}}},
        "gates": {},
    }
    name = study_key(document, params, "s", "c")
    taken_over = {**document, "train": {"learning_rate": 0.19, "epochs": 4}, "gates": {"parity": 0.9}}
    assert study_key(taken_over, params, "s", "c") == name
    assert study_key(document, params.model_copy(update={"trials": 99}), "s", "c") == name
    assert study_key({**document, "train": {"learning_rate": 0.15, "epochs": 5}}, params, "s", "c") != name
    assert study_key(document, params.model_copy(update={"seed": 1}), "s", "c") != name
    assert study_key(document, params, "t", "c") != name
    assert study_key(document, params, "s", "d") != name
    assert document["train"] == {"learning_rate": 0.15, "epochs": 4}


def test_present_values_are_those_of_params_yaml_or_the_defaults() -> None:
    keys = ("train.learning_rate", "train.temperature", "model.fusion", "tune.weights.text.dense", "train.languages")
    params = SweepParams.model_validate({"space": {key: {"choices": [1, 2]} for key in keys}})
    assert present_values({"train": {"learning_rate": 0.25}}, params) == {
        "train.learning_rate": 0.25,
        "train.temperature": TrainParams().temperature,
        "model.fusion": ModelParams().fusion,
        "tune.weights.text.dense": Ranking().weights["text"]["dense"],  # a tuple of languages is no single value
    }


def test_where_there_is_no_commit_experiments_have_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotReady, match="git repository with a commit"):
        Workshop(tmp_path / "home").prepare()
