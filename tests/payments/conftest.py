"""These tests read French: the catalogue must be compiled before the first of them."""

from tests.support.catalogues import pytest_configure

__all__ = ["pytest_configure"]
