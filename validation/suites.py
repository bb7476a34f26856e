"""All suites: one Great Expectations suite for each table of a snapshot."""

from collections.abc import Callable, Mapping

import great_expectations as gx
import great_expectations.expectations as gxe

from validation.media_suite import media_suite
from validation.params import ValidateParams
from validation.product_suite import product_suite
from validation.side_suites import interaction_suite, judgement_suite, term_suite
from validation.snapshot_suite import snapshot_suite

Expectations = Callable[[ValidateParams], list[gxe.Expectation]]
Suites = Mapping[str, Expectations]


def suite_of(table: str, expectations: Expectations, params: ValidateParams) -> gx.ExpectationSuite:
    """A suite named after its table, with the limits of `params`."""
    return gx.ExpectationSuite(name=table, expectations=expectations(params))


# A table of validation.frames -> its expectations. A new table is a frame, a function and a line here.
SUITES: Suites = {
    "snapshot": snapshot_suite,
    "products": product_suite,
    "media": media_suite,
    "terms": term_suite,
    "judgements": judgement_suite,
    "interactions": interaction_suite,
}
