"""How a flow over the catalogue begins: a snapshot that is there, that is fit, that lost nothing and that the champion
still knows; a model that saw of it what it should, and is served as it was trained.
"""

from collections.abc import Iterable

from catalog.errors import GateRefused, InvalidSnapshot
from catalog.params import load_section
from evaluation.gates.continuity import Continuity
from evaluation.gates.decide import asked_of_questions, asked_of_training
from evaluation.gates.reasons import Reason, at_least
from evaluation.gates.rules import GateRules
from flows import milestones
from flows.champion_scores import asked_today
from flows.continuity import against_champion, demand, warnings, with_losses
from flows.environment import home_folder
from flows.orchestration import WAITING, say, task
from flows.releases import ReleaseStore


@task(name="find-snapshot", **WAITING)
def find_snapshot() -> str:
    """data/ as it is, or brought back by DVC. Returns the snapshot's id."""
    return milestones.ensure_data()


@task(name="validate", **WAITING)
def validate(snapshot: str) -> None:
    """The milestone `validate`: an unfit snapshot stops the run here, and what it has lost is said with it."""
    try:
        report = milestones.validate(snapshot)
    except InvalidSnapshot as unfit:
        rules = load_section("gates", GateRules).continuity
        raise with_losses(unfit, ReleaseStore(home_folder()), snapshot, rules) from None
    say(report.sentence())


@task(name="look-back")
def look_back(snapshot: str, *, force: bool = False) -> Continuity | None:
    """Today's snapshot against the champion's. Raises GateRefused for one that has lost something, unless forced."""
    rules = load_section("gates", GateRules).continuity
    found = against_champion(ReleaseStore(home_folder()), snapshot, rules)
    for sentence in warnings(found, rules):
        say(f"Warning: {sentence}")
    if not force:
        demand(found, rules)
    return found


@task(name="look-at-questions")
def look_at_questions(champion: str, snapshot: str, continuity: Continuity | None) -> None:
    """The champion itself on today's questions: words or pictures that belong to other products show there, whatever
    would be trained on them. What it scores is kept for the comparison. Raises GateRefused.
    """
    rules = load_section("gates", GateRules).champion
    questions = milestones.todays_questions()
    if not questions.queries:
        return  # the stage `evaluate` says why
    today = asked_today(ReleaseStore(home_folder()), champion, snapshot, questions, rules)
    falls = sorted(today.falls, key=lambda fall: fall.found - fall.recorded)
    told = [each for each in asked_of_questions(falls, today.unheld, continuity, rules) if each.outcome == "failed"]
    if told:
        others = ", ".join(each.name.partition(" ")[0] for each in told[1:])
        more = f" So it is with {others}." if others else ""
        raise _refused(f"{told[0].sentence}{more}", "Mend it and ingest it again")


@task(name="look-at-training")
def look_at_training(*, force: bool = False) -> None:
    """Which products were trained on, before hours are spent on measuring what that makes worthless.

    Raises GateRefused unless forced: then the gates refuse it, and the force is recorded.
    """
    _demand(asked_of_training(milestones.training_split()), "Train on the training split", force=force)


@task(name="look-at-export")
def look_at_export(*, force: bool = False) -> None:
    """What is served against what was trained, on the probes, before every product is embedded with it.

    The stage `parity` asks more of both, and the gates ask that. Raises GateRefused unless forced, as look_at_training.
    """
    least = load_section("gates", GateRules).parity
    name = "cosine of trained and served encoder on the probes"
    _demand([at_least("parity", name, milestones.exported_parity(), least)], "Export what was trained", force=force)


def _demand(reasons: Iterable[Reason], way: str, *, force: bool) -> None:
    told = " ".join(reason.sentence for reason in reasons if reason.outcome == "failed")
    if told and not force:
        raise _refused(f"{told} Nothing was measured of it.", way)


def _refused(told: str, way: str) -> GateRefused:
    return GateRefused(f"{told} {way}; where it is meant, `etalage retrain --force --reason ...`.")
