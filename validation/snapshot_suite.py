"""Expectations about the snapshot as a whole: complete, unchanged since ingest, and little left out. One row."""

import great_expectations.expectations as gxe

from validation.expectations import expect
from validation.params import ValidateParams

# name in snapshot.json -> how a sentence calls it
COUNTED = {
    "products": "products",
    "quarantined": "quarantined rows",
    "media": "media",
    "groups": "product groups",
    "without_image": "products without a picture",
    "terms": "terms",
    "judgements": "judgements",
    "interactions": "interactions",
}


def snapshot_suite(params: ValidateParams) -> list[gxe.Expectation]:
    """Identity, counts, quarantine and dropped rows."""
    counts = [
        expect(
            gxe.ExpectColumnPairValuesToBeEqual,
            f"count_{name}",
            column_A=f"{name}_recorded",
            column_B=f"{name}_found",
            claim=f"snapshot.json counts the {words} that are there.",
            reason="A difference means a half-written or hand-edited snapshot, whose scores would belong to nothing.",
            says=f"snapshot.json counts {{first[{name}_recorded]:,}} {words}, but {{first[{name}_found]:,}} are there.",
        )
        for name, words in COUNTED.items()
    ]
    return [
        expect(
            gxe.ExpectColumnPairValuesToBeEqual,
            "identity",
            column_A="id_recorded",
            column_B="id_found",
            claim="The content of data/ is what snapshot.json was written for.",
            reason="Reports, releases and answers name the snapshot by this id.",
            says="data/ was changed after ingest: snapshot.json says {facts[recorded_identity]}, "
            "the content is {facts[identity]}.",
        ),
        *counts,
        expect(
            gxe.ExpectColumnPairValuesToBeEqual,
            "rows_accounted",
            column_A="source_rows",
            column_B="accounted_rows",
            claim="Every row of the source became a product or was quarantined.",
            reason="A row that vanishes silently is a product the shop sells and nobody finds.",
            says="The source had {first[source_rows]:,} rows, but only {first[accounted_rows]:,} are products or "
            "quarantined.",
        ),
        expect(
            gxe.ExpectColumnMaxToBeBetween,
            "quarantined_share",
            column="quarantined_share",
            max_value=params.max_quarantined,
            claim="Few rows of the source were quarantined.",
            reason="Many bad rows mean that the mapping or the export is wrong, not the rows.",
            says="{facts[quarantined]} of {facts[source_rows]} source rows ({observed:.1%}) were quarantined "
            "({facts[quarantine_reasons]}); at most {high:.1%} may be.",
        ),
        expect(
            gxe.ExpectColumnMaxToBeBetween,
            "dropped_judgements",
            column="dropped_judgements_share",
            max_value=params.max_dropped_judgements,
            claim="Nearly all of the shop's judgements could be used.",
            reason="Scores over what is left of a judgements table would not mean what the shop thinks.",
            says="{observed:.1%} of the judgements could not be used ({facts[dropped_reasons]}); "
            "at most {high:.1%} may be left out.",
        ),
        expect(
            gxe.ExpectColumnMaxToBeBetween,
            "nothing_dropped",
            column="dropped_rows",
            max_value=0,
            severity="warn",
            claim="Everything that the source has could be used.",
            reason="A row left out is cheap to mend in the export and easy to overlook.",
            says="{observed:,.0f} things that the source has were left out: {facts[dropped_reasons]}.",
        ),
    ]
