"""What is stored of a release in Milvus, however it is asked: names, properties, and entities back into rows."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import EncoderMismatch, NotReady, ReleaseNotFound
from models.embeddings import FIELDS
from search.collection import LEXICAL, Freshness
from search.matching import METRICS, MetricName
from search.rows import Floats, Rows

WORDS = "words"
PAYLOAD = "payload"
PREFIX = "products_"
ALIAS = "products"

# Properties of a collection.
ENCODER = "etalage.encoder"
RELEASE = "etalage.release"
SNAPSHOT = "etalage.snapshot"
DIGEST = "etalage.rows"
FACET_NAMES = "etalage.facets"
METRIC = "etalage.metric"
COUNT = "etalage.products"  # set last: a collection without it was never finished
REFRESH = "etalage.refresh"  # number of the refresh whose rows it holds; none: as it was built
REFRESHING = "etalage.refreshing"  # number of a refresh that has begun and not ended; set before its first row is

HAVING = (*FIELDS, LEXICAL)  # what a product can have or lack
READ = (*FIELDS, *(f"has_{name}" for name in HAVING), WORDS, PAYLOAD)


def collection_name(release: str) -> str:
    """products_<release>; Milvus allows letters, digits and _ in names."""
    return PREFIX + release.replace("-", "_")


def has(name: str) -> str:
    """Name of the flag that says whether a product has a vector in that field, or words for the lexical leg."""
    return f"has_{name}"


def metric_of(properties: Mapping[str, str]) -> MetricName:
    """How the collection's vectors are compared. Raises NotReady when this version does not know it."""
    named = properties.get(METRIC, "cosine")  # older collections do not say it, and are all of one kind
    for metric in METRICS:
        if named == metric:
            return metric
    raise NotReady(f"The collection compares vectors by {named!r}, which this version does not know.")


def freshness_of(properties: Mapping[str, str]) -> Freshness:
    """Which refresh the collection holds."""
    return Freshness(int(properties.get(REFRESH) or 0), int(properties.get(REFRESHING) or 0))


def is_finished(properties: Mapping[str, str], release: str | None) -> bool:
    """Whether a collection with these properties is whole, and that of `release` (None: of any)."""
    return COUNT in properties and release in (None, properties[RELEASE])


def check_finished(name: str, properties: Mapping[str, str], release: str | None, encoder: str | None) -> None:
    """Raises NotReady for a collection that was never finished, EncoderMismatch for one of another encoder."""
    if not is_finished(properties, release):
        raise NotReady(f"Collection {name} was never finished: build the release again.")
    if encoder is not None and properties[ENCODER] != encoder:
        raise EncoderMismatch(
            f"Collection {name} was built by encoder {properties[ENCODER]}, and encoder {encoder} cannot ask it."
        )


def no_collection(release: str, uri: str) -> ReleaseNotFound:
    """What is raised where the store at `uri` has no collection of `release`."""
    return ReleaseNotFound(f"Release {release} has no collection in {uri}.")


def check_path(path: Path) -> None:
    """Raises NotReady for a path that no embedded store can have."""
    if path.suffix != ".db":
        raise NotReady(
            f"{path} is not the path of an embedded Milvus store: it must end in .db, or be http://host:port."
        )


def taken(path: Path, wait_s: float) -> NotReady:
    """What is raised where the embedded store stays in other hands."""
    return NotReady(
        f"The embedded Milvus store {path} is in use by another process, and was not free within {wait_s:g} seconds."
    )


class RowReader:
    """Gathers entities, in any order, into Rows."""

    def __init__(self) -> None:
        self._payloads: list[dict[str, Any]] = []
        self._words: list[str] = []
        self._vectors: dict[str, list[Floats]] = {field: [] for field in FIELDS}
        self._present: dict[str, list[bool]] = {field: [] for field in FIELDS}

    def add(self, entities: Sequence[dict[str, Any]]) -> None:
        """Take entities that hold the fields READ."""
        for entity in entities:
            payload = entity[PAYLOAD]
            self._payloads.append(json.loads(payload) if isinstance(payload, str) else dict(payload))
            self._words.append(str(entity[WORDS]) if entity[has(LEXICAL)] else "")
            for field in FIELDS:
                self._present[field].append(bool(entity[has(field)]))
        for field in FIELDS:
            self._vectors[field].append(np.array([entity[field] for entity in entities], dtype=np.float32))

    def rows(self, name: str, properties: Mapping[str, str]) -> Rows:
        """All that was added, sorted by id: the rows of the collection `name`. Raises NotReady when some are gone.

        While a refresh is under way their number is not known: each product is as before it or as after it.
        """
        freshness = freshness_of(properties)
        if not freshness.coming and len(self._payloads) != int(properties[COUNT]):
            raise NotReady(
                f"Collection {name} gave {len(self._payloads)} of {properties[COUNT]} products: "
                "build the release again."
            )
        order = sorted(range(len(self._payloads)), key=lambda row: str(self._payloads[row]["id"]))
        present = {field: np.array(flags, dtype=bool)[order] for field, flags in self._present.items()}
        vectors = {field: np.concatenate(parts)[order] for field, parts in self._vectors.items()}
        for field, matrix in vectors.items():
            matrix[~present[field]] = 0.0
        return Rows(
            ids=tuple(str(self._payloads[row]["id"]) for row in order),
            payloads=tuple(self._payloads[row] for row in order),
            words=tuple(self._words[row] for row in order),
            vectors=vectors,
            present=present,
            encoder=properties[ENCODER],
            snapshot=properties[SNAPSHOT],
            metric=metric_of(properties),
            freshness=freshness,
        )
