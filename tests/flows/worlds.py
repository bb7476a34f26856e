"""Small worlds for the tests of flows/: a release that is only a manifest, and an alias that is only a file."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from evaluation.gates.decide import Decision
from evaluation.gates.reasons import Reason
from flows.releases import ReleaseStore
from flows.verdict import Verdict
from search.release import ReleaseManifest, write_manifest

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Stored:
    """One collection."""

    release: str
    champion: bool


class FileAlias:
    """Collections and the alias of a Milvus, as one JSON file: it survives kill -9 as Milvus does."""

    kind = "embedded"

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            self._write({"collections": [], "alias": None})

    @property
    def pointed(self) -> str | None:
        """The release the alias points at."""
        return json.loads(self.path.read_text())["alias"]

    def add(self, release: str) -> None:
        """Create the release's collection."""
        state = json.loads(self.path.read_text())
        self._write({**state, "collections": [*state["collections"], release]})

    def drop(self, release: str) -> None:
        """Lose the release's collection."""
        state = json.loads(self.path.read_text())
        self._write({**state, "collections": [name for name in state["collections"] if name != release]})

    def releases(self) -> list[Stored]:
        """All collections, as `search.milvus.store.MilvusStore.releases` tells them."""
        state = json.loads(self.path.read_text())
        return [Stored(name, name == state["alias"]) for name in state["collections"]]

    def has_release(self, release: str) -> bool:
        return release in json.loads(self.path.read_text())["collections"]

    def point_alias(self, release: str) -> None:
        state = json.loads(self.path.read_text())
        assert release in state["collections"], f"the alias was pointed at a collection that is not there: {release}"
        self._write({**state, "alias": release})

    def _write(self, state: dict[str, object]) -> None:
        self.path.write_text(json.dumps(state))


def a_release(store: ReleaseStore, release: str, number: int = 0, **changes: object) -> ReleaseManifest:
    """A complete release in `store`; `number` orders releases in time."""
    manifest = ReleaseManifest(
        release=release,
        created_at=START + timedelta(hours=number),
        snapshot="5" * 12,
        code_revision="c0ffee",
        params={"train": {"epochs": 1}},
        params_hash="p" * 12,
        encoder="e" * 16,
        collection=f"products_{release}",
        milvus_uri_kind="embedded",
        ranking={},
    ).model_copy(update=changes)
    write_manifest(manifest, store.folder(release))
    return manifest


def an_answer(release: str, champion: str | None, passed: bool) -> Verdict:
    """What the gates said of `release`: one rule, passed or not, and one that could not be asked."""
    value, outcome = (0.7, "passed") if passed else (0.5, "failed")
    asked = Reason(
        rule="floor",
        name="title_to_photo engine recall@10",
        value=value,
        limit=0.6,
        distance=value - 0.6,
        outcome=outcome,  # type: ignore[arg-type]
        sentence=f"title_to_photo engine recall@10 is {value}, must be at least 0.6.",
    )
    unasked = Reason(rule="floor", name="shop", outcome="insufficient", sentence="The shop gave no judgements.")
    decision = Decision(passed=passed, reasons=(asked, unasked))
    return Verdict(key="k", release=release, snapshot="5" * 12, encoder="e", champion=champion, decision=decision)


def a_store(home: Path, *releases: str) -> tuple[ReleaseStore, FileAlias]:
    """A store with `releases`, oldest first, each with its collection; nothing is promoted yet."""
    store = ReleaseStore(home)
    home.mkdir(parents=True, exist_ok=True)
    alias = FileAlias(home / "alias.json")
    for number, release in enumerate(releases):
        a_release(store, release, number)
        alias.add(release)
    return store, alias
