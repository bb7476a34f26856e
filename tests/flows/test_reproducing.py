"""The questions of today's run against those that the champion was asked."""

from pathlib import Path

import pytest

from evaluation.gates.compare import Comparison
from evaluation.gates.decide import decide
from evaluation.gates.evidence import Evidence
from evaluation.gates.record import EvaluationBroken
from evaluation.results import Inputs
from flows.errors import BROKEN, exit_code
from flows.reproducing import by_other_code, demand_same_questions
from flows.revision import CHANGED, NO_GIT
from search.release import ReleaseManifest
from tests.flows.worlds import a_release, a_store

THEN = Inputs(snapshot="s", encoder="e", baseline_encoder=None, ranking="r", params="p", evaluation_set="asked-then")
NOW = THEN.model_copy(update={"encoder": "another", "ranking": "another", "evaluation_set": "asked-now"})


@pytest.fixture
def champion(tmp_path: Path) -> ReleaseManifest:
    """Of code revision c0ffee."""
    return a_store(tmp_path, "r1")[0].get("r1")


def test_the_same_snapshot_params_and_code_must_ask_the_same_questions(champion: ReleaseManifest) -> None:
    demand_same_questions(champion, THEN, THEN, "c0ffee")
    with pytest.raises(
        EvaluationBroken, match=r"was asked evaluation set asked-then, .* ask asked-now today"
    ) as caught:
        demand_same_questions(champion, THEN, NOW, "c0ffee")
    assert exit_code(caught.value) == BROKEN


@pytest.mark.parametrize(
    ("change", "then", "now"),
    [
        ({"snapshot": "t"}, "c0ffee", "c0ffee"),
        ({"params": "q"}, "c0ffee", "c0ffee"),
        ({}, "c0ffee", "decaf"),
        ({}, "c0ffee" + CHANGED, "c0ffee" + CHANGED),
        ({}, NO_GIT, NO_GIT),
    ],
)
def test_another_snapshot_other_params_or_other_code_may_ask_others(
    champion: ReleaseManifest, change: dict[str, str], then: str, now: str
) -> None:
    manifest = champion.model_copy(update={"code_revision": then})
    demand_same_questions(manifest, THEN, NOW.model_copy(update=change), now)


def test_scores_that_do_not_come_out_again_name_the_code_where_it_may_be_the_cause() -> None:
    error = EvaluationBroken("The evaluation itself is broken.")
    assert by_other_code(error, "c0ffee", "c0ffee") is error
    for then, now in (("c0ffee", "decaf"), ("c0ffee" + CHANGED, "c0ffee" + CHANGED), (NO_GIT, NO_GIT)):
        assert f"It was measured by code {then}, and today's is {now}" in str(by_other_code(error, then, now))


@pytest.mark.slow
def test_a_champion_without_a_record_stops_a_run_and_a_forced_one_goes_on_without_a_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evaluation.gates.rules import GateRules
    from flows.orchestration import flow
    from flows.retrain import compared

    from prefect.testing.utilities import prefect_test_harness  # isort: skip

    store, _ = a_store(tmp_path / "home")
    a_release(store, "r1", files={})
    monkeypatch.setenv("ETALAGE_HOME", str(store.home))

    @flow(name="compares")
    def compares(force: bool) -> Comparison | None:
        return compared("r1", "s", GateRules(), force=force)

    with prefect_test_harness(server_startup_timeout=180):
        with pytest.raises(EvaluationBroken, match="champion r1 has no readable record of its scores"):
            compares(False)
        assert compares(True) is None
    refused = decide(Evidence(champion="r1"), GateRules())
    assert "no evidence of overall difference from champion r1" in " ".join(r.sentence for r in refused.refusals())
