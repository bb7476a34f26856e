"""Names of content do not depend on order, and change with any value."""

from catalog.digests import digest_of, digest_of_sections
from catalog.splits import SplitParams


def test_the_order_of_keys_does_not_count_and_every_value_does() -> None:
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
    assert digest_of([1, 2]) != digest_of([2, 1])


def test_a_default_that_is_written_out_is_the_same_section() -> None:
    assert digest_of_sections([SplitParams()]) == digest_of_sections([SplitParams(seed=SplitParams().seed)])
    assert digest_of_sections([SplitParams()]) != digest_of_sections([SplitParams(seed=99)])
