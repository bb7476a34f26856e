"""The gates: may this challenger be promoted? `decide` is a pure function of the evidence and the rules.

Every rule gives a reason, passed or not. Missing evidence is a refusal, never a pass. "insufficient" marks a rule that
could not be asked (too few queries in a slice, a kind of query this catalogue has none of): said, and not a refusal.
"""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict

from evaluation.gates.compare import Difference, Fall
from evaluation.gates.continuity import Continuity
from evaluation.gates.evidence import Evidence, TrainingSplit
from evaluation.gates.reasons import Reason, above, at_least, at_most, exactly, missing, unasked
from evaluation.gates.rules import Beats, ChampionRules, ContinuityRules, Floor, GateRules, What
from evaluation.queries.kinds import RANDOM


class Decision(BaseModel):
    """`passed` is true when no reason failed."""

    model_config = ConfigDict(frozen=True)

    passed: bool
    reasons: tuple[Reason, ...]

    def refusals(self) -> tuple[Reason, ...]:
        """The reasons that refuse."""
        return tuple(reason for reason in self.reasons if reason.outcome == "failed")


def decide(evidence: Evidence, rules: GateRules) -> Decision:
    """Apply every rule of `rules` to `evidence`."""
    reasons = (
        *_validation(evidence),
        *asked_of_continuity(evidence.continuity, rules.continuity),
        *_counts(evidence),
        *asked_of_training(evidence.training),
        at_least("parity", "cosine of trained and served encoder", evidence.parity, rules.parity),
        at_least("parity", "overlap@10 of what both find", evidence.parity_overlap, rules.parity_overlap),
        *_fidelity(evidence, rules),
        *(_floor(evidence, floor) for floor in rules.floors),
        *(reason for beats in rules.beats for reason in _beats(evidence, beats)),
        *_champion(evidence, rules.champion),
        at_most("latency", "p95 of one query, ms", evidence.latency_p95_ms, rules.latency.p95_ms),
        at_most("memory", "growth of the process for each query, kB", evidence.kb_per_query, rules.memory.kb_per_query),
        at_most("leaks", "held-out products with a twin in training", evidence.leaked_share, rules.leaks.touched),
    )
    return Decision(passed=all(reason.outcome != "failed" for reason in reasons), reasons=reasons)


def _validation(evidence: Evidence) -> Iterator[Reason]:
    if evidence.validation_passed is None:
        yield missing("validation", "suites of the snapshot")
    else:
        passed = evidence.validation_passed
        yield Reason(
            rule="validation",
            name="suites of the snapshot",
            value=float(passed),
            limit=1.0,
            distance=float(passed) - 1.0,
            outcome="passed" if passed else "failed",
            sentence="The snapshot passed validation." if passed else "The snapshot did not pass validation.",
        )


def asked_of_continuity(continuity: Continuity | None, rules: ContinuityRules) -> Iterator[Reason]:
    """Today's snapshot against the champion's: the worst of each sort. Nothing is asked where there is no other."""
    if continuity is None:
        return
    if continuity.unknown is not None:
        yield unasked("continuity", "the champion's snapshot", continuity.unknown)
    yield from (reason for _, reason in asked_of_changes(continuity, rules))


def asked_of_changes(continuity: Continuity, rules: ContinuityRules) -> Iterator[tuple[What, Reason]]:
    """Each sort of change with what is said of its worst one."""
    for what, reason in _held_to_limits(continuity, rules):
        warned = reason.outcome == "failed" and what in rules.warn
        yield what, reason.model_copy(update={"outcome": "warned"}) if warned else reason


def _held_to_limits(continuity: Continuity, rules: ContinuityRules) -> Iterator[tuple[What, Reason]]:
    limits: tuple[tuple[What, str, float], ...] = (
        ("products", "products", rules.products),
        ("category", "products of a category", rules.category),
        ("language", "products in a language", rules.language),
        ("field", "products that fill a field", rules.fields),
        ("terms", "facet values that the terms name", rules.terms),
        ("judgements", "judgements", rules.judgements),
    )
    for what, counted, limit in limits:
        for change in continuity.of(what)[:1]:
            name = f"{counted}, as a share of the champion's snapshot"
            told = at_least("continuity", name, change.share, limit, change.name or None)
            sentence = f"{told.sentence} It was {change.then:g}, and is {change.now:g}."
            yield what, told.model_copy(update={"sentence": sentence})
    for change in continuity.of("price"):
        name = "factor between the prices of the same products then and now"
        yield "price", at_most("continuity", name, max(change.share, 1 / change.share), rules.price)
    for change in continuity.of("currency"):
        name = "share of the champion's products whose currency changed"
        yield "currency", at_most("continuity", name, change.share, rules.currency)
    for change in continuity.of("pictures"):
        name = "how well pictures of then and now are told apart (0.5: not at all, 1: always)"
        yield "pictures", at_most("continuity", name, change.share, rules.pictures)


def asked_of_training(training: TrainingSplit | None) -> Iterator[Reason]:
    """Whether the products that were trained on are those of the training split."""
    if training is None:
        return
    name = "products that were trained on"
    if training.trained_on is None:
        yield missing("training", name)
        return
    same = training.trained_on == training.split
    yield Reason(
        rule="training",
        name=name,
        outcome="passed" if same else "failed",
        sentence="The model was trained on the training split."
        if same
        else f"The model was trained on other products ({training.trained_on}) than the training split holds "
        f"({training.split}): what is held out may have been seen.",
    )


def _counts(evidence: Evidence) -> Iterator[Reason]:
    if evidence.counts is None:
        yield missing("counts", "rows of the collection")
        return
    counts = evidence.counts
    yield exactly("counts", "rows of the collection", counts.collection_rows, counts.products, "products")
    yield exactly("counts", "duplicate ids in the collection", counts.duplicate_ids, 0, "duplicates allowed")


def _fidelity(evidence: Evidence, rules: GateRules) -> Iterator[Reason]:
    if evidence.fidelity is None:
        yield missing("fidelity", "overlap@10 with exact search")
        return
    yield at_least("fidelity", "overlap@10 with exact search", evidence.fidelity.overlap, rules.fidelity.overlap)
    if not evidence.fidelity.filtered:
        yield missing("fidelity", "overlap@10 under filters")
    for selectivity, overlap in sorted(evidence.fidelity.filtered.items()):
        name = "overlap@10 under a filter"
        yield at_least("fidelity", name, overlap, rules.fidelity.filtered, f"selectivity={selectivity}")
    if evidence.fidelity.own_words is not None:
        name = "products that the lexical leg finds by their own title"
        yield at_least("fidelity", name, evidence.fidelity.own_words, rules.fidelity.own_words)
    for modality, cosine in sorted(evidence.fidelity.own_vectors.items()):
        name = f"least cosine of a stored {modality} vector with what the encoder gives for its product"
        yield at_least("fidelity", name, cosine, rules.fidelity.own_vectors)


def _floor(evidence: Evidence, floor: Floor) -> Reason:
    name = f"{floor.kind} {floor.system} {floor.metric}"
    measured = evidence.measured(floor.kind, floor.system, floor.metric)
    if measured is None:
        return _unmeasured(evidence, "floor", name, floor.kind, floor.required)
    limits = [] if floor.at_least is None else [floor.at_least]
    if floor.times_random is not None:
        random = evidence.measured(floor.kind, RANDOM, floor.metric)
        if random is None:
            return missing("floor", f"{name} of the random baseline")
        limits.append(min(floor.times_random * random.mean, (1 + random.mean) / 2))
    return _level(evidence, at_least("floor", name, measured.mean, max(limits)), measured.upper_bound)


def _beats(evidence: Evidence, rule: Beats) -> Iterator[Reason]:
    name = f"{rule.kind} {rule.system} {rule.metric} against {rule.baseline}"
    margin = evidence.margin(rule.kind, rule.system, rule.baseline, rule.metric)
    if margin is None:
        yield _unmeasured(evidence, "beats", name, rule.kind, rule.required)
    elif margin.baseline_mean >= rule.ceiling:
        gain = f"{name} (which is near its ceiling), lower bound of the gain"
        yield above("beats", gain, margin.lower_bound, -rule.tolerance)
    else:
        limit = min((1 + rule.by) * margin.baseline_mean, (1 + margin.baseline_mean) / 2)
        most = None if margin.upper_bound is None else margin.baseline_mean + margin.upper_bound
        yield _level(evidence, at_least("beats", name, margin.mean, limit), most)
        yield above("beats", f"{name}, lower bound of the gain", margin.lower_bound, 0.0)


def _level(evidence: Evidence, told: Reason, upper_bound: float | None) -> Reason:
    """Beside a champion only what is surely below its level is refused: see evaluation.gates.rules.Floor."""
    surely = upper_bound is None or told.limit is None or upper_bound < told.limit
    if told.outcome != "failed" or surely or not _compared(evidence):
        return told
    sentence = (
        f"{told.sentence} That may be chance (upper bound {upper_bound:.4g}), and a champion is there to hold it "
        "against: not refused for that."
    )
    return told.model_copy(update={"outcome": "warned", "sentence": sentence})


def _compared(evidence: Evidence) -> bool:
    return evidence.comparison is not None and any(row.scope == "overall" for row in evidence.comparison.differences)


def _champion(evidence: Evidence, rules: ChampionRules) -> Iterator[Reason]:
    if evidence.champion is None:
        sentence = "There is no champion yet to compare with."
        yield Reason(rule="champion", name="overall", outcome="insufficient", sentence=sentence)
        return
    if evidence.comparison is None or not _compared(evidence):
        yield missing("champion", f"overall difference from champion {evidence.champion}")
        return
    yield from asked_of_questions(evidence.comparison.falls, evidence.comparison.unheld, evidence.continuity, rules)
    for difference in evidence.comparison.differences:
        yield _not_worse(difference, rules)


def asked_of_questions(
    falls: Iterable[Fall], unheld: str, continuity: Continuity | None, rules: ChampionRules
) -> Iterator[Reason]:
    """The champion's own scores then and today; `unheld` says why they cannot be held against each other. Of another
    catalogue nothing is asked: it has other questions.
    """
    if unheld:
        yield unasked("questions", "the champion itself on today's questions", unheld)
    elif continuity is None or not continuity.another:
        yield from (_same_questions(fall, rules) for fall in falls)


def _same_questions(fall: Fall, rules: ChampionRules) -> Reason:
    """The champion's own score, on its questions and on today's."""
    name = f"{fall.kind} {fall.metric} of the champion itself on today's questions against its record, upper bound"
    if fall.n < rules.minimum:
        return unasked("questions", name, f"{name}: {fall.n} queries, {rules.minimum} are needed.")
    told = above("questions", name, fall.upper_bound, -rules.fall)
    if told.outcome == "passed":
        return told
    sentence = (
        f"The champion itself scores {fall.found:.3f} on today's {fall.kind} questions and scored {fall.recorded:.3f} "
        f"on its own ({fall.metric}): surely more than {rules.fall:g} less. The encoder has not changed since, so "
        "what is asked has: look for words or pictures in data/ that belong to other products."
    )
    return told.model_copy(update={"sentence": sentence})


def _not_worse(difference: Difference, rules: ChampionRules) -> Reason:
    tolerance = {"overall": rules.overall, "kind": rules.kind, "slice": rules.slice}[difference.scope]
    name = "lower bound of the difference from the champion"
    where = None if difference.scope == "overall" else difference.name
    if difference.scope != "overall" and difference.n < rules.minimum:
        return Reason(
            rule="champion",
            name=name,
            slice=where,
            value=difference.lower_bound,
            limit=-tolerance,
            outcome="insufficient",
            sentence=f"{difference.name}: {difference.n} queries, {rules.minimum} are needed: insufficient evidence.",
        )
    told = above("champion", name, difference.lower_bound, -tolerance, where)
    by_chance = difference.scope != "overall" and difference.adjusted_p >= rules.alpha
    if told.outcome == "passed" or not by_chance:
        return told
    sentence = (
        f"{told.name} in {where} is {difference.lower_bound:.4g}, and the difference of {difference.difference:+.4g} "
        f"may be chance (p {difference.adjusted_p:.2g} among all kinds and slices): passed."
    )
    return told.model_copy(update={"outcome": "passed", "sentence": sentence})


def _unmeasured(evidence: Evidence, rule: str, name: str, kind: str, required: bool) -> Reason:
    why = evidence.unasked.get(kind)
    if why is None or required:
        return missing(rule, name)
    return Reason(rule=rule, name=name, outcome="insufficient", sentence=f"{name} was not asked: {why}.")
