"""Expectations about products.parquet: ids, groups, something to find each product by, prices, times."""

import great_expectations.expectations as gxe
from great_expectations.expectations.row_conditions import Column

from catalog.actions import ISO_TIME
from validation.expectations import (
    CODE_OF_CURRENCY,
    CODE_OF_LANGUAGE,
    HAS_A_WORD,
    ExpectColumnLargestShareToBeBetween,
    expect,
)
from validation.params import ValidateParams

LARGEST_PRICE = 1e12  # also catches infinity


def product_suite(params: ValidateParams) -> list[gxe.Expectation]:
    """Rows first, then shares and counts over all of them."""
    return [*_identity(), *_findable(), *_facts_of_sale(), *_shares(params), *_counts(params)]


def _identity() -> list[gxe.Expectation]:
    return [
        expect(
            gxe.ExpectColumnValuesToMatchRegex,
            "id_present",
            column="id",
            regex=r"\S",
            claim="Every product has an id.",
            reason="Hits, judgements and releases name a product by its id.",
            says="{count:,} of {total:,} products have no id: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeUnique,
            "id_unique",
            column="id",
            claim="No two products have the same id.",
            reason="The later of two would overwrite the earlier in the collection.",
            says="{count:,} of {total:,} products share their id with another: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToMatchRegex,
            "group_present",
            column="group_id",
            regex=r"\S",
            claim="Every product belongs to a product group.",
            reason="Splits are made by group: without one, a variant leaks from training into the test split.",
            says="{count:,} of {total:,} products have no group id: {examples}.",
        ),
    ]


def _findable() -> list[gxe.Expectation]:
    return [
        expect(
            gxe.ExpectColumnValuesToMatchRegex,
            "title_or_picture",
            column="title",
            regex=r"\S",
            row_condition=Column("pictures") == 0,
            claim="Every product has a title or a picture.",
            reason="With neither, nothing can find it and nothing can be learned from it.",
            says="{count:,} of the {total:,} products without a picture have no title either: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToMatchRegex,
            "title_has_a_word",
            column="title",
            regex=HAS_A_WORD,
            row_condition=Column("title") != "",
            severity="warn",
            claim="Every title has a letter or a digit in it.",
            reason="A title of signs alone is usually a placeholder, and it becomes a training query.",
            says="{count:,} of {total:,} titles have no letter and no digit: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "pictures_exist",
            column="pictures_known",
            value_set=[True],
            claim="Every picture that a product names is in data/media.",
            reason="Training, embedding and the report read these pictures and would die of a missing one.",
            says="{count:,} of {total:,} products name a picture that data/media does not hold: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToMatchRegex,
            "language_code",
            column="language",
            regex=CODE_OF_LANGUAGE,
            claim="Languages are BCP 47 codes, such as en or zh-CN.",
            reason="Slices and training phrases are chosen by language.",
            says="{count:,} of {total:,} products have a language that is not a code such as en: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "attributes_filled",
            column="attributes_filled",
            value_set=[True],
            severity="warn",
            claim="No attribute has a blank name or value.",
            reason="A blank value becomes a filter that means nothing.",
            says="{count:,} of {total:,} products have an attribute without a name or value: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "attributes_reachable",
            column="attributes_reachable",
            value_set=[True],
            severity="warn",
            claim="No attribute is called like a field of the product, such as price or category.",
            reason="A filter by that name reads the field, so the attribute can never be asked for.",
            says="{count:,} of {total:,} products have an attribute called like a product field: {examples}.",
        ),
    ]


def _facts_of_sale() -> list[gxe.Expectation]:
    return [
        expect(
            gxe.ExpectColumnValuesToBeBetween,
            "price_range",
            column="price",
            min_value=0,
            max_value=LARGEST_PRICE,
            claim="Prices are zero or more, and finite.",
            reason="A negative or endless price means a wrong column or a refund; price filters would lie.",
            says="{count:,} of {total:,} products have a price below zero or not finite: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToMatchRegex,
            "currency_code",
            column="currency",
            regex=CODE_OF_CURRENCY,
            claim="Currencies are ISO 4217 codes, such as EUR.",
            reason="Shops print the code beside the price.",
            says="{count:,} of {total:,} products have a currency that is not a code such as EUR: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToNotBeNull,
            "price_has_currency",
            column="currency",
            row_condition=Column("price").is_not_null(),
            claim="Every price has a currency.",
            reason="A price without its unit cannot be shown or compared.",
            says="{count:,} of {total:,} prices have no currency: {examples}.",
        ),
        expect(
            gxe.ExpectColumnUniqueValueCountToBeBetween,
            "one_currency",
            column="currency",
            max_value=1,
            severity="warn",
            claim="All prices are in one currency.",
            reason="A price filter compares bare numbers.",
            says="Prices come in {observed:.0f} currencies; a price filter compares bare numbers.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeBetween,
            "stock_range",
            column="stock",
            min_value=0,
            severity="warn",
            claim="Stock is zero or more.",
            reason="The filter for what is in stock asks for more than zero.",
            says="{count:,} of {total:,} products have a stock below zero: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeBetween,
            "rating_range",
            column="rating",
            min_value=0,
            max_value=100,
            severity="warn",
            claim="Ratings lie between 0 and 100.",
            reason="No scale of stars or points goes beyond; another column was mapped.",
            says="{count:,} of {total:,} products have a rating outside 0 to 100: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToMatchRegex,
            "updated_at_time",
            column="updated_at",
            regex=ISO_TIME,
            severity="warn",
            claim="Times of change are ISO 8601 with a time zone.",
            reason="Times without a zone cannot be put in order.",
            says="{count:,} of {total:,} products have a time of change without a zone or not ISO 8601: {examples}.",
        ),
    ]


def _shares(params: ValidateParams) -> list[gxe.Expectation]:
    return [
        expect(
            gxe.ExpectColumnMeanToBeBetween,
            "without_image_share",
            column="without_image",
            max_value=params.max_missing_image,
            claim="Enough products have a picture.",
            reason="The image tower learns from products that have one.",
            says="{observed:.1%} of the {rows:,} products have no picture; at most {high:.1%} may have none.",
        ),
        expect(
            gxe.ExpectColumnMeanToBeBetween,
            "duplicate_title_share",
            column="repeats_title",
            max_value=params.max_duplicate_titles,
            claim="Titles tell products apart.",
            reason="A title that many products share is no training query and no known-item query.",
            says="{observed:.1%} of the {rows:,} products repeat the title of an earlier product; "
            "at most {high:.1%} may.",
        ),
        expect(
            ExpectColumnLargestShareToBeBetween,
            "largest_group_share",
            column="group_id",
            max_value=params.max_group_share,
            claim="No product group holds a large part of the catalogue.",
            reason="Products of one group are never each other's negatives, and a split cannot cut through a group.",
            says="The largest product group holds {observed:.1%} of the {rows:,} products; at most {high:.1%} may.",
        ),
    ]


def _counts(params: ValidateParams) -> list[gxe.Expectation]:
    return [
        expect(
            gxe.ExpectTableRowCountToBeBetween,
            "enough_products",
            min_value=params.min_products,
            claim="There are enough products to learn from.",
            reason="A truncated export is the most common broken snapshot.",
            says="There are {observed:,} products; at least {low:,.0f} are needed.",
        ),
        expect(
            gxe.ExpectColumnUniqueValueCountToBeBetween,
            "enough_groups",
            column="group_id",
            min_value=params.min_groups,
            claim="There are enough product groups to hold some out.",
            reason="Training, validation and test splits are made of whole groups.",
            says="The {rows:,} products form {observed:,} product groups; at least {low:,.0f} are needed.",
        ),
        expect(
            gxe.ExpectColumnUniqueValueCountToBeBetween,
            "enough_categories",
            column="category",
            min_value=params.min_categories,
            severity="warn",
            claim="Products lie in different categories.",
            reason="Slices of the evaluation and attribute queries are made of categories.",
            says="The {rows:,} products lie in {observed:,} categories; at least {low:,.0f} are expected.",
        ),
    ]
