"""What the tests of the console share."""

import pytest

from tests.support.console import Console

URLS = {"success_url": "http://127.0.0.1:8000/thanks"}
POTTERY = {"currency": "eur", "unit_amount": 4900, "product_data": {"name": "Pottery"}}


@pytest.fixture
def console(db):
    return Console()


@pytest.fixture
def session(stripe_api):
    """Open, €49.00."""
    return stripe_api.checkout.sessions.create(
        {"mode": "payment", "line_items": [{"price_data": POTTERY, "quantity": 1}], **URLS}
    )
