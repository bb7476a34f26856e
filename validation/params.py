"""The section `validate` of params.yaml: what a snapshot must be to be trained on. Imports nothing heavy."""

from pydantic import Field

from catalog.params import Section


class ValidateParams(Section):
    """Limits of the suites. Shares are between 0 and 1; a limit itself is allowed."""

    min_products: int = Field(default=50, ge=1)
    min_groups: int = Field(default=20, ge=1)  # product groups: the unit of splitting
    min_categories: int = Field(default=2, ge=1)  # warns
    max_quarantined: float = Field(default=0.05, ge=0, le=1)  # share of source rows
    max_dropped_judgements: float = Field(default=0.2, ge=0, le=1)  # share of the shop's judgement rows
    max_missing_image: float = Field(default=0.6, ge=0, le=1)  # share of products
    max_duplicate_titles: float = Field(default=0.6, ge=0, le=1)  # share of products
    max_group_share: float = Field(default=0.2, ge=0, le=1)  # share of products in one product group
    max_picture_share: float = Field(default=0.05, ge=0, le=1)  # share of groups that show one picture; warns
    min_image_side: int = Field(default=64, ge=8)  # pixels; warns
