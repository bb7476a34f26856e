"""Every rule of the gates: passed, at its boundary, failed, and without evidence."""

import pytest
from pydantic import ValidationError

from evaluation.gates.compare import Comparison, Difference, Fall
from evaluation.gates.continuity import Change, Continuity
from evaluation.gates.decide import Decision, decide
from evaluation.gates.evidence import Counts, Evidence, Fidelity, TrainingSplit
from evaluation.gates.reasons import Reason
from evaluation.gates.rules import Beats, ChampionRules, FidelityRules, Floor, GateRules, LatencyRules
from evaluation.results import Margin, Measured

RULES = GateRules(
    floors=(Floor(kind="title_to_photo", metric="recall@10", at_least=0.5, times_random=5.0),),
    beats=(Beats(kind="attribute_en", system="dense", baseline="bm25_titles", metric="nDCG@10", by=0.10),),
    champion=ChampionRules(overall=0.03, kind=0.05, slice=0.10, minimum=100),
    fidelity=FidelityRules(overlap=0.99, filtered=0.95),
    latency=LatencyRules(p95_ms=200.0),
    parity=0.999,
)


def measured(mean: float, kind: str = "title_to_photo", system: str = "engine", metric: str = "recall@10") -> Measured:
    return Measured(kind=kind, system=system, metric=metric, n=900, mean=mean, low=mean - 0.02, high=mean + 0.02)


def margin(mean: float, baseline_mean: float, lower_bound: float) -> Margin:
    return Margin(
        kind="attribute_en",
        system="dense",
        baseline="bm25_titles",
        metric="nDCG@10",
        n=300,
        mean=mean,
        baseline_mean=baseline_mean,
        lower_bound=lower_bound,
    )


def difference(lower_bound: float, scope: str = "overall", name: str = "overall", n: int = 900) -> Difference:
    return Difference.model_validate(
        {
            "scope": scope,
            "name": name,
            "metric": "nDCG@10",
            "n": n,
            "champion": 0.6,
            "challenger": 0.6,
            "difference": 0.0,
            "low": lower_bound - 0.01,
            "high": 0.05,
            "lower_bound": lower_bound,
        }
    )


def against_champion(*differences: Difference) -> Evidence:
    return good(champion="r1", comparison=Comparison(evaluation_set="s", differences=differences))


def good(**changes: object) -> Evidence:
    evidence = Evidence(
        measurements=(measured(0.6), measured(0.01, system="random")),
        margins=(margin(0.68, 0.49, 0.15),),
        fidelity=Fidelity(overlap=1.0, filtered={"50%": 1.0, "10%": 0.97, "1%": 0.96}),
        counts=Counts(products=8665, collection_rows=8665, duplicate_ids=0),
        parity=0.99999,
        parity_overlap=0.9975,
        latency_p95_ms=40.0,
        kb_per_query=0.0,
        leaked_share=0.14,
        validation_passed=True,
    )
    return evidence.model_copy(update=changes)


def only_refusal(evidence: Evidence, rules: GateRules = RULES) -> Reason:
    decision = decide(evidence, rules)
    assert not decision.passed
    (reason,) = decision.refusals()
    return reason


def passes(evidence: Evidence, rules: GateRules = RULES) -> Decision:
    decision = decide(evidence, rules)
    assert decision.passed, [reason.sentence for reason in decision.refusals()]
    return decision


def test_good_evidence_passes_and_every_rule_gives_its_reason() -> None:
    decision = passes(good())
    assert {reason.rule for reason in decision.reasons} == {
        "validation", "counts", "parity", "fidelity", "floor", "beats", "champion", "latency", "memory", "leaks",
    }  # fmt: skip


def test_no_evidence_at_all_is_refused_by_every_rule_but_the_missing_champion() -> None:
    refused = {reason.rule for reason in decide(Evidence(), RULES).refusals()}
    assert refused == {"validation", "counts", "parity", "fidelity", "floor", "beats", "latency", "memory", "leaks"}


def test_a_refusal_names_the_number_the_limit_and_the_distance() -> None:
    reason = only_refusal(good(measurements=(measured(0.46), measured(0.01, system="random"))))
    assert (reason.rule, reason.name) == ("floor", "title_to_photo engine recall@10")
    assert (reason.value, reason.limit) == (0.46, 0.5)
    assert reason.distance == pytest.approx(0.46 - 0.5)
    assert reason.sentence == "title_to_photo engine recall@10 is 0.46, must be at least 0.5 and misses it by 0.04."


def test_a_floor_is_met_at_its_boundary() -> None:
    passes(good(measurements=(measured(0.5), measured(0.01, system="random"))))


def test_a_floor_takes_the_stricter_of_an_absolute_and_a_random_limit() -> None:
    # random .11: five times is .55, more than the absolute .50
    reason = only_refusal(good(measurements=(measured(0.54), measured(0.11, system="random"))))
    assert reason.limit == pytest.approx(0.55)


def test_in_a_small_pool_a_multiple_of_random_is_capped_at_half_the_room() -> None:
    # random .30: five times is 1.5, the cap is (1 + .3) / 2 = .65
    assert only_refusal(good(measurements=(measured(0.64), measured(0.3, system="random")))).limit == pytest.approx(
        0.65
    )
    passes(good(measurements=(measured(0.65), measured(0.3, system="random"))))


def test_a_floor_without_its_random_baseline_is_refused() -> None:
    assert "no evidence" in only_refusal(good(measurements=(measured(0.6),))).sentence


def test_a_kind_that_could_not_be_asked_refuses_unless_the_rule_allows_it() -> None:
    evidence = good(measurements=(), unasked={"title_to_photo": "no product has a picture"})
    assert only_refusal(evidence).rule == "floor"
    floor = RULES.floors[0].model_copy(update={"required": False})
    decision = passes(evidence, RULES.model_copy(update={"floors": (floor,)}))
    assert [reason.outcome for reason in decision.reasons if reason.rule == "floor"] == ["insufficient"]


def test_an_optional_kind_that_was_asked_but_not_measured_is_refused() -> None:
    floor = RULES.floors[0].model_copy(update={"required": False})
    assert not decide(good(measurements=()), RULES.model_copy(update={"floors": (floor,)})).passed


def test_a_floor_that_asks_nothing_is_no_rule() -> None:
    with pytest.raises(ValidationError, match="at_least or times_random"):
        Floor(kind="title_to_photo", metric="recall@10")


def test_beating_a_baseline_needs_the_share_and_the_certainty() -> None:
    passes(good(margins=(margin(0.55, 0.5, 0.001),)))  # exactly 10 % better, surely better
    short = only_refusal(good(margins=(margin(0.54, 0.5, 0.01),)))
    assert short.limit == pytest.approx(1.1 * 0.5)
    assert "lower bound" not in short.name
    unsure = only_refusal(good(margins=(margin(0.56, 0.5, 0.0),)))  # a bound of exactly 0 is not "more than 0"
    assert "lower bound of the gain" in unsure.name


def test_of_a_strong_baseline_half_of_the_room_that_it_leaves_is_enough() -> None:
    """1.1 times .88 would be .968: more than half of what is left to win."""
    passes(good(margins=(margin(0.94, 0.88, 0.05),)))
    assert only_refusal(good(margins=(margin(0.939, 0.88, 0.05),))).limit == pytest.approx(0.94)


def test_a_baseline_near_its_ceiling_must_only_not_be_lost_to() -> None:
    passes(good(margins=(margin(0.93, 0.95, -0.04),)))
    assert only_refusal(good(margins=(margin(0.89, 0.95, -0.08),))).limit == -0.05


def test_beside_a_champion_only_what_is_surely_below_its_level_is_refused() -> None:
    random = measured(0.01, system="random")
    near = measured(0.49).model_copy(update={"upper_bound": 0.51})
    far = measured(0.45).model_copy(update={"upper_bound": 0.499})
    beside = against_champion(difference(0.0))
    decision = passes(beside.model_copy(update={"measurements": (near, random)}))
    (told,) = [reason for reason in decision.reasons if reason.rule == "floor"]
    assert (told.outcome, told.value, told.limit) == ("warned", 0.49, 0.5)
    assert "misses it by 0.01. That may be chance (upper bound 0.51)" in told.sentence
    assert only_refusal(beside.model_copy(update={"measurements": (far, random)})).rule == "floor"
    assert only_refusal(good(measurements=(near, random))).rule == "floor"  # a first release has to reach it
    unknown = beside.model_copy(update={"measurements": (measured(0.49), random)})
    assert only_refusal(unknown).rule == "floor"


def test_beside_a_champion_a_baseline_must_still_be_surely_beaten() -> None:
    def beaten(mean: float, lower: float, upper: float) -> Evidence:
        found = margin(mean, 0.5, lower).model_copy(update={"upper_bound": upper})
        return against_champion(difference(0.0)).model_copy(update={"margins": (found,)})

    decision = passes(beaten(0.54, 0.01, 0.05))  # the level is .55: a gain of .05
    assert [reason.outcome for reason in decision.reasons if reason.rule == "beats"] == ["warned", "passed"]
    assert only_refusal(beaten(0.52, 0.01, 0.049)).limit == pytest.approx(0.55)
    assert "lower bound of the gain" in only_refusal(beaten(0.54, -0.01, 0.06)).name


def test_a_first_release_has_no_champion_to_compare_with() -> None:
    decision = passes(good())
    assert [reason.outcome for reason in decision.reasons if reason.rule == "champion"] == ["insufficient"]


def test_a_champion_without_a_comparison_is_refused() -> None:
    assert "r1" in only_refusal(good(champion="r1")).sentence
    without_overall = against_champion(difference(0.0, "kind", "title_to_photo"))
    assert only_refusal(without_overall).rule == "champion"


@pytest.mark.parametrize(("scope", "tolerance"), [("overall", 0.03), ("kind", 0.05), ("slice", 0.10)])
def test_the_lower_bound_must_stay_above_minus_the_tolerance_of_its_scope(scope: str, tolerance: float) -> None:
    name = "overall" if scope == "overall" else "language=zh"
    rest = () if scope == "overall" else (difference(0.0),)
    passes(against_champion(*rest, difference(-tolerance + 0.001, scope, name)))
    for bound in (-tolerance, -tolerance - 0.001):
        reason = only_refusal(against_champion(*rest, difference(bound, scope, name)))
        assert reason.slice == (None if scope == "overall" else "language=zh")
        assert reason.limit == -tolerance


@pytest.mark.parametrize("scope", ["kind", "slice"])
def test_one_of_many_kinds_and_slices_refuses_where_it_is_worse_for_sure(scope: str) -> None:
    worse = difference(-0.2, scope, "language=zh")
    for p, passed in ((0.049, False), (0.05, True), (1.0, True)):
        asked = against_champion(difference(0.0), worse.model_copy(update={"adjusted_p": p}))
        assert decide(asked, RULES).passed is passed
    assert "may be chance (p 1 among" in decide(asked, RULES).reasons[-4].sentence


def test_overall_has_to_prove_that_it_is_not_worse() -> None:
    unsure = difference(-0.04).model_copy(update={"adjusted_p": 1.0})
    assert only_refusal(against_champion(unsure)).slice is None


def test_a_slice_with_too_few_queries_is_insufficient_evidence_and_no_refusal() -> None:
    decision = passes(against_champion(difference(0.0), difference(-0.5, "slice", "category=Hats", n=99)))
    assert [reason.slice for reason in decision.reasons if reason.outcome == "insufficient"] == ["category=Hats"]
    assert not decide(
        against_champion(difference(0.0), difference(-0.5, "slice", "category=Hats", n=100)), RULES
    ).passed


def test_the_overall_difference_counts_however_few_the_queries() -> None:
    assert not decide(against_champion(difference(-0.5, n=5)), RULES).passed


def test_index_fidelity_is_asked_with_and_without_filters() -> None:
    passes(good(fidelity=Fidelity(overlap=0.99, filtered={"1%": 0.95})))
    assert only_refusal(good(fidelity=Fidelity(overlap=0.989, filtered={"1%": 1.0}))).limit == 0.99
    filtered = only_refusal(good(fidelity=Fidelity(overlap=1.0, filtered={"50%": 1.0, "1%": 0.62})))
    assert (filtered.slice, filtered.distance) == ("selectivity=1%", pytest.approx(0.62 - 0.95))
    assert "under filters" in only_refusal(good(fidelity=Fidelity(overlap=1.0, filtered={}))).sentence


def test_a_collection_holds_each_product_once() -> None:
    lost = only_refusal(good(counts=Counts(products=8665, collection_rows=8664, duplicate_ids=0)))
    assert (lost.distance, lost.sentence) == (-1.0, "rows of the collection: 8664, 8665 products: off by 1.")
    twice = only_refusal(good(counts=Counts(products=10, collection_rows=10, duplicate_ids=2)))
    assert twice.value == 2.0


def test_parity_latency_and_validation_have_their_boundaries() -> None:
    passes(good(parity=0.999, latency_p95_ms=200.0))
    assert only_refusal(good(parity=0.9989)).rule == "parity"
    assert only_refusal(good(parity=float("nan"))).rule == "parity"
    passes(good(parity_overlap=0.99))
    lost = only_refusal(good(parity_overlap=0.9899))
    assert (lost.rule, lost.name) == ("parity", "overlap@10 of what both find")
    assert only_refusal(good(parity_overlap=None)).outcome == "failed"
    slow = only_refusal(good(latency_p95_ms=230.0))
    assert (slow.rule, slow.distance) == ("latency", pytest.approx(-30.0))
    assert slow.sentence == "p95 of one query, ms is 230, must be at most 200 and misses it by 30."
    assert only_refusal(good(validation_passed=False)).sentence == "The snapshot did not pass validation."


def test_a_decision_survives_json() -> None:
    decision = decide(against_champion(difference(-0.5)), RULES)
    assert Decision.model_validate_json(decision.model_dump_json()) == decision
    evidence = against_champion(difference(-0.5))
    assert Evidence.model_validate_json(evidence.model_dump_json()) == evidence


def fallen(upper_bound: float, n: int = 200) -> Evidence:
    fall = Fall(kind="title_to_photo", metric="recall@10", n=n, recorded=0.9, found=0.6, upper_bound=upper_bound)
    return good(champion="r1", comparison=Comparison(evaluation_set="s", differences=(difference(0.0),), falls=(fall,)))


def test_a_champion_that_surely_fell_on_todays_questions_says_that_the_questions_changed() -> None:
    refused = only_refusal(fallen(-0.11))
    assert (refused.rule, refused.limit) == ("questions", -0.1)
    assert "scores 0.600 on today's title_to_photo questions and scored 0.900" in refused.sentence
    passes(fallen(-0.09))
    few = [reason for reason in passes(fallen(-0.3, n=99)).reasons if reason.rule == "questions"]
    assert [reason.outcome for reason in few] == ["insufficient"]


def test_a_champion_of_another_catalogue_or_of_a_smaller_one_is_not_held_against_its_record() -> None:
    another = Continuity(unknown="Another catalogue.", another=True)
    reasons = passes(fallen(-0.3).model_copy(update={"continuity": another})).reasons
    assert "Another catalogue." in {reason.sentence for reason in reasons if reason.outcome == "insufficient"}
    comparison = Comparison(evaluation_set="s", differences=(difference(0.0),), unheld="It was asked among 100.")
    reasons = passes(good(champion="r1", comparison=comparison)).reasons
    assert "It was asked among 100." in {reason.sentence for reason in reasons if reason.rule == "questions"}


def test_a_process_that_grows_and_products_that_leak_are_refused_at_their_limits() -> None:
    passes(good(kb_per_query=20.0, leaked_share=0.5))
    assert only_refusal(good(kb_per_query=20.1)).rule == "memory"
    assert only_refusal(good(leaked_share=0.51)).rule == "leaks"


def test_what_is_stored_of_products_is_asked_for_where_it_was_measured() -> None:
    whole = Fidelity(overlap=1.0, filtered={"10%": 1.0}, own_words=0.9, own_vectors={"text": 0.999, "image": 1.0})
    passes(good(fidelity=whole))
    assert "lexical leg" in only_refusal(good(fidelity=whole.model_copy(update={"own_words": 0.89}))).sentence
    swapped = only_refusal(good(fidelity=whole.model_copy(update={"own_vectors": {"text": 1.0, "image": 0.4}})))
    assert "stored image vector" in swapped.sentence


def test_a_model_that_saw_other_products_than_its_split_is_refused() -> None:
    passes(good(training=TrainingSplit(trained_on="a", split="a")))
    assert (
        "what is held out may have been seen"
        in only_refusal(good(training=TrainingSplit(trained_on="b", split="a"))).sentence
    )
    assert "no evidence" in only_refusal(good(training=TrainingSplit(trained_on=None, split="a"))).sentence


def test_a_snapshot_that_lost_something_is_refused_by_the_gates_too() -> None:
    lost = Continuity(changes=(Change(what="category", name="Shoes", then=40, now=4, share=0.1),))
    refused = only_refusal(good(continuity=lost))
    assert (refused.rule, refused.slice, refused.value) == ("continuity", "Shoes", 0.1)
