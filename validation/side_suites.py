"""Expectations about the side tables: terms, judgements, interactions. Each may be missing."""

import great_expectations.expectations as gxe

from catalog.actions import ACTIONS, ISO_TIME
from validation.expectations import CODE_OF_LANGUAGE, HAS_A_WORD, expect
from validation.params import ValidateParams
from validation.report import Severity

LARGEST_GRADE = 10


def _filled(column: str, words: str, pattern: str, reason: str) -> gxe.Expectation:
    """A text column without blanks; nulls are read as blanks."""
    return expect(
        gxe.ExpectColumnValuesToMatchRegex,
        f"{column}_present",
        column=column,
        regex=pattern,
        claim=f"Every row has {words}.",
        reason=reason,
        says=f"{{count:,}} of {{total:,}} rows have no {column}: {{examples}}.",
    )


def _language(table: str) -> gxe.Expectation:
    return expect(
        gxe.ExpectColumnValuesToMatchRegex,
        "language_code",
        column="language",
        regex=CODE_OF_LANGUAGE,
        claim="Languages are BCP 47 codes, such as en or zh-CN.",
        reason="Slices and phrases are chosen by language.",
        says=f"{{count:,}} of {{total:,}} {table} have a language that is not a code such as zh: {{examples}}.",
    )


def _known_product(table: str, reason: str, severity: Severity = "stop") -> gxe.Expectation:
    return expect(
        gxe.ExpectColumnValuesToBeInSet,
        "product_known",
        column="product_known",
        value_set=[True],
        severity=severity,
        claim=f"All {table} are about products of this snapshot.",
        reason=reason,
        says=f"{{count:,}} of {{total:,}} {table} are about a product that is not in the snapshot: {{examples}}.",
    )


def term_suite(_: ValidateParams) -> list[gxe.Expectation]:
    """Localised names of facet values."""
    return [
        _filled("field", "a field", r"\S", "A term names a value of one field."),
        _filled("value", "a value", r"\S", "A term is the name of a value."),
        _filled("term", "a term", HAS_A_WORD, "Terms become training queries and words of the lexical leg."),
        _filled("language", "a language", r"\S", "Phrases are built in one language at a time."),
        _language("terms"),
        expect(
            gxe.ExpectCompoundColumnsToBeUnique,
            "unique",
            column_list=["field", "value", "language", "term"],
            severity="warn",
            claim="No term is there twice.",
            reason="A repeated name is drawn twice as often when phrases are made.",
            says="{count:,} of {total:,} terms are there more than once: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "value_occurs",
            column="occurs",
            value_set=[True],
            severity="warn",
            claim="Terms name values that products have.",
            reason="A term for a value that never occurs is a typing error or a stale taxonomy.",
            says="{count:,} of {total:,} terms name a value that no product has: {examples}.",
        ),
    ]


def judgement_suite(_: ValidateParams) -> list[gxe.Expectation]:
    """The shop's own graded answers."""
    return [
        _filled("query", "a query", HAS_A_WORD, "A query without words asks for nothing."),
        _known_product("judgements", "A wanted product that cannot be found lowers every score for no fault."),
        expect(
            gxe.ExpectColumnValuesToNotBeNull,
            "grade_present",
            column="grade",
            claim="Every judgement has a grade.",
            reason="Metrics compute with it.",
            says="{count:,} of {total:,} judgements have no grade: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeBetween,
            "grade_range",
            column="grade",
            min_value=0,
            max_value=LARGEST_GRADE,
            claim=f"Grades lie between 0 and {LARGEST_GRADE}.",
            reason="nDCG weighs by grade: one huge grade drowns all others.",
            says=f"{{count:,}} of {{total:,}} judgements have a grade outside 0 to {LARGEST_GRADE}: {{examples}}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "one_grade",
            column="one_grade",
            value_set=[True],
            claim="A product has one grade for a query.",
            reason="With two grades, the score depends on which is read last.",
            says="{count:,} of {total:,} judgements contradict another about the same query and product: {examples}.",
        ),
        expect(
            gxe.ExpectCompoundColumnsToBeUnique,
            "unique",
            column_list=["query", "product_id"],
            severity="warn",
            claim="A product is judged once for a query.",
            reason="A repeated row changes no score, but hints at an export that was joined twice.",
            says="{count:,} of {total:,} judgements repeat another: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "query_answered",
            column="query_answered",
            value_set=[True],
            severity="warn",
            claim="Every judged query has a product with a grade above 0.",
            reason="A query without a good answer scores 0 whatever is found.",
            says="{count:,} of {total:,} judgements belong to queries without any good answer: {examples}.",
        ),
        _language("judgements"),
    ]


def interaction_suite(_: ValidateParams) -> list[gxe.Expectation]:
    """Actions of the shop's users."""
    return [
        _filled("user_id", "a user", r"\S", "Actions are grouped by user."),
        _known_product("interactions", "Ingest leaves others out; one here means tables of two snapshots."),
        expect(
            gxe.ExpectColumnValuesToBeInSet,
            "action_known",
            column="action",
            value_set=list(ACTIONS),
            claim=f"Actions are {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}.",
            reason="Any other word would be read as no interest.",
            says="{count:,} of {total:,} interactions have no action or an unknown one: {examples}.",
        ),
        expect(
            gxe.ExpectColumnValuesToMatchRegex,
            "at_time",
            column="at",
            regex=ISO_TIME,
            claim="Times are ISO 8601 with a time zone.",
            reason="Times without a zone cannot be put in order.",
            says="{count:,} of {total:,} interactions have no time, or one without a zone or not ISO 8601: {examples}.",
        ),
    ]
