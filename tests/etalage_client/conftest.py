"""No test here reads or writes the home of this checkout."""

from tests.bento.conftest import empty_home

__all__ = ["empty_home"]
