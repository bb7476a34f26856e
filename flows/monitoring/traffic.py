"""Checks of what is asked (languages, kinds, wording) and of how it is answered (doubt, scores, time)."""

import random
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from evaluation.audits.shifts import (
    Floats,
    Shift,
    category_shift,
    embedding_shift,
    number_shift,
    share_shift,
    slowdown,
)
from flows.monitoring.checks import Check, Unit, too_few
from flows.monitoring.params import MonitorParams
from flows.monitoring.windows import Seen, Window, Windows

Encode = Callable[[Sequence[str]], Floats]
"""Texts to unit rows [B, D], as the champion reads queries."""
Compare = Callable[[Sequence[float], Sequence[float]], Shift]
PLAIN = "it needs the words of queries in the journal (ETALAGE_SERVICE_LOG_QUERIES=plain)"


def query_checks(windows: Windows, params: MonitorParams, encode: Encode) -> tuple[Check, ...]:
    """Languages of the words, kinds of queries, and where the words lie in the champion's space."""
    then, now = windows.reference, windows.current
    return (
        _mix(
            "languages", "share in another language", languages(then), languages(now), params.limits.languages, params
        ),
        _mix("kinds", "share of another kind", kinds(then), kinds(now), params.limits.kinds, params),
        _wording(then, now, params, encode),
    )


def answer_checks(windows: Windows, release: str, params: MonitorParams) -> tuple[Check, ...]:
    """Zero results, low confidence, best scores and times; of the champion's answers alone."""
    limits, minimum = params.limits, params.minimum.queries
    then, now = windows.reference.of_release(release), windows.current.of_release(release)
    checks = []
    for name, limit, is_case in (
        ("zero results", limits.zero_result, lambda seen: seen.zero_result),
        ("low confidence", limits.low_confidence, lambda seen: seen.low_confidence),
    ):
        check = Check(about="answers", name=name, measures="share rose by", unit="share", limit=limit)
        if min(len(then), len(now)) < minimum:
            checks.append(too_few(check, len(then), len(now), minimum, f"answers of release {release}"))
        else:
            cases = [(sum(map(is_case, seen)), len(seen)) for seen in (then, now)]
            checks.append(check.tested(share_shift(cases[0], cases[1]), len(then), len(now)))
    for kind in sorted({seen.kind for seen in [*then, *now]}):
        of_then, of_now = ([seen for seen in window if seen.kind == kind] for window in (then, now))
        checks += _numbers(kind, of_then, of_now, params)
    return tuple(checks)


def languages(window: Window) -> Counter[str]:
    """Queries with words, by their language."""
    return Counter(seen.language for seen in window.seen if seen.language is not None)


def kinds(window: Window) -> Counter[str]:
    """Queries by kind."""
    return Counter(seen.kind for seen in window.seen)


def sample(texts: Sequence[str], most: int, seed: int) -> list[str]:
    """At most `most` of `texts`, drawn without looking at them; a text that was asked often is drawn often."""
    return list(texts) if len(texts) <= most else random.Random(seed).sample(list(texts), most)


def _mix(name: str, measures: str, then: Counter[str], now: Counter[str], limit: float, params: MonitorParams) -> Check:
    check = Check(about="queries", name=name, measures=measures, unit="share", limit=limit)
    if min(then.total(), now.total()) < params.minimum.queries:
        return too_few(check, then.total(), now.total(), params.minimum.queries, "queries")
    return check.tested(category_shift(then, now, params.draws, params.seed), then.total(), now.total())


def _wording(then: Window, now: Window, params: MonitorParams, encode: Encode) -> Check:
    """Drift of the queries' embeddings, from a bounded sample of each window."""
    check = Check(
        about="queries", name="wording", measures="told apart by vectors", unit="area", limit=params.limits.wording
    )
    texts, others = then.texts(), now.texts()
    if not others or not texts:
        return check.unknown(PLAIN, len(texts), len(others))
    if min(len(texts), len(others)) < params.minimum.plain:
        return too_few(check, len(texts), len(others), params.minimum.plain, "queries with words in the journal")
    drawn = [sample(each, params.sample, params.seed) for each in (texts, others)]
    vectors = [_encoded(each, encode) for each in drawn]
    shift = embedding_shift(vectors[0], vectors[1], params.draws, params.seed)
    return check.tested(shift, len(drawn[0]), len(drawn[1]))


def _encoded(texts: Sequence[str], encode: Encode) -> Floats:
    """[N, D]; what is asked often is encoded once."""
    different = sorted(set(texts))
    place = {text: number for number, text in enumerate(different)}
    vectors: Floats = np.asarray(encode(different))[[place[text] for text in texts]]
    return vectors


def _numbers(kind: str, then: Sequence[Seen], now: Sequence[Seen], params: MonitorParams) -> list[Check]:
    """Best scores and times of one kind; a kind that is rare in both windows is left out."""
    minimum = params.minimum.queries
    if max(len(then), len(now)) < minimum:
        return []
    limits = params.limits
    compared: tuple[tuple[str, str, Unit, float, Compare, Callable[[Seen], float | None]], ...] = (
        ("best score", "distributions apart by", "distance", limits.top_score, number_shift, lambda seen: seen.top),
        ("latency", "p95 against then", "times", limits.latency, slowdown, lambda seen: seen.ms),
    )
    found = []
    for name, measures, unit, limit, compare, value in compared:
        check = Check(about="answers", name=f"{name} of {kind}", measures=measures, unit=unit, limit=limit)
        check = check.model_copy(update={"retrain": compare is not slowdown})
        values = [[number for seen in window if (number := value(seen)) is not None] for window in (then, now)]
        sizes = (len(values[0]), len(values[1]))
        if min(sizes) < minimum:
            found.append(too_few(check, *sizes, minimum, f"answers to {kind} queries"))
        else:
            found.append(check.tested(compare(values[0], values[1]), *sizes))
    return found
