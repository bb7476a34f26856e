"""`etalage why` and `etalage diff`: where a release and an answer come from, also when the release is gone."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bento.journals.answered import Answered
from bento.journals.line import as_line
from bento.journals.reported import Reported
from catalog.errors import ReleaseNotFound, TamperedRelease
from catalog.products import Product
from catalog.tables import write_products
from evaluation.gates.decide import Decision
from evaluation.gates.reasons import Reason
from evaluation.results import EvaluationReport, Inputs, Measured
from flows.errors import MISSING, USAGE, AnswerNotFound, SnapshotMissing
from flows.lineage.answers import Reading, find_answers, find_reported, read_answers
from flows.lineage.differences import count_changes, differences, flat
from flows.lineage.origins import lineage_of
from flows.lineage.snapshots import products_of
from flows.promotion import promote, roll_back
from flows.releases import ReleaseStore
from flows.retention.disposal import collect
from flows.verdict import Verdict
from search.release import Forced, read_manifest, write_manifest
from tests.flows.test_cli import etalage
from tests.flows.traffic import write_feedback
from tests.flows.worlds import FileAlias, a_release, a_store

SCORES = {"title_to_photo": {"engine": {"recall@10": 0.8}, "random": {"recall@10": 0.01}}}


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no Milvus server, and no other journal."""
    for name in ("ETALAGE_MILVUS_URI", "ETALAGE_SERVICE_JOURNAL", "ETALAGE_SERVICE_JOURNAL_FOLDER"):
        monkeypatch.delenv(name, raising=False)


def a_verdict(release: str, value: float, passed: bool = True) -> dict[str, Any]:
    reason = Reason(
        rule="floor", name="title_to_photo engine recall@10", value=value, limit=0.6, distance=value - 0.6,
        outcome="passed" if passed else "failed", sentence="",
    )  # fmt: skip
    decision = Decision(passed=passed, reasons=(reason,))
    told = Verdict(key="k", release=release, snapshot="s", encoder="e", champion=None, decision=decision)
    return told.model_dump(mode="json")


def a_report(store: ReleaseStore, release: str, mean: float, asked: str = "q1", width: float = 0.02) -> None:
    """Its evaluation report: the engine's score with its interval."""
    manifest = store.get(release)
    row = Measured(
        kind="title_to_photo", system="engine", metric="recall@10", n=200, mean=mean, low=mean - width,
        high=mean + width,
    )  # fmt: skip
    report = EvaluationReport(
        inputs=Inputs(
            snapshot=manifest.snapshot, encoder=manifest.encoder, baseline_encoder=None, ranking="r", params="p",
            evaluation_set=asked,
        ),
        catalogue=1, pool=1, metrics={}, measurements=(row,), margins=(), slices=(), latency=(), not_comparable=(),
        unasked={},
    )  # fmt: skip
    path = store.folder(release) / "reports" / "evaluate.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.model_dump_json())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """r1 was promoted and replaced by r2, which was forced and rolled back; both are measured."""
    home = tmp_path / ".etalage"
    store, alias = a_store(home)
    a_release(store, "r1", 1, scores=SCORES, gate=a_verdict("r1", 0.8))
    better = {"title_to_photo": {"engine": {"recall@10": 0.9}, "random": {"recall@10": 0.01}}}
    a_release(
        store, "r2", 2, scores=better, gate=a_verdict("r2", 0.9, passed=False), snapshot="6" * 12, data_md5="d2.dir",
        params={"train": {"epochs": 2}, "late": {"epochs": 1}}, params_hash="q" * 12, encoder="f" * 16,
        forced=Forced(by="A. Person", reason="the campaign starts"),
    )  # fmt: skip
    for release, mean in (("r1", 0.8), ("r2", 0.9)):
        alias.add(release)
        a_report(store, release, mean)
    promote(store, alias, "r1", by="etalage retrain")
    promote(store, alias, "r2", by="A. Person", reason="the campaign starts", forced=True)
    roll_back(store, alias, by="B. Person", reason="shoes look wrong")
    return home


def test_a_release_tells_what_made_it_how_it_scored_and_who_did_what_with_it(home: Path) -> None:
    told = lineage_of(ReleaseStore(home), "r2")
    manifest = ReleaseStore(home).get("r2")
    for name in ("release", "snapshot", "data_md5", "code_revision", "params", "params_hash", "encoder", "collection"):
        assert getattr(told, name) == getattr(manifest, name), name
    assert told.state == "rolled back" and told.manifest_digest == manifest.digest
    engine, random = told.scores
    assert (engine.mean, engine.low, engine.high, engine.n) == (0.9, 0.88, 0.92, 200)
    assert (random.mean, random.low) == (0.01, None)
    assert told.gate is not None and [reason.outcome for reason in told.gate.decision.reasons] == ["failed"]
    assert told.forced == Forced(by="A. Person", reason="the campaign starts")
    assert [(move.move, move.by, move.reason) for move in told.moves] == [
        ("force", "A. Person", "the campaign starts"),
        ("rollback", "B. Person", "shoes look wrong"),
    ]


@pytest.mark.parametrize(("release", "state"), [("r1", "champion"), ("r2", "rolled back"), ("r3", "refused")])
def test_the_state_of_a_release_follows_the_champion_record_and_the_gates(home: Path, release: str, state: str) -> None:
    store = ReleaseStore(home)
    a_release(store, "r3", 3, gate=a_verdict("r3", 0.1, passed=False))
    assert lineage_of(store, release).state == state


def test_scores_of_a_report_that_disagrees_with_the_manifest_are_not_believed(home: Path) -> None:
    store = ReleaseStore(home)
    a_report(store, "r1", 0.99)
    told = lineage_of(store, "r1")
    assert (told.scores[0].mean, told.scores[0].low) == (0.8, None)
    assert told.scores_note.startswith("1 of them are not what its evaluation report says")
    (store.folder("r1") / "reports" / "evaluate.json").unlink()
    assert lineage_of(store, "r1").scores_note == "its evaluation report is gone, or of something else"


def test_a_retired_release_is_told_as_before_and_that_it_is_gone(home: Path) -> None:
    store, alias = ReleaseStore(home), FileAlias(home / "alias.json")
    before = lineage_of(store, "r2")
    collect(store, alias, 0, by="C. Person")
    assert not store.has("r2")
    told = lineage_of(store, "r2")
    assert told.retired is not None and told.retired.by == "C. Person"
    assert told.model_copy(update={"state": before.state, "retired": None}) == before
    assert told.state == "retired"
    with pytest.raises(ReleaseNotFound, match=r"known: r1, r2 \(retired\)"):
        lineage_of(store, "r9")


def test_a_manifest_that_was_changed_by_hand_is_noticed_whatever_was_changed(home: Path) -> None:
    store = ReleaseStore(home)
    path = store.folder("r1") / "manifest.json"
    whole = json.loads(path.read_text())
    changes = {"snapshot": "0" * 12, "params": {"train": {"epochs": 9}}, "forced": {"by": "x", "reason": "y"}}
    for name, value in changes.items():
        path.write_text(json.dumps({**whole, name: value}))
        with pytest.raises(TamperedRelease, match="changed by another hand"):
            store.get("r1")
    path.write_text(json.dumps(dict(reversed(whole.items()))))  # the same content in another order
    assert store.get("r1").digest == whole["digest"]
    write_manifest(store.get("r1").model_copy(update={"snapshot": "0" * 12}), store.folder("r1"))  # Etalage's own hand
    assert read_manifest(store.folder("r1")).digest not in (None, whole["digest"])


def test_a_manifest_of_an_earlier_version_has_no_digest_and_is_read(home: Path) -> None:
    path = ReleaseStore(home).folder("r1") / "manifest.json"
    whole = json.loads(path.read_text())
    del whole["digest"]
    path.write_text(json.dumps(whole))
    assert lineage_of(ReleaseStore(home), "r1").manifest_digest is None


def journalled(home: Path, *lines: Answered, name: str = "20261121-1.jsonl", rest: bytes = b"") -> None:
    (home / "journal").mkdir(exist_ok=True)
    (home / "journal" / name).write_bytes(b"".join(map(as_line, lines)) + rest)


def an_answer(request: str, release: str, second: int = 0, ids: Sequence[str] = ("p1", "p2")) -> Answered:
    at = datetime(2026, 11, 21, 10, 0, second, tzinfo=UTC)
    return Answered(
        at, request, release, "text", 200, 8.1, "en", k=10, hits=len(ids), ids=list(ids), top=0.5, low_confidence=False,
        zero_result=not ids, filters=["price"],
    )  # fmt: skip


def test_an_answer_is_found_by_its_request_id_and_all_of_them_where_the_caller_repeats_it(home: Path) -> None:
    journalled(home, an_answer("order-66", "r2", 5), an_answer("other", "r2"), rest=b'{"time": "2026-11')
    journalled(home, an_answer("order-66", "r1", 1), an_answer("order-666", "r1"), name="20261122-2.jsonl")
    found = find_answers(home, "order-66")
    assert [(line.release, line.time.second) for line in found] == [("r1", 1), ("r2", 5)]
    assert found[0] == an_answer("order-66", "r1", 1)
    with pytest.raises(AnswerNotFound, match=r"'never' is in the journal .* \(it begins at 2026-11-21T10:00:05"):
        find_answers(home, "never")


def test_what_users_did_with_an_answer_is_told_with_it_each_action_once(home: Path) -> None:
    journalled(home, an_answer("order-66", "r1"))
    at = datetime(2026, 11, 21, 10, 1, tzinfo=UTC)
    click, buy = Reported(at, "order-66", "p2", "click", 2), Reported(at, "order-66", "p2", "buy", user_id="visit-5e1f")
    write_feedback(home, buy, click, replace(click, time=at.replace(minute=9)), replace(click, request_id="order-666"))
    assert find_reported(home, "order-66") == (buy, click)
    shown = etalage("why", "--answer", "order-66", cwd=home.parent).stdout
    assert "visit-5e1f" in shown and shown.count("click") == 1
    told = json.loads(etalage("why", "--answer", "order-66", "--json", cwd=home.parent).stdout)
    assert [line["action"] for line in told["reported"]] == ["buy", "click"]


def test_lines_that_a_kill_cut_short_are_passed_over_and_counted(home: Path) -> None:
    journalled(home, an_answer("a", "r1"), rest=b'{"time": "2026\n\xff\xfe\n[]\n')
    count = Reading()
    assert [line.request for line in read_answers(home / "journal", count)] == ["a"]
    assert (count.lines, count.unreadable) == (1, 3)


def test_the_command_explains_answers_of_a_retired_and_of_a_living_release(home: Path) -> None:
    journalled(home, an_answer("again", "r1"), an_answer("again", "r2", 1), an_answer("lost", "r0"))
    collect(ReleaseStore(home), FileAlias(home / "alias.json"), 0, by="C. Person")
    done = etalage("why", "--answer", "again", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    for word in ("2 requests had this id", "r1 (champion)", "r2 (retired)", "p2", "the campaign starts", "C. Person"):
        assert word in done.stdout, word
    told = json.loads(etalage("why", "--answer", "again", "--json", cwd=home.parent).stdout)
    assert [line["release"] for line in told["answers"]] == ["r1", "r2"]
    assert [release["state"] for release in told["releases"]] == ["champion", "retired"]
    lost = etalage("why", "--answer", "lost", cwd=home.parent)
    assert lost.returncode == 0 and "There is no release 'r0'" in lost.stderr


def test_the_command_tells_a_release_on_a_terminal_and_as_json(home: Path) -> None:
    done = etalage("why", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    for word in ("r1 (champion)", "c0ffee", "0.800", "0.780 to 0.820", "floor", "shoes look wrong", "The gates passed"):
        assert word in done.stdout, word
    told = json.loads(etalage("why", "r2", "--json", cwd=home.parent).stdout)
    assert told == json.loads(lineage_of(ReleaseStore(home), "r2").model_dump_json())


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["why", "r9"], MISSING, "There is no release 'r9'"),
        (["why", "--answer", "x"], MISSING, "No query with the request id 'x'"),
        (["why", "r1", "--answer", "x"], USAGE, "not both"),
        (["diff", "r1", "r9"], MISSING, "There is no release 'r9'"),
        (["gc", "--keep", "-1"], USAGE, "--keep"),
    ],
)
def test_what_is_not_there_is_one_sentence(home: Path, arguments: list[str], code: int, sentence: str) -> None:
    done = etalage(*arguments, cwd=home.parent)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert sentence in done.stderr


def test_a_dry_run_where_there_is_nothing_makes_nothing(tmp_path: Path) -> None:
    done = etalage("gc", "--dry-run", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "Nothing to remove; 0 stay.\n"), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_releases_differ_key_by_key_and_in_their_scores(home: Path) -> None:
    store = ReleaseStore(home)
    told = differences(lineage_of(store, "r1"), lineage_of(store, "r2"))
    assert {row.name for row in told.about} == {"snapshot", "data_md5", "params_hash", "encoder"}
    assert [(row.name, row.before, row.after) for row in told.params] == [
        ("train.epochs", 1, 2),
        ("late.epochs", None, 1),
    ]
    engine, random = told.scores
    assert (engine.difference, engine.apart) == (0.1, True)  # 0.78 to 0.82 against 0.88 to 0.92
    assert (random.difference, random.apart) == (0.0, None)
    assert told.same_questions is True
    assert [row.name for row in told.gates] == ["decision", "forced", "floor / title_to_photo engine recall@10"]

    a_report(store, "r2", 0.9, asked="q2", width=0.2)
    told = differences(lineage_of(store, "r1"), lineage_of(store, "r2"))
    assert (told.scores[0].apart, told.same_questions) == (False, False)


def test_a_release_does_not_differ_from_itself(home: Path) -> None:
    one = lineage_of(ReleaseStore(home), "r1")
    told = differences(one, one)
    assert (told.about, told.params, told.gates, told.scores[0].difference) == ((), (), (), 0.0)
    assert "Nothing differs." in etalage("diff", "r1", "r1", cwd=home.parent).stdout


def test_the_command_shows_both_sides_and_why_products_were_not_counted(home: Path) -> None:
    done = etalage("diff", "r1", "r2", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    for word in ("train.epochs", "+0.100", "intervals apart", "A. Person: the campaign starts", "555555555555"):
        assert word in done.stdout, word
    told = json.loads(etalage("diff", "r1", "r2", "--json", cwd=home.parent).stdout)
    assert told["products"] is None and told["products_note"]


def test_params_are_flattened_to_their_keys() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": [1, {"x": 2}]}, "e": {}}) == {"a.b.c": 1, "a.d": [1, {"x": 2}], "e": {}}


def test_products_are_compared_by_id_and_by_everything_that_is_known_of_them(tmp_path: Path) -> None:
    old = [Product(id=name, group_id=name, title=name, attributes={"colour": "Red"}) for name in "abcd"]
    new = [old[0], replace(old[1], price=2.0), replace(old[2], attributes={"colour": "Blue"}), replace(old[3], id="e")]
    told = count_changes(old, new)
    assert (told.new, told.gone, told.changed, told.same) == (1, 1, 2, 1)

    table = tmp_path / "files" / "md5" / "ab" / "cd"
    listing = tmp_path / "files" / "md5" / "12" / "34.dir"
    for path in (table, listing):
        path.parent.mkdir(parents=True)
    write_products(new, table)
    listing.write_text(json.dumps([{"md5": "abcd", "relpath": "products.parquet"}, {"md5": "x", "relpath": "y"}]))
    assert products_of("1234.dir", tmp_path) == new
    for missing in (None, "9999.dir"):
        with pytest.raises(SnapshotMissing, match="Products were not counted"):
            products_of(missing, tmp_path)
