"""Compiles the translations before the first test, as every start of the product does."""

import pytest

from config.catalogues import compile_all


def pytest_configure(config: pytest.Config) -> None:
    compile_all()
