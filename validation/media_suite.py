"""Expectations about data/media: pictures that are what their row says, large enough, and used."""

import great_expectations.expectations as gxe

from catalog.media import FORMATS, MIN_SIDE
from validation.expectations import expect
from validation.params import ValidateParams


def media_suite(params: ValidateParams) -> list[gxe.Expectation]:
    """Ids, bytes, width and height, use."""
    return [
        expect(
            gxe.ExpectColumnValuesToBeUnique,
            "id_unique",
            column="media_id",
            claim="No medium is packed twice.",
            reason="The store keeps one place for each id.",
            says="{count:,} of {total:,} media share their id with another: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "id_is_content",
            column="id_matches",
            value_set=[True],
            claim="The id of a medium is the hash of its bytes.",
            reason="Then damaged or exchanged bytes cannot pass for the picture a product named.",
            says="{count:,} of {total:,} media have other bytes than their id says: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "modality",
            column="modality",
            value_set=["image"],
            claim="All media are pictures.",
            reason="No tower reads another modality yet.",
            says="{count:,} of {total:,} media are not pictures: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "format",
            column="format",
            value_set=list(FORMATS),
            claim="Pictures are in a format that the decoder reads.",
            reason="The one decoder of training and serving refuses others.",
            says="{count:,} of {total:,} pictures are in an unknown format: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "header_agrees",
            column="header",
            value_set=["agrees"],
            claim="The bytes of a picture open, with the width and height that its row says.",
            reason="A picture that does not open kills training hours later.",
            says="{count:,} of {total:,} pictures do not open or are of another size than recorded: {examples}.",
        ),
        *(
            expect(
                gxe.ExpectColumnValuesToBeBetween,
                side,
                column=side,
                min_value=MIN_SIDE,
                claim=f"The {side} of every picture is at least {MIN_SIDE} pixels.",
                reason="The decoder refuses smaller pictures.",
                says=f"{{count:,}} of {{total:,}} pictures have a {side} under {MIN_SIDE} pixels: {{examples}}.",
            )
            for side in ("width", "height")
        ),
        expect(
            gxe.ExpectColumnValuesToBeBetween,
            "large_enough",
            column="short_side",
            min_value=params.min_image_side,
            severity="warn",
            claim=f"Both sides of every picture are at least {params.min_image_side} pixels.",
            reason="Thumbnails are blown up to the size of the image tower and teach it blur.",
            says=f"{{count:,}} of {{total:,}} pictures have a side under {params.min_image_side} pixels: {{examples}}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeBetween,
            "placeholder",
            column="shown_share",
            max_value=params.max_picture_share,
            severity="warn",
            claim="No picture stands for many different product groups.",
            reason='Such a picture is usually a placeholder ("no photo yet"), which the model would learn as a look.',
            says=f"{{count:,}} of {{total:,}} pictures each stand for over {params.max_picture_share:.1%} of all "
            "product groups: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "used",
            column="used",
            value_set=[True],
            severity="warn",
            claim="Every picture belongs to a product.",
            reason="Unused pictures are stored and pushed for nothing, and may hint at lost products.",
            says="{count:,} of {total:,} pictures belong to no product: {examples}.",
        ),
    ]
