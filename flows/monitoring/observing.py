"""One look at everything: reads the journals, the champion, data/ and its interactions; writes nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from catalog.tables import read_interactions, read_products
from evaluation.audits.shifts import Floats
from flows.lineage.answers import folder_of
from flows.monitoring import catalogue, clicks, feedback, overview
from flows.monitoring.checks import Check, decide
from flows.monitoring.params import MonitorParams
from flows.monitoring.results import Clicked, Mix, MonitorReport, NewValue
from flows.monitoring.spans import Span, span_since
from flows.monitoring.topics import by_words, topics
from flows.monitoring.traffic import PLAIN, Encode, answer_checks, query_checks
from flows.monitoring.windows import Windows, read_windows
from flows.releases import ReleaseStore
from search.contents import check_contents
from search.release import ENCODER, ReleaseManifest

_MOST_VALUES = 30


def observe(store: ReleaseStore, params: MonitorParams, since: str, reference: str, now: datetime) -> MonitorReport:
    """What moved since the reference. Raises ReleaseNotFound without a champion, InvalidQuery for odd spans."""
    manifest = store.champion_manifest()
    current = span_since(since, now)
    windows = read_windows(store, current, reference, params.reference_days, params.minimum.queries, manifest.release)
    encode = _encoder_of(store, manifest)
    zero, low = overview.doubtful(windows.current.seen)
    sold, kinds_sold, news, about_catalogue = _sold(manifest, params)
    click_rows, about_clicks = _clicked(windows, current)
    through, about_feedback = feedback.click_through(folder_of(store.home), _reference_of(windows, current), current)
    checks = decide(
        (
            *_unless_shown(query_checks(windows, params, encode), windows),
            *answer_checks(windows, manifest.release, params),
            *clicks.click_checks(click_rows, params),
            *feedback.click_through_checks(through, params),
            *sold,
        ),
        params.false_alarms,
    )
    return MonitorReport(
        made_at=now,
        release=manifest.release,
        snapshot=manifest.snapshot,
        current_is=str(current),
        reference_is=windows.reference_is,
        binding=windows.binding,
        false_alarms=params.false_alarms,
        reference_answers=len(windows.reference.seen),
        current_answers=len(windows.current.seen),
        current_refused=windows.current.refused,
        current_plain=len(windows.current.texts()),
        checks=checks,
        mixes=overview.traffic_mixes(windows),
        slices=overview.slice_counts(windows, manifest.release),
        days=overview.days((windows.reference, windows.current)),
        topics=topics(zero, low, by_words if params.topics.by == "words" else encode, params.topics, params.seed),
        topics_by=params.topics.by,
        clicks=click_rows,
        click_through=through,
        catalogue=kinds_sold,
        new_values=news[:_MOST_VALUES],
        notes=(*_notes(windows), *about_clicks, *about_feedback, *about_catalogue),
    )


def _encoder_of(store: ReleaseStore, manifest: ReleaseManifest) -> Encode:
    """The champion's encoder, opened when the first query is read with it."""

    @cache
    def encoder() -> Encode:
        from models.encoder import Encoder  # ONNX Runtime: not where no query's words are known

        folder = store.folder(manifest.release)
        check_contents(manifest, folder)
        return Encoder.load(folder / ENCODER).encode_text

    def encode(texts: Sequence[str]) -> Floats:
        return encoder()(texts)

    return encode


def _unless_shown(checks: Sequence[Check], windows: Windows) -> tuple[Check, ...]:
    """Where questions stand in for traffic, a difference from them is told in a note, and alarms nobody."""
    if windows.binding:
        return tuple(checks)
    return tuple(
        check
        if check.effect is None
        else check.unknown(
            f"no traffic to compare with; from the questions of the evaluation: {check.measures} "
            f"{check.shown(check.effect)}",
            check.reference_n,
            check.current_n,
        ).model_copy(update={"p": None, "effect": None})
        for check in checks
    )


def _sold(
    manifest: ReleaseManifest, params: MonitorParams
) -> tuple[tuple[Check, ...], tuple[Mix, ...], tuple[NewValue, ...], tuple[str, ...]]:
    """Checks of the catalogue, how it is spread, its new values, and a note where it could not be read."""
    read = catalogue.read_catalogues(manifest)
    if isinstance(read, str):
        return (), (), (), (f"The catalogue was not compared. {read}",)
    then, now = read
    note = (f"data/ still holds snapshot {manifest.snapshot}, of which the champion was made.",) if then is now else ()
    return (
        (
            *catalogue.catalogue_checks(then.products, now.products, params),
            catalogue.picture_check(then, now, params),
        ),
        catalogue.mixes(then.products, now.products),
        catalogue.new_values(then.products, now.products),
        note,
    )


def _clicked(windows: Windows, current: Span) -> tuple[tuple[Clicked, ...], tuple[str, ...]]:
    """Clicks of both windows among the shop's interactions, or why there are none."""
    interactions = read_interactions()
    if not interactions:
        return (), ("The snapshot has no interactions, so clicks per view of a product are not known.",)
    return clicks.clicked(interactions, read_products(), _reference_of(windows, current), current), ()


def _reference_of(windows: Windows, current: Span) -> Span:
    """The reference of clicks; where that of queries is no time, as long a time before the current window."""
    length: timedelta = current.end - current.start
    return windows.reference.span or Span(current.start - length, current.start)


def _notes(windows: Windows) -> tuple[str, ...]:
    """What could not be looked at in the journal."""
    notes = []
    asked = [seen for seen in windows.current.seen if seen.language is not None]
    unknown = sum(seen.text is None for seen in asked)
    if unknown:
        notes.append(
            f"Of {len(asked):,} queries with words, the journal does not hold the words of {unknown:,}: drift of "
            f"embeddings and topics know nothing of those; {PLAIN}."
        )
    if windows.unreadable:
        notes.append(f"{windows.unreadable:,} lines of the journal were cut short by a kill, or are not of a journal.")
    return tuple(notes)
