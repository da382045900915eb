from datetime import datetime, timedelta

import pytest

from payments.billing.models import Payment, Receipt
from payments.checkout.open_checkout import open_checkout
from payments.cleanup.closing import overdue
from payments.orders.models import Order
from payments.pages.checkout_return import REFRESH_DELAYS
from payments.statuses import OrderStatus
from registrations.links import page_path
from registrations.models import Activity, Registration
from tests.support.fake_gateway import refused, unavailable
from tests.support.pages import text_of
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db

COMPLETED = "checkout.session.completed"


def read(visitor, row, **query) -> str:
    return text_of(visitor.get(page_path(row), query))


@pytest.fixture
def paying(gateway, registration) -> Registration:
    """Has an open session, cs_test_1."""
    open_checkout(order_id=registration.order_id, at=NOON)
    registration.refresh_from_db()
    return registration


class TestMoneyThatDoesNotFit:
    def test_is_told_in_its_own_currency(self, visitor, registration):
        dollars = {"payment_intent": "pi_usd", "charge": "ch_usd", "session": "", "currency": "usd"}
        hear(event_of(registration, "payment_intent.succeeded", subject=dollars, amount=3000))

        page = read(visitor, registration)

        assert "We have received $30.00, and €49.00 was asked for" in page
        assert "please do not pay again" in page

    @pytest.mark.parametrize(
        "event", [None, "payment_intent.payment_failed", "checkout.session.expired", "payment_intent.canceled"]
    )
    def test_is_contradicted_neither_by_words_nor_by_a_button(self, visitor, registration, event):
        hear(event_of(registration, "payment_intent.succeeded", amount=3000))
        if event:
            hear(event_of(registration, event, subject={"payment_intent": "pi_2", "charge": "ch_2"}))

        page = read(visitor, registration)
        answer = visitor.post(f"/api{page_path(registration)}checkout/", content_type="application/json")

        assert "We have received €30.00" in page
        assert [words for words in ("Nothing", "Go on and pay", "Try again") if words in page] == []
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_payable")

    def test_is_not_told_when_it_has_gone_back(self, visitor, registration):
        hear(event_of(registration, "payment_intent.succeeded", amount=3000))
        hear(event_of(registration, "refund.created", amount=3000))

        assert "was asked for" not in read(visitor, registration)


class TestInquiry:
    def test_changes_nothing_for_the_buyer(self, visitor, registration):
        hear(event_of(registration, COMPLETED))
        before = read(visitor, registration)

        hear(event_of(registration, "charge.dispute.created", status="warning_needs_response"))

        assert read(visitor, registration) == before


class TestRegistrationPage:
    @pytest.mark.parametrize(
        ("event", "words"),
        [
            (None, ["waits for your payment", "Until 1:26 p.m. we hold your place", "Go on and pay €49.00"]),
            (COMPLETED, ["Your place is confirmed", "Receipt for your payment"]),
            ("checkout.session.expired", ["has expired", "Nothing was charged", "Register again"]),
            ("payment_intent.canceled", ["is canceled", "Nothing was charged", "Register again"]),
            ("payment_intent.payment_failed", ["did not go through", "Nothing was charged", "Try again: pay €49.00"]),
            ("payment_intent.requires_action", ["Your bank asks you to confirm", "Go on and pay"]),
        ],
    )
    def test_says_where_the_registration_stands(self, visitor, registration, event, words):
        if event:
            hear(event_of(registration, event))

        page = read(visitor, registration)

        assert [each for each in words if each not in page] == []
        assert registration.order.number in page

    def test_tells_why_a_card_was_declined(self, visitor, registration):
        hear(event_of(registration, "payment_intent.payment_failed"))
        Order.objects.update(failure_code="insufficient_funds")

        assert "There is not enough money in the account" in read(visitor, registration)

    def test_says_that_a_delayed_payment_is_under_way(self, visitor, paying):
        hear(event_of(paying, COMPLETED, status="unpaid", subject={"session": "cs_test_1"}))

        page = read(visitor, paying)

        assert "Your payment is under way" in page
        assert "Go on and pay" not in page

    def test_says_what_went_back(self, visitor, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.refunded"))

        assert "We have refunded €49.00" in read(visitor, registration)

    def test_says_that_paid_money_without_a_place_is_safe(self, visitor, make_activity, make_registration):
        tiny = make_activity(slug="tiny", capacity=1)
        late = make_registration("Late Payer", of=tiny)
        hear(event_of(late, "checkout.session.expired"))
        make_registration("Alex Smith", of=tiny)
        hear(event_of(late, COMPLETED))

        assert "Your money is safe with us" in read(visitor, late)

    def test_says_that_a_place_was_given_up_and_how_to_come_after_all(self, visitor, given_up):
        page = read(visitor, given_up)

        for words in (
            "canceled Your place has been released",
            "It has been given back, and nothing is left to be done.",
            "Register again",
        ):
            assert words in page
        assert "Receipt" not in page
        assert "Take the place" not in page

    def test_leads_nobody_who_gave_up_to_what_is_called_off(self, visitor, given_up):
        Activity.objects.update(called_off_at=NOON)

        page = read(visitor, given_up)

        assert "Your place has been released" in page
        assert "Register again" not in page

    def test_says_that_a_lost_dispute_has_ended_it(self, visitor, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.dispute.closed", status="lost"))

        assert "Your bank has taken the payment back" in read(visitor, registration)

    def test_stays_confirmed_while_a_dispute_is_open(self, visitor, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.dispute.created"))

        assert "Your place is confirmed" in read(visitor, registration)

    @pytest.mark.parametrize(
        ("event", "words"), [(None, "Nothing was charged"), (COMPLETED, "What you paid is refunded")]
    )
    def test_says_that_the_activity_is_called_off(self, visitor, registration, event, words):
        if event:
            hear(event_of(registration, event))
        Activity.objects.update(called_off_at=NOON, called_off_reason="The kiln is broken.")

        page = read(visitor, registration)

        assert "called off" in page
        assert "The kiln is broken." in page
        assert words in page
        assert "Go on and pay" not in page

    def test_takes_no_payment_for_what_has_begun(self, visitor, registration):
        Activity.objects.update(starts_at=NOON)

        page = read(visitor, registration)

        assert "It is too late to pay" in page
        assert "Go on and pay" not in page

    @pytest.mark.parametrize("spoil", [lambda token: token + "x", lambda token: token.upper(), lambda token: "x"])
    def test_is_nobodys_without_the_right_token(self, visitor, registration, spoil):
        path = page_path(registration)
        token = path.split("/")[2]

        for address in (path, f"{path}receipt/"):
            assert visitor.get(address.replace(token, spoil(token))).status_code == 404
        assert visitor.post(f"{path}pay".replace(token, spoil(token))).status_code == 404

    def test_is_kept_by_nobody_on_the_way(self, visitor, registration):
        response = visitor.get(page_path(registration))

        assert "no-store" in response["Cache-Control"]
        assert 'content="noindex"' in response.content.decode()
        assert response["Referrer-Policy"] == "same-origin"


class TestFailedDebit:
    @pytest.fixture
    def failed(self, paying, time_machine) -> Registration:
        """Three days after it was begun, the bank has refused the debit."""
        when = NOON + timedelta(days=3)
        told = {"session": "cs_test_1"}
        hear(event_of(paying, COMPLETED, status="unpaid", subject=told))
        hear(
            event_of(paying, "payment_intent.payment_failed", at=when, decline_code="debit_not_authorized"),
            event_of(paying, "checkout.session.async_payment_failed", at=when, subject=told),
            at=when,
        )
        time_machine.move_to(when + timedelta(minutes=1), tick=False)
        paying.refresh_from_db()
        return paying

    def test_is_said_at_once_to_who_comes_back_to_the_sessions_address(self, visitor, failed):
        response = visitor.get(page_path(failed), {"session_id": "cs_test_1"})

        assert "Your payment did not go through" in text_of(response)
        assert "Your bank did not allow the direct debit" in text_of(response)
        assert "Refresh" not in response

    def test_leaves_a_day_and_everybody_reads_the_same_date(self, visitor, failed, admin_client):
        until = NOON + timedelta(days=4)
        overdue_before = list(overdue(at=until - timedelta(minutes=1)))
        overdue_then = list(overdue(at=until))

        assert failed.held_until == until
        assert "Until March 6, 2026 at 1 p.m. we hold your place for you" in read(visitor, failed)
        api = visitor.get(f"/api{page_path(failed)}").json()
        assert datetime.fromisoformat(api["place_held_until"]) == until
        assert "March 6, 2026, 1 p.m." in text_of(
            admin_client.get("/admin/registrations/registration/", HTTP_ACCEPT_LANGUAGE="en")
        )
        assert (overdue_before, overdue_then) == ([], [failed.order])

    def test_leaves_the_sessions_own_time_while_that_is_open(self, visitor, paying):
        hear(event_of(paying, "payment_intent.payment_failed", at=NOON + timedelta(minutes=5)))

        paying.refresh_from_db()
        assert paying.held_until == NOON + timedelta(minutes=31)

    @pytest.mark.parametrize("status", ["unpaid", "paid"])
    def test_holds_without_a_date_what_is_under_way_or_paid(self, paying, status):
        hear(event_of(paying, COMPLETED, status=status, subject={"session": "cs_test_1"}))

        paying.refresh_from_db()
        assert (paying.holds_place, paying.held_until) == (True, None)


class TestFreePlaceThatIsOver:
    @pytest.mark.parametrize(
        ("event", "words"),
        [
            ("checkout.session.expired", "The place was not confirmed in time, so it has been released."),
            (None, "It is too late to take the place The activity has begun."),
        ],
    )
    def test_speaks_of_no_money(self, visitor, make_activity, make_registration, event, words):
        row = make_registration(of=make_activity(slug="open-day", price=0))
        if event:
            hear(event_of(row, event))
        else:
            Activity.objects.update(starts_at=NOON)

        page = read(visitor, row)

        assert words in page
        assert [word for word in ("pay", "charged") if word in page] == []


class TestFreePlaceThatIsOffered:
    def test_waits_for_no_payment(self, visitor, make_activity, make_registration):
        row = make_registration(of=make_activity(slug="open-day", price=0))

        page = read(visitor, row)

        assert "A place is free for you" in page
        assert "payment" not in page


class TestComingBackFromThePayment:
    def test_looks_again_by_itself_until_stripe_has_told(self, visitor, paying):
        waiting = visitor.get(page_path(paying), {"session_id": "cs_test_1"})
        hear(event_of(paying, COMPLETED, subject={"session": "cs_test_1"}))
        told = visitor.get(page_path(paying), {"session_id": "cs_test_1", "looks": "1"})

        assert "Payment received, being confirmed" in text_of(waiting)
        assert waiting["Refresh"] == f"3; url={page_path(paying)}?session_id=cs_test_1&looks=1"
        assert "Your place is confirmed" in text_of(told)
        assert "Refresh" not in told

    def test_is_not_taken_for_an_earlier_decline_in_the_same_session(self, visitor, paying):
        hear(event_of(paying, "payment_intent.payment_failed"))

        assert "being confirmed" in read(visitor, paying, session_id="cs_test_1")

    def test_ends_with_whom_to_write_to(self, visitor, paying):
        response = visitor.get(page_path(paying), {"session_id": "cs_test_1", "looks": len(REFRESH_DELAYS)})

        assert "do not pay again" in text_of(response)
        assert paying.order.number in text_of(response)
        assert "Refresh" not in response

    @pytest.mark.parametrize("session", ["cs_test_2", "", "x" * 5000, "cs_test_1'--", "é"])
    def test_means_nothing_with_a_session_that_is_not_this_registrations(self, visitor, paying, session):
        response = visitor.get(page_path(paying), {"session_id": session})

        assert "waits for your payment" in text_of(response)
        assert "Refresh" not in response

    def test_means_nothing_with_somebody_elses_session(self, visitor, paying, make_registration):
        other = make_registration("Alex Smith")

        assert "waits for your payment" in read(visitor, other, session_id="cs_test_1")

    @pytest.mark.parametrize("looks", ["-1", "x", "²", "9" * 40])
    def test_begins_to_count_anew_with_an_odd_number(self, visitor, paying, looks):
        response = visitor.get(page_path(paying), {"session_id": "cs_test_1", "looks": looks})

        assert response["Refresh"].endswith("looks=1")


class TestPay:
    def pay(self, visitor, row):
        return visitor.post(f"{page_path(row)}pay")

    def test_leads_to_the_same_session_while_it_is_open(self, visitor, gateway, paying):
        response = self.pay(visitor, paying)

        assert (response.status_code, response["Location"]) == (303, "https://pay.example/cs_test_1")
        assert len(gateway.sessions) == 1

    def test_leads_to_a_new_one_when_it_has_expired(self, visitor, gateway, paying):
        gateway.expire_checkout_session(session="cs_test_1")

        assert self.pay(visitor, paying)["Location"] == "https://pay.example/cs_test_2"

    @pytest.mark.parametrize("event", [COMPLETED, "checkout.session.expired"])
    def test_opens_nothing_where_there_is_nothing_to_pay(self, visitor, gateway, paying, event):
        hear(event_of(paying, event, subject={"session": "cs_test_1"}))

        assert self.pay(visitor, paying)["Location"] == page_path(paying)
        assert len(gateway.sessions) == 1

    def test_waits_for_the_news_of_a_payment_that_was_made_a_moment_ago(self, visitor, gateway, paying):
        gateway.sessions["cs_test_1"] |= {"status": "complete", "payment_status": "paid"}

        assert self.pay(visitor, paying)["Location"] == f"{page_path(paying)}?session_id=cs_test_1"

    def test_takes_a_place_that_costs_nothing(self, visitor, make_activity, make_registration):
        offered = make_registration(of=make_activity(slug="open-day", price=0))

        response = visitor.post(f"{page_path(offered)}pay", follow=True)

        assert "Your place is confirmed" in text_of(response)

    @pytest.mark.parametrize(
        ("trouble", "words", "status"),
        [
            (refused(), "your place is free again", OrderStatus.CANCELED),
            (unavailable(), "Please try once more", OrderStatus.PENDING),
        ],
    )
    def test_says_so_when_stripe_does_not_answer(self, visitor, gateway, registration, trouble, words, status):
        gateway.will(trouble)

        response = self.pay(visitor, registration)

        assert response.status_code == 503
        assert "Nothing was charged" in text_of(response)
        assert words in text_of(response)
        assert Order.objects.get().status == status

    def test_does_not_bring_back_a_place_that_was_given_up(self, visitor, given_up):
        response = self.pay(visitor, given_up)

        given_up.refresh_from_db()
        assert (response["Location"], given_up.holds_place) == (page_path(given_up), False)

    def test_needs_a_click(self, visitor, registration):
        assert visitor.get(f"{page_path(registration)}pay")["Location"] == page_path(registration)


class TestReceipt:
    def receipt(self, visitor, row):
        return visitor.get(f"{page_path(row)}receipt/")

    def test_names_number_seller_buyer_and_amount(self, visitor, registration, settings):
        settings.SELLER_NAME = "Maison des arts"
        settings.SELLER_ADDRESS = "1 rue du Four | 69001 Lyon"
        settings.SELLER_VAT_NOTE = "TVA non applicable, art. 293 B du CGI"
        hear(event_of(registration, COMPLETED))

        page = text_of(self.receipt(visitor, registration))

        for words in (
            "Receipt R-000001", "Maison des arts", "1 rue du Four", "69001 Lyon", "293 B", "Camille Martin",
            "camille.martin@example.com", "Pottery", "€49.00", registration.order.number, "March 2, 2026",
        ):  # fmt: skip
            assert words in page

    def test_has_the_same_number_whenever_it_is_looked_at(self, visitor, registration, time_machine):
        hear(event_of(registration, COMPLETED))
        first = text_of(self.receipt(visitor, registration))

        time_machine.move_to(NOON + timedelta(days=40))

        assert text_of(self.receipt(visitor, registration)) == first
        assert Receipt.objects.count() == 1

    def test_says_what_went_back_since(self, visitor, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.refunded"))

        assert "Given back since −€49.00" in text_of(self.receipt(visitor, registration))

    @pytest.mark.parametrize("event", [None, "payment_intent.payment_failed", "checkout.session.expired"])
    def test_is_not_there_before_the_money_is(self, visitor, registration, event):
        if event:
            hear(event_of(registration, event))

        assert self.receipt(visitor, registration).status_code == 404
        assert not Receipt.objects.exists()

    def test_is_not_there_for_what_was_free(self, visitor, make_activity, make_registration):
        row = make_registration(of=make_activity(slug="open-day", price=0))
        visitor.post(f"{page_path(row)}pay")

        assert self.receipt(visitor, row).status_code == 404
        assert "Receipt" not in read(visitor, row)
        assert not Payment.objects.exists()
