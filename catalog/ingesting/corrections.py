"""Cells that a person corrected in quarantined rows, and a source that says them instead of what it says itself.

A correction names its row by its id and not by its place, and says what the cell held before: so it holds for the
next export too, whatever else changed in the row, until the source itself says something else in that cell.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog.products import MAX_ID, Correction, Quarantined
from catalog.rows.cells import cells_of, mended
from catalog.rows.records import Record, Reference
from catalog.sources.inputs import Inputs
from catalog.sources.protocol import SideTables, Source

_DIGITS = 16


@dataclass(frozen=True)
class Corrected:
    """What became of the corrections of one ingest. All are cells.

    `applied` are those that the snapshot keeps; `outdated` fell away, since the source says something else there now or
    has no such row any more; `refused` are sentences.
    """

    applied: tuple[Correction, ...] = ()
    outdated: tuple[Correction, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows with an applied correction."""
        return len({correction.key for correction in self.applied})


class RowKeys:
    """Names of rows, to be asked in the order of the source: its id, or a digest of what a row without one says.

    The second row of one id is `id#2:...`. A row that could not be read has only its place.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._seen: Counter[str] = Counter()

    def of(self, record: Record) -> str:
        """The key of the next row."""
        if record.left_out:
            return ""
        if record.problem:
            return f"row:{_digest(self._source, str(record.source_row), record.problem)}"
        identity = record.values.get("id", "").strip()
        usable = identity and len(identity) <= MAX_ID and identity.isprintable()
        kind, name = ("id", identity) if usable else ("row", _digest(*cells_of(record).values()))
        self._seen[f"{kind}:{name}"] += 1
        times = self._seen[f"{kind}:{name}"]
        return f"{kind}:{name}" if times == 1 else f"{kind}#{times}:{name}"


class CorrectedSource:
    """`source` with `corrections`: its rows have their keys. What became of them stands in `found` after a reading."""

    def __init__(self, source: Source, corrections: Sequence[Correction] = ()) -> None:
        self._source = source
        self.corrections = tuple(corrections)
        """As given; all of them apply where neither they nor the source changed since a reading that kept them."""
        self._of_row: dict[str, list[Correction]] = {}
        for correction in corrections:
            self._of_row.setdefault(correction.key, []).append(correction)
        self.found = Corrected()

    @property
    def name(self) -> str:
        """Of the source."""
        return self._source.name

    @property
    def digest(self) -> str:
        """Of the corrections, in whatever order: 16 hex."""
        return _digest(*sorted(repr(correction) for correction in self.corrections))

    def records(self) -> Iterator[Record]:
        """Every row, corrected."""
        refused = self._taken_ids()
        keys, applied = RowKeys(self.name), []
        for record in self._source.records():
            record = replace(record, key=keys.of(record))
            own = [c for c in self._of_row.get(record.key, ()) if (c.key, c.field) not in refused]
            if own:
                cells = cells_of(record)
                own = [correction for correction in own if cells.get(correction.field, "") == correction.before]
                applied += own
            yield mended(record, {correction.field: correction.after for correction in own})
        kept = set(applied)
        rest = [c for own in self._of_row.values() for c in own if c not in kept and (c.key, c.field) not in refused]
        self.found = Corrected(tuple(applied), tuple(rest), tuple(refused.values()))

    def media(self, reference: Reference) -> bytes:
        """Of the source."""
        return self._source.media(reference)

    def is_away(self, reference: Reference) -> bool:
        """Of the source."""
        return self._source.is_away(reference)

    def side_tables(self) -> SideTables:
        """Of the source."""
        return self._source.side_tables()

    def inputs(self) -> Inputs | None:
        """Of the source; the corrections are not among them."""
        return self._source.inputs()

    def _taken_ids(self) -> dict[tuple[str, str], str]:
        """(row, field) -> why the id that a correction gives is refused: another row has it, and would be pushed out.

        Reads the rows once more, where an id is corrected at all.
        """
        given = {c.key: c.after for own in self._of_row.values() for c in own if c.field == "id"}
        if not given:
            return {}
        keys, wanted = RowKeys(self.name), set(given.values())
        stands: dict[str, int] = {}
        for record in self._source.records():
            identity = record.values.get("id", "").strip()
            if keys.of(record) not in given and identity in wanted:
                stands.setdefault(identity, record.source_row)
        return {
            (key, "id"): f"The id '{identity}' that was given to '{key}' is refused: row {stands[identity]} of the "
            "source has it already."
            for key, identity in given.items()
            if identity in stands
        }


def merged(
    kept: Sequence[Correction], given: Mapping[str, Mapping[str, str]], quarantined: Sequence[Quarantined]
) -> list[Correction]:
    """The corrections `kept` from before, and those `given` (row -> field -> text) for rows in `quarantined`.

    A cell that is given again as the source has it is corrected no more.
    """
    cells = {(c.key, c.field): c for c in kept}
    rows = {row.key: row for row in quarantined}
    for key, changes in given.items():
        for field, after in changes.items():
            before = cells[key, field].before if (key, field) in cells else rows[key].cells.get(field, "")
            cells[key, field] = Correction(key, field, before, after)
    return sorted((c for c in cells.values() if c.before != c.after), key=lambda c: (c.key, c.field))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:_DIGITS]
