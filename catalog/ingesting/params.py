"""The section `ingest` of params.yaml: what changes the bytes of a snapshot. Imports nothing heavy."""

from typing import Literal

from catalog.params import Section


class IngestParams(Section):
    """How the pictures of a catalogue are taken."""

    placeholders: Literal["keep", "drop"] = "keep"  # drop: they count as no picture, for products that have a title
