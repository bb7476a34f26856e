"""The door every catalogue comes through: what a source must answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from catalog.products import Interaction, Judgement, Term
from catalog.rows.records import Record, Reference
from catalog.sources.inputs import Inputs


@dataclass(frozen=True)
class SideTables:
    """What a shop has beside products. `dropped` counts the rows that could not be used: reason -> rows."""

    terms: tuple[Term, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)


class Source(Protocol):
    """A catalogue somewhere. Nothing here decides what a good row is: catalog.ingesting.ingest does.

    A source raises InvalidSource when it cannot be read at all; a row it cannot read becomes a Record with `problem`.
    """

    @property
    def name(self) -> str:
        """What the snapshot says it came from; no path of a machine."""
        ...

    def records(self) -> Iterator[Record]:
        """Every row, in order, exactly once."""
        ...

    def media(self, reference: Reference) -> bytes:
        """Bytes of one picture that a record refers to.

        Raises InvalidMedia when there is none, and PictureAway for an address that was not fetched.
        """
        ...

    def is_away(self, reference: Reference) -> bool:
        """Whether `media` would raise PictureAway. Reads no picture."""
        ...

    def side_tables(self) -> SideTables:
        """Terms, judgements and interactions; empty where the shop has none."""
        ...

    def inputs(self) -> Inputs | None:
        """What all of that follows from, as it is now; None where only reading it can tell, as of a database."""
        ...
