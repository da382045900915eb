import pytest

from payments.alerts.watch import forget_looks


@pytest.fixture(autouse=True)
def _fresh_looks():
    """No rule was looked at before."""
    forget_looks()
