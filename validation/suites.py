"""All suites: one Great Expectations suite for each table of a snapshot."""

from collections.abc import Callable, Mapping

import great_expectations as gx
import great_expectations.expectations as gxe

from validation.media_suite import media_suite
from validation.params import ValidateParams
from validation.product_suite import product_suite
from validation.side_suites import interaction_suite, judgement_suite, term_suite
from validation.snapshot_suite import snapshot_suite


def suite_of(table: str, params: ValidateParams) -> gx.ExpectationSuite:
    """The suite of one table of SUITES, with the limits of `params`."""
    return gx.ExpectationSuite(name=table, expectations=SUITES[table](params))


SUITES: Mapping[str, Callable[[ValidateParams], list[gxe.Expectation]]] = {
    "snapshot": snapshot_suite,
    "products": product_suite,
    "media": media_suite,
    "terms": term_suite,
    "judgements": judgement_suite,
    "interactions": interaction_suite,
}
