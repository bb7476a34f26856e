"""What the pages show of releases that were really measured, and what they say of those that cannot be shown."""

import re
import shutil
from datetime import UTC, datetime

import httpx
import pytest

from evaluation.pages.heat_colours import step_of
from evaluation.queries.kinds import KINDS
from flows.admin.figures import as_attributes
from flows.admin.pairing import pair
from flows.admin.quality import quality
from flows.admin.reading import overview, read_one, read_several
from flows.admin.side_by_side import gate_rows, score_rows, unlike_rows
from flows.admin.slices import heat_maps, span
from flows.lineage.retired import Retired, write_retired
from flows.monitoring.results import Day, MonitorReport
from flows.releases import ReleaseStore
from tests.flows.admin.homes import GOOD, UNMEASURED, WORSE, Home, measured
from tests.flows.worlds import a_release

BOTH = f"release={GOOD}&release={WORSE}"
PAGES = (
    "/", f"/compare?{BOTH}", f"/compare?{BOTH}&release={UNMEASURED}", f"/slices?{BOTH}", f"/worst?{BOTH}", "/quality",
    "/rollback", "/rollback/progress", "/login", "/nothing",
)  # fmt: skip


def test_no_page_asks_anything_of_anybody_else_or_runs_anything(logged_in: httpx.Client):
    for path in PAGES:
        page = logged_in.get(path).text
        assert page.startswith("<!doctype html>")
        for address in re.findall(r'(?:src|href|action|formaction)="([^"]*)"', page):
            assert address.startswith(("/", "#", "data:,")) and not address.startswith("//"), address
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|url\((?!#)|@import", page), path
    sheet = logged_in.get("/style.css").text
    assert "url(" not in sheet and "@import" not in sheet and "--paper" in sheet


def test_the_list_marks_the_champion_and_says_who_and_why(script: httpx.Client):
    page = script.get("/").text
    champion = re.search(r'<tr class="champion">.*?</tr>', page, re.S)
    assert champion and WORSE in champion[0] and f"by etalage retrain: promotion of {WORSE}" in champion[0]
    assert re.findall(r'name="release" value="([^"]+)"', page) == [UNMEASURED, WORSE, GOOD]
    assert "refused by 1" in champion[0] and "never promoted" in page


def test_scores_are_held_against_each_other_query_by_query(home: Home):
    shown = read_several(home.store, [WORSE, GOOD])
    assert [one.id for one in shown] == [GOOD, WORSE]
    paired = pair(*shown)
    assert paired is not None
    rows = {row.kind: row for row in score_rows(shown, [None, paired])}
    row = rows["attribute_zh"]
    before, after = (cell.score for cell in row.cells)
    change = row.cells[1].change
    assert before and after and change and change.low is not None and change.high is not None
    assert change.by == pytest.approx(after.mean - before.mean, abs=1e-6) and change.low <= change.by <= change.high
    assert change.by < 0 and change.sure  # it sees no colour, and is asked for colours
    unpaired = {row.kind: row for row in score_rows(shown, [None, None])}["attribute_zh"].cells[1].change
    assert unpaired and unpaired.by == pytest.approx(change.by, abs=1e-6) and unpaired.low is None


def test_gates_are_told_row_by_row_with_what_they_were_missed_by(home: Home, script: httpx.Client):
    rows = gate_rows(read_several(home.store, [GOOD, WORSE, UNMEASURED]))
    assert [row.name for row in rows] == [
        "attribute_zh engine nDCG@10", "shop", "title_to_product engine recall@10",
    ]  # fmt: skip
    assert [reason and reason.outcome for reason in rows[0].reasons] == ["passed", "failed", None]
    failed = rows[0].reasons[1]
    assert failed is not None and failed.distance is not None
    page = script.get(f"/compare?{BOTH}&release={UNMEASURED}").text
    assert f"missed by {-failed.distance:.4g}" in page and "not asked" in page


def test_what_differs_is_told_for_all_of_them(home: Home):
    rows = {row.name: row.values for row in unlike_rows(read_several(home.store, [GOOD, WORSE, UNMEASURED]))}
    assert rows["train.epochs"] == (1, 2, 1)
    assert rows["encoder"] == ("sees", "blind", "e" * 16)
    assert "snapshot" not in rows


def test_slices_are_cells_of_every_release_in_the_colour_of_their_score(home: Home, script: httpx.Client):
    shown = read_several(home.store, [GOOD, WORSE])
    maps = {one.dimension: one for one in heat_maps(shown)}
    leaf = maps["leaf"]
    assert {line.name for line in leaf.lines} == {"Dresses", "Shirts", "Mugs"}
    cell = leaf.lines[0].cells[leaf.kinds.index("title_to_product")]
    assert all(score is not None for score in cell)
    low, high = span(shown)
    assert 0 <= low < high <= 1
    page = script.get(f"/slices?{BOTH}").text
    assert f'class="heat h{step_of(cell[0].mean, low, high)}" title="{GOOD}: {cell[0].mean:.3f}' in page  # type: ignore[union-attr]


def test_the_worst_queries_are_those_of_the_report_and_their_pictures_load(home: Home, script: httpx.Client):
    page = script.get(f"/worst?{BOTH}").text
    assert f"The worst queries of {WORSE}" in page and f"Of {GOOD} instead" in page
    pictures = set(re.findall(r'<img src="(/pictures/[0-9a-f]{24})"', page))
    assert len(pictures) > 5
    for address in pictures:
        reply = script.get(address)
        assert (
            reply.status_code == 200
            and reply.headers["content-type"] == "image/jpeg"
            and reply.content[:2] == b"\xff\xd8"
        )
    assert script.get("/pictures/" + "0" * 24).status_code == 404
    values = [
        float(value) for value in re.findall(r"nDCG@10 (\d\.\d\d)", script.get(f"/worst?{BOTH}&kind=attribute_zh").text)
    ]
    assert values and values == sorted(values) and values[-1] < 1
    assert "not a kind of query" in script.get(f"/worst?{BOTH}&kind=nothing").text


def test_worst_queries_without_their_snapshot_have_ids_and_say_so(home: Home, script: httpx.Client):
    (home.folder / "data.dvc").unlink()
    shutil.rmtree(home.folder / "data")
    page = script.get(f"/worst?release={WORSE}").text
    assert "neither in data/ nor in DVC" in page and "<img" not in page and "not in the snapshots kept here" in page


def test_quality_over_time_has_every_release_and_joins_only_what_was_asked_alike(home: Home, script: httpx.Client):
    told = quality(overview(home.store))
    assert told.releases == (GOOD, WORSE, UNMEASURED) and told.champion == 1
    course = next(course for course in told.courses if course.kind == "attribute_zh")
    assert [(point.release, point.answered) for point in course.points] == [(GOOD, True), (WORSE, True)]
    assert [len(run) for run in course.runs] == [2]
    others = tuple(
        point if point.place else point.__class__(**{**vars(point), "asked": "x"}) for point in course.points
    )
    assert [len(run) for run in course.__class__(course.kind, course.metric, others).runs] == [1, 1]
    page = script.get("/quality").text
    assert page.count("<svg") == len(told.courses) and "has not been run here" in page
    assert f"promotion of {WORSE}" in page


def test_what_the_monitor_saw_is_on_the_page(home: Home, script: httpx.Client):
    days = tuple(
        Day(day=f"2026-11-0{n}", queries=n, zero_result=0.1, low_confidence=0.2, p50_ms=8, p95_ms=20) for n in (1, 2, 3)
    )
    report = MonitorReport(
        made_at=datetime(2026, 11, 8, tzinfo=UTC), release=WORSE, snapshot="s", current_is="now", reference_is="then",
        binding=True, false_alarms=0.05, reference_answers=1, current_answers=6, current_refused=0, current_plain=0,
        checks=(), days=days,
    )  # fmt: skip
    plots = script.get("/quality").text.count("<svg")
    path = home.store.home / "monitor" / "monitor.json"
    path.parent.mkdir()
    path.write_text(report.model_dump_json())
    assert script.get("/quality").text.count("<svg") == plots + 3
    path.write_text("{")
    assert "of another version: run it again" in script.get("/quality").text


def test_styles_become_attributes_and_nothing_else_changes():
    letters = "font-size: 8px; font-family: 'A', b"
    path = '<path style="fill: none; stroke: var(--ink)"/>'
    svg = as_attributes(f'<svg><style type="a">*{{b}}</style>{path}<text style="{letters}">x</text></svg>')
    assert svg == '<svg><path fill="none" stroke="var(--ink)"/><text font-size="8px">x</text></svg>'


@pytest.mark.parametrize("damage", ["half a manifest", "changed by hand", "another version", "never finished"])
def test_a_release_that_cannot_be_read_hides_no_other(home: Home, script: httpx.Client, damage: str):
    path = home.store.folder(GOOD) / "manifest.json"
    if damage == "half a manifest":
        path.write_text(path.read_text()[:200])
    elif damage == "changed by hand":
        path.write_text(path.read_text().replace('"sees"', '"seen"'))
    elif damage == "another version":
        a_release(home.store, GOOD, gate={"decision": "?"})
    else:
        path.unlink()
    found = overview(home.store)
    assert [one.id for one in found.unreadable] == [GOOD] and found.unreadable[0].sentence.endswith(".")
    assert [one.id for one in found.known] == [UNMEASURED, WORSE]
    for page in ("/", "/quality", f"/compare?release={WORSE}&release={UNMEASURED}"):
        assert script.get(page).status_code == 200
    for page in (f"/compare?{BOTH}", f"/slices?release={GOOD}", f"/worst?release={GOOD}", "/rollback"):
        reply = script.get(page)
        assert reply.status_code in (404, 409), page
        assert reply.text.count("\n") == 1 and GOOD in reply.text and "Traceback" not in reply.text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "No release was chosen"),
        ("release=r1999", "There is no release 'r1999'."),
        ("release=../../keys", "is not the id of a release"),
        ("&".join(f"release=r{n}" for n in range(9)), "9 releases were chosen: at most 6"),
    ],
)
def test_a_release_that_is_not_there_is_one_sentence(script: httpx.Client, query: str, sentence: str):
    for page in ("/compare", "/slices", "/worst"):
        reply = script.get(f"{page}?{query}")
        assert reply.status_code == 404 and sentence in reply.text


def test_a_release_without_scores_gates_and_reports_says_so(script: httpx.Client):
    page = script.get(f"/compare?release={UNMEASURED}").text
    assert "No scores were kept with it." in page and "The gates were never asked about it." in page
    assert f"report of {UNMEASURED} was not kept" in script.get(f"/slices?release={UNMEASURED}").text
    assert "its worst queries are not known" in script.get(f"/worst?release={UNMEASURED}").text
    assert "may have been asked different questions" in script.get(f"/compare?release={GOOD}&release={UNMEASURED}").text


def test_a_retired_release_keeps_its_scores(home: Home, script: httpx.Client):
    one = read_one(home.store, GOOD)
    assert one.report is not None
    manifest = home.store.get(GOOD)
    retired = Retired(
        manifest=manifest, at="2026-11-20T00:00:00+00:00", by="A. Person", reason="gc",
        measurements=one.report.measurements, evaluation_set=one.lineage.evaluation_set,
    )  # fmt: skip
    write_retired(home.store.home, retired)
    shutil.rmtree(home.store.folder(GOOD))
    page = script.get(f"/compare?{BOTH}").text
    assert "Retired 2026-11-20 00:00 by A. Person: gc" in page and "the intervals are apart" in page
    assert quality(overview(ReleaseStore(home.store.home))).releases == (GOOD, WORSE, UNMEASURED)


def test_a_damaged_champion_record_is_told_and_the_releases_stay(home: Home, script: httpx.Client):
    home.store.champion_path.write_text("{")
    page = script.get("/").text
    assert "is damaged: restore it from history.jsonl" in page and WORSE in page
    home.store.history_path.write_text('{"move": "jump"}\n')
    assert "cannot be read" in script.get("/").text


def test_a_report_that_is_kept_runs_nothing(script: httpx.Client):
    reply = script.get(f"/releases/{GOOD}/reports/report.html")
    assert reply.text == "<!doctype html><title>kept</title>"
    assert (
        "sandbox" in reply.headers["content-security-policy"]
        and "script" not in reply.headers["content-security-policy"]
    )
    for name in ("nothing.html", "evaluate.json", "..%2fmanifest.json"):
        assert script.get(f"/releases/{GOOD}/reports/{name}").status_code == 404


def test_numbers_on_the_page_are_those_of_the_report(script: httpx.Client, pictures):
    report = measured(pictures / GOOD, False)[0]
    page = script.get(f"/compare?release={GOOD}").text
    for row in report.measurements:
        if row.metric == KINDS[row.kind].primary:
            assert f"{row.mean:.3f}<small>{row.low:.3f}–{row.high:.3f}</small>" in page
