from datetime import UTC, datetime

import pytest

from payments.billing.models import Subscription
from payments.subscribing.account import SubscriptionDisplayState, display_state_of
from tests.support.mails import english_in
from tests.support.members import make_member
from tests.support.pages import text_of

LATER = datetime(2030, 5, 3, 12, tzinfo=UTC)
STATES = {
    SubscriptionDisplayState.ACTIVE: {},
    SubscriptionDisplayState.TRIAL: {"status": "trialing", "trial_end": LATER},
    SubscriptionDisplayState.ENDING: {"cancel_at": LATER},
    SubscriptionDisplayState.OVERDUE: {"status": "past_due"},
    SubscriptionDisplayState.PAUSED: {"status": "paused"},
    SubscriptionDisplayState.NO_ACCESS: {"money_back": "refunded"},
    SubscriptionDisplayState.NONE: {"status": "canceled", "ended_at": LATER},
}
SENTENCES = {
    SubscriptionDisplayState.ACTIVE: "Next payment: €4.00 on May 3, 2030.",
    SubscriptionDisplayState.TRIAL: "Your trial ends on May 3, 2030",
    SubscriptionDisplayState.ENDING: "It ends on May 3, 2030.",
    SubscriptionDisplayState.OVERDUE: "Update your card",
    SubscriptionDisplayState.PAUSED: "Please add a card.",
    SubscriptionDisplayState.NO_ACCESS: "Your payment for this period was refunded, so your access has ended.",
    SubscriptionDisplayState.NONE: "Your subscription ended on May 3, 2030.",
}


@pytest.fixture
def member(ada):
    def make(**fields):
        return make_member(user=ada, period_end=LATER, **fields)

    return make


class TestSubscriptionSection:
    @pytest.mark.parametrize("display_state", STATES)
    def test_says_how_it_stands(self, browser, member, display_state):
        member(**STATES[display_state])

        assert SENTENCES[display_state] in text_of(browser.get("/account/"))

    @pytest.mark.parametrize("display_state", STATES)
    def test_is_all_in_french(self, browser, ada, member, display_state):
        member(**STATES[display_state])
        browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"

        assert english_in(text_of(browser.get("/account/")).replace(" English ", " ")) == []

    def test_says_that_the_bank_took_the_money_back_and_that_it_goes_on(self, browser, member):
        member(money_back="dispute_lost")

        page = text_of(browser.get("/account/"))

        assert "Your bank has taken back the payment for this period" in page
        assert "it renews on May 3, 2030" in page
        assert "Cancel the subscription" in page

    @pytest.mark.parametrize(
        ("paid_until", "sentence"),
        [(LATER, "What you have paid for stays open until May 3, 2030."), (None, "You have no access until payments")],
    )
    def test_says_what_is_open_while_payments_are_paused(self, browser, member, paid_until, sentence):
        member(pause="void", paid_until=paid_until, resumes_at=LATER)

        page = text_of(browser.get("/account/"))

        assert "Payments are paused until May 3, 2030" in page
        assert sentence in page

    def test_shows_the_plans_to_who_has_none(self, browser):
        page = text_of(browser.get("/account/"))

        assert "You have not subscribed to anything." in page
        assert "See the plans" in page
        assert "Card and invoices" not in page

    def test_offers_no_change_while_it_ends(self, browser, member):
        member(cancel_at=LATER)

        page = text_of(browser.get("/account/"))

        assert "Change the plan" not in page
        assert "Cancel the subscription" not in page

    def test_tells_of_a_second_one(self, browser, member):
        member()
        member()

        assert "You have a second subscription" in text_of(browser.get("/account/"))


class TestDisplayStateOf:
    @pytest.mark.parametrize(
        ("display_state", "fields"), [each for each in STATES.items() if each[0] != SubscriptionDisplayState.NONE]
    )
    def test_is_one_word(self, display_state, fields):
        assert display_state_of(Subscription(**{"status": "active", **fields})) == display_state

    def test_is_none_without_one(self):
        assert display_state_of(None) == SubscriptionDisplayState.NONE

    def test_is_overdue_before_it_is_ending(self):
        assert display_state_of(Subscription(status="past_due", cancel_at=LATER)) == SubscriptionDisplayState.OVERDUE
