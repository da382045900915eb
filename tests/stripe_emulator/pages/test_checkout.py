"""The buyer's page, as a browser asks for it."""

import re

import pytest
from django.test import Client

from stripe_emulator import timers
from stripe_emulator.models import Event, StoredObject
from stripe_emulator.pages import checkout
from tests.support.checkout_sessions import CANCEL, line, monthly, setup_params, subscription_params

DAY = 24 * 3600
PAYS, DECLINED, ASKS, SETTLES = (
    "4242424242424242",
    "4000000000009995",
    "4000002500003155",
    "FR1420041010050500013M02606",
)
ADA = {"email": "ada@example.com", "name": "Ada Lovelace"}


@pytest.fixture(autouse=True)
def emulator(db, settings, monkeypatch):
    """The emulator's addresses, and a seller who is never waited for."""
    settings.ROOT_URLCONF = "stripe_emulator.urls"
    waited = []
    monkeypatch.setattr(checkout, "wait_for_acknowledgement", lambda *about, seconds: waited.append((*about, seconds)))
    return waited


@pytest.fixture
def browser():
    return Client(headers={"accept-language": "en"})


def session_of(id):
    return StoredObject.objects.get(stripe_id=id).data


def text_of(answer):
    return re.sub(r"[ \n]+", " ", answer.content.decode())


def paying(browser, id, method=PAYS, **more):
    return browser.post(f"/pay/{id}", {**ADA, "method": method, **more})


class TestPage:
    def test_says_what_is_bought_and_for_how_much(self, browser, opened):
        text = text_of(browser.get(f"/pay/{opened(customer_email='ada@example.com')}"))

        for told in ("Course", "2 × €15.00", "€30.00", "ada@example.com", "Pay €30.00", CANCEL, "TEST"):
            assert told in text

    @pytest.mark.parametrize(
        ("currency", "amount", "shown"),
        [("jpy", 3000, "¥3,000"), ("kwd", 3000, "KWD\u00a03.000"), ("usd", 300000, "$3,000.00")],
    )
    def test_writes_amounts_with_the_decimals_of_the_currency(self, browser, opened, currency, amount, shown):
        id = opened(line_items=[line(amount, quantity=1, currency=currency)])

        assert f"Pay {shown}" in text_of(browser.get(f"/pay/{id}"))

    def test_says_how_often_a_subscription_is_paid(self, browser, opened):
        quarterly = line(900, quantity=1, recurring={"interval": "month", "interval_count": 3})

        assert "every month" in text_of(browser.get(f"/pay/{opened(subscription_params())}"))
        id = opened(subscription_params(line_items=[quarterly]))
        assert "every 3 months" in text_of(browser.get(f"/pay/{id}"))

    def test_asks_only_for_what_the_session_needs(self, browser, opened):
        little = text_of(browser.get(f"/pay/{opened(customer_email='ada@example.com')}"))
        much = text_of(browser.get(f"/pay/{opened(billing_address_collection='required')}"))

        for field in ("email", "city", "postal_code", "country"):
            assert f'name="{field}"' not in little
            assert f'name="{field}"' in much

    def test_offers_debits_only_where_the_session_accepts_them(self, browser, opened):
        in_dollars = opened(line_items=[line(currency="usd")])

        assert SETTLES in text_of(browser.get(f"/pay/{opened()}"))
        assert SETTLES not in text_of(browser.get(f"/pay/{in_dollars}"))

    def test_speaks_the_language_that_the_seller_chose(self, browser, opened):
        french = browser.get(f"/pay/{opened(locale='fr')}")

        assert '<html lang="fr">' in text_of(french)
        assert "30,00\u00a0€" in text_of(french)

    def test_escapes_what_the_seller_wrote(self, browser, opened):
        text = text_of(browser.get(f"/pay/{opened(line_items=[line(name='<script>alert(1)</script>')])}"))

        assert "<script" not in text

    def test_needs_neither_scripts_nor_styles_of_its_own(self, browser, opened):
        text = text_of(browser.get(f"/pay/{opened()}"))

        assert not re.search(r"<script|<style| style=| on\w+=", text)

    def test_is_never_kept_by_browsers(self, browser, opened):
        assert "no-store" in browser.get(f"/pay/{opened()}")["Cache-Control"]

    def test_of_nothing_is_a_page_too(self, browser):
        answer = browser.get("/pay/cs_test_none")

        assert (answer.status_code, "There is no such page" in text_of(answer)) == (404, True)


class TestPaying:
    def test_sends_the_buyer_onward_once_the_seller_knows(self, browser, opened, emulator):
        id = opened()

        answer = paying(browser, id)

        assert (answer.status_code, answer["Location"]) == (303, f"https://seller.example/thanks?session={id}")
        assert emulator == [(id, "checkout.session.completed", 10)]
        assert session_of(id)["payment_status"] == "paid"

    def test_keeps_who_has_bought(self, browser, opened):
        id = opened(billing_address_collection="required")

        paying(browser, id, city="Lyon", postal_code="69001", country="FR")

        details = session_of(id)["customer_details"]
        assert (details["email"], details["name"]) == ("ada@example.com", "Ada Lovelace")
        assert (details["address"]["city"], details["address"]["country"]) == ("Lyon", "FR")

    def test_says_in_plain_words_why_it_did_not_work(self, browser, opened):
        id = opened()

        answer = paying(browser, id, DECLINED)

        assert answer.status_code == 402
        assert "There is not enough money in the account. Use another card." in text_of(answer)
        assert 'href="#id_method"' in text_of(answer)
        assert 'value="Ada Lovelace"' in text_of(answer)
        assert session_of(id)["status"] == "open"

    def test_takes_any_other_test_number(self, browser, opened):
        id = opened()

        answer = paying(browser, id, "other", number="5555 5555 5555 4444")

        assert answer.status_code == 303
        assert StoredObject.objects.get(kind="payment_method").data["card"]["brand"] == "mastercard"

    @pytest.mark.parametrize(
        ("wrong", "field", "reason"),
        [
            ({"name": ""}, "name", "Enter your name."),
            ({"email": "ada"}, "email", "Enter an email address like"),
            ({"method": ""}, "method", "Choose a test card."),
            ({"method": "1234"}, "method", "Choose a test card."),
            ({"method": "other"}, "number", "Enter the number of a test card."),
            ({"method": "other", "number": "4111111111111111"}, "number", "This is not the number of a test card."),
            ({"method": "other", "number": "FR00"}, "number", "This is not the number of a test card."),
        ],
    )
    def test_points_at_what_is_wrong_and_charges_nothing(self, browser, opened, wrong, field, reason):
        id = opened()

        answer = browser.post(f"/pay/{id}", {**ADA, "method": PAYS, **wrong})

        assert answer.status_code == 422
        assert "There is a problem" in text_of(answer)
        assert f'<a href="#id_{field}">{reason}' in text_of(answer)
        assert not StoredObject.objects.filter(kind="payment_intent").exists()

    def test_takes_no_debit_where_cards_only_are_accepted(self, browser, opened):
        id = opened(line_items=[line(currency="usd")])

        answer = paying(browser, id, "other", number=SETTLES)

        assert "The seller does not accept this way to pay." in text_of(answer)

    def test_twice_charges_once(self, browser, opened):
        id = opened()

        first, second = paying(browser, id), paying(browser, id)

        assert (first["Location"], second.status_code) == (second["Location"], 303)
        assert StoredObject.objects.filter(kind="charge").count() == 1

    def test_by_debit_goes_onward_before_the_money_is_there(self, browser, opened):
        id = opened()

        answer = paying(browser, id, SETTLES)

        assert answer.status_code == 303
        assert (session_of(id)["status"], session_of(id)["payment_status"]) == ("complete", "unpaid")
        assert "Payment under way" in text_of(browser.get(f"/pay/{id}"))

    def test_nothing_asks_for_no_card(self, browser, opened):
        id = opened(line_items=[line(0)])

        page, answer = browser.get(f"/pay/{id}"), browser.post(f"/pay/{id}", ADA)

        assert 'name="method"' not in text_of(page)
        assert answer.status_code == 303
        assert session_of(id)["customer_details"]["name"] == "Ada Lovelace"

    @pytest.mark.parametrize("params", [subscription_params(line_items=[monthly()]), setup_params()])
    def test_subscribes_and_saves_cards_too(self, browser, opened, params):
        id = opened(params)

        assert paying(browser, id).status_code == 303
        assert session_of(id)["status"] == "complete"

    def test_is_refused_to_forms_of_other_sites(self, opened):
        strict = Client(enforce_csrf_checks=True)
        id = opened()

        assert paying(strict, id).status_code == 403
        assert session_of(id)["status"] == "open"


class TestAnsweringTheBank:
    @pytest.fixture
    def asked(self, browser, opened):
        id = opened()
        answer = paying(browser, id, ASKS)
        assert (answer.status_code, answer["Location"]) == (303, f"/pay/{id}/authentication")
        return id

    def test_with_yes_sends_the_buyer_onward(self, browser, asked):
        answer = browser.post(f"/pay/{asked}/authentication", {"answer": "complete"})

        assert answer["Location"].startswith("https://seller.example/thanks")
        assert session_of(asked)["payment_status"] == "paid"

    def test_with_no_goes_back_to_the_payment(self, browser, asked):
        answer = browser.post(f"/pay/{asked}/authentication", {"answer": "fail"})

        assert answer.status_code == 402
        assert "The bank could not make sure that it is you." in text_of(answer)
        assert f'action="/pay/{asked}"' in text_of(answer)

    def test_can_be_abandoned_for_another_card(self, browser, asked):
        page = text_of(browser.get(f"/pay/{asked}/authentication"))

        assert f'href="/pay/{asked}"' in page
        assert paying(browser, asked).status_code == 303
        assert session_of(asked)["payment_status"] == "paid"

    def test_too_late_changes_nothing(self, browser, stripe_api, asked):
        stripe_api.checkout.sessions.expire(asked)

        answer = browser.post(f"/pay/{asked}/authentication", {"answer": "complete"})

        assert (answer.status_code, answer["Location"]) == (303, f"/pay/{asked}")
        assert session_of(asked)["status"] == "expired"

    def test_is_no_page_where_nothing_is_asked(self, browser, opened):
        id = opened()

        assert browser.get(f"/pay/{id}/authentication")["Location"] == f"/pay/{id}"


class TestWhatIsOver:
    def test_says_that_it_has_expired(self, browser, opened):
        id = opened()
        timers.advance(DAY)

        page = browser.get(f"/pay/{id}")

        assert (page.status_code, "This page has expired" in text_of(page)) == (410, True)
        assert CANCEL in text_of(page)

    def test_can_not_be_paid_any_more(self, browser, opened):
        id = opened()
        timers.advance(DAY)

        answer = paying(browser, id)

        assert (answer.status_code, answer["Location"]) == (303, f"/pay/{id}")
        assert not Event.objects.filter(type="payment_intent.created").exists()

    def test_says_that_it_is_paid_and_leads_onward(self, browser, opened):
        id = opened()
        paying(browser, id)

        text = text_of(browser.get(f"/pay/{id}"))

        assert "This is paid." in text
        assert f"https://seller.example/thanks?session={id}" in text
