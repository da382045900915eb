from uuid import uuid4

import pytest

from payments.billing.models import Receipt
from payments.orders.models import Order
from tests.support.modules import give_back, make_buyer, make_learner, make_module, make_purchase
from tests.support.pages import text_of


def address() -> str:
    return f"/encours/{Order.objects.get().public_id}/receipt/"


class TestReceipt:
    @pytest.fixture(autouse=True)
    def _seller(self, settings):
        settings.SELLER_NAME, settings.SELLER_ADDRESS = "Maison des arts", "12 rue des Tanneurs | 69001 Lyon"
        settings.SELLER_VAT_NOTE = "VAT not applicable"

    def test_says_who_has_paid_whom_how_much_for_what(self, browser, ada):
        make_buyer(ada, make_module(access_days=30))

        response = browser.get(address())

        number = Receipt.objects.get()
        for words in (
            f"Receipt {number}", "Maison des arts 12 rue des Tanneurs 69001 Lyon", "Paid by Ada ada@example.com",
            "Paid on March 2, 2026", Order.objects.get().number, "Drawing Access for 30 days €49.00",
            "Total paid €49.00", "VAT not applicable", "no real money moved",
        ):  # fmt: skip
            assert words in text_of(response)
        assert "no-store" in response["Cache-Control"]

    def test_has_one_number_however_often_it_is_asked_for(self, browser, ada, module):
        make_buyer(ada, module)

        assert text_of(browser.get(address())) == text_of(browser.get(address()))
        assert Receipt.objects.count() == 1

    def test_tells_what_was_given_back(self, browser, ada, module):
        give_back(make_buyer(ada, module).order)

        assert "Given back since −€49.00" in text_of(browser.get(address()))

    def test_is_there_for_nothing_that_was_not_paid(self, browser, ada, module):
        make_purchase(ada, module)

        assert browser.get(address()).status_code == 404
        assert not Receipt.objects.exists()

    def test_belongs_to_who_has_paid(self, browser, module):
        make_buyer(make_learner("eve@example.com"), module)

        assert browser.get(address()).status_code == 404
        assert browser.get(f"/encours/{uuid4()}/receipt/").status_code == 404
        browser.logout()
        assert browser.get(address())["Location"].startswith("/account/sign-in/")
