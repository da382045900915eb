"""The console's first page."""

import re

import pytest

from stripe_emulator import timers
from stripe_emulator.behaviour import payment_intents, payment_methods
from stripe_emulator.events.chaos import Chaos
from stripe_emulator.models import Delivery, DeliveryAttempt, DeliveryState, StoredObject
from tests.support.console import Console

NOW = 1_800_000_000
ENDPOINT = {"url": "http://127.0.0.1:9/hook", "enabled_events": ["*"]}
LINE = {
    "quantity": 1,
    "price_data": {"currency": "eur", "unit_amount": 4900, "product_data": {"name": "Pottery <b>"}},
}
SESSION = {"mode": "payment", "line_items": [LINE], "success_url": "http://127.0.0.1:8000/thanks"}


def paid_intent():
    intent = payment_intents.create_intent(NOW, amount=4900, currency="eur")
    payment_intents.confirm(intent, payment_methods.get_or_create("pm_card_visa", at=NOW), at=NOW)
    return intent


def tried(delivery, *, state, status_code, answer=""):
    delivery.state, delivery.attempt_count = state, 1
    delivery.save()
    sent_at = "2027-01-15T08:00:00Z"
    DeliveryAttempt.objects.create(
        delivery=delivery, sent_at=sent_at, seconds=0.1, status_code=status_code, answer=answer
    )


@pytest.fixture
def everything(stripe_api):
    """More of each kind than a page shows."""
    stripe_api.webhook_endpoints.create(ENDPOINT)
    customer = stripe_api.customers.create({}).id
    product = stripe_api.products.create({"name": "Membership"}).id
    price = stripe_api.prices.create(
        {"product": product, "currency": "eur", "unit_amount": 1500, "recurring": {"interval": "month"}}
    )
    method = stripe_api.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    for _ in range(12):
        stripe_api.subscriptions.create(
            {"customer": customer, "items": [{"price": price.id}], "default_payment_method": method}
        )
    for _ in range(22):
        stripe_api.checkout.sessions.create(SESSION)
        paid_intent()
    for delivery in Delivery.objects.all():
        tried(delivery, state=DeliveryState.DELIVERED, status_code=200, answer='{"status": "received"}')


class TestSentence:
    def test_of_an_emulator_in_which_nothing_has_happened(self, console):
        page = console.read()

        words = [" ".join(text.split()) for text in re.findall(r'<a href="#\w+">(.*?)</a>', page)]
        assert words == ["0 sessions open", "0 deliveries answered", "clock on time", "chaos off"]

    def test_counts_what_is_open_answered_and_failing(self, console, stripe_api):
        stripe_api.checkout.sessions.create(SESSION)
        stripe_api.webhook_endpoints.create(ENDPOINT)
        for _ in range(3):
            stripe_api.customers.create({})
        first, second, _third = Delivery.objects.order_by("pk")
        tried(first, state=DeliveryState.DELIVERED, status_code=200)
        tried(second, state=DeliveryState.PENDING, status_code=503)

        page = console.read()

        assert "1 session open" in page
        assert "1 delivery answered, 1 waiting, 1 failing" in page

    def test_tells_how_far_ahead_the_clock_is_and_that_chaos_is_on(self, console):
        timers.advance(31 * 24 * 3600)
        Chaos(duplicates=1).save()

        page = console.read()

        assert "clock 31 days ahead" in page
        assert "chaos on" in page


class TestOverview:
    def test_shows_sessions_with_amount_what_and_pay_page(self, console, stripe_api):
        session = stripe_api.checkout.sessions.create(SESSION)

        page = console.read()

        assert f'href="/objects/{session.id}"' in page
        assert f'href="/pay/{session.id}"' in page
        assert "€49.00" in page
        assert "Pottery &lt;b&gt;" in page

    def test_shows_what_was_refunded_and_disputed(self, console):
        intent = paid_intent()
        console.press("payment.refund", intent.stripe_id, **{f"amount {intent.stripe_id}": "9.00"})
        console.press("payment.dispute", intent.stripe_id)

        page = console.read()

        assert "€9.00" in page
        assert "needs_response" in page

    def test_shows_the_last_answer_of_a_delivery(self, console, stripe_api):
        stripe_api.webhook_endpoints.create(ENDPOINT)
        stripe_api.customers.create({})
        delivery = Delivery.objects.get()
        tried(delivery, state=DeliveryState.PENDING, status_code=500, answer="first")
        tried(delivery, state=DeliveryState.PENDING, status_code=503, answer="<i>later</i>")

        page = console.read()

        assert "503 &lt;i&gt;later&lt;/i&gt;" in page
        assert '<span class="state bad">failing</span>' in page
        assert "500 first" not in page

    def test_spares_the_words_of_an_answer_that_is_fine(self, console, stripe_api):
        stripe_api.webhook_endpoints.create(ENDPOINT)
        stripe_api.customers.create({})
        tried(Delivery.objects.get(), state=DeliveryState.DELIVERED, status_code=200, answer="received")

        page = console.read()

        assert "received" not in page

    def test_can_leave_out_deliveries_that_went_well(self, console, stripe_api):
        stripe_api.webhook_endpoints.create(ENDPOINT)
        stripe_api.customers.create({})
        stripe_api.products.create({"name": "Clay"})
        well, ill = Delivery.objects.order_by("pk")[:2]
        tried(well, state=DeliveryState.DELIVERED, status_code=200)
        tried(ill, state=DeliveryState.FAILED, status_code=503)

        page = console.read("/?deliveries=failed")

        assert ill.event.stripe_id in page
        assert well.event.stripe_id not in page

    def test_asks_a_fixed_number_of_questions_and_stays_small(self, console, everything, django_assert_max_num_queries):
        with django_assert_max_num_queries(20):
            page = console.get()

        assert len(page.content) < 60_000
        assert page.content.decode().count("payment.refund") == 20
        assert page.content.decode().count("subscription.fail") == 10
        assert page.content.decode().count("delivery.send") == 30

    def test_needs_neither_script_nor_inline_style(self, console, everything):
        answer = console.get()

        page = answer.content.decode()
        assert "script-src 'self'; style-src 'self'" in answer["Content-Security-Policy"]
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page)

    def test_names_every_control(self, console, everything):
        page = console.read()

        controls = re.findall(r"<(?:input|select)\b[^>]*>", page)
        unnamed = [
            each
            for each in controls
            if 'type="hidden"' not in each and "aria-label" not in each and not _has_label(each, page)
        ]
        assert len(controls) > 20
        assert unnamed == []

    @pytest.mark.parametrize(("language", "expected"), [("fr", 'lang="fr"'), ("en", 'lang="en"'), ("de", 'lang="fr"')])
    def test_speaks_the_language_of_the_reader(self, db, language, expected):
        page = Console(language=language).read()

        assert f"<html {expected}>" in page

    def test_remembers_the_language_that_was_chosen(self, console):
        answer = console.post("/language", {"language": "fr", "next": "/"})

        assert answer.cookies["emulator_language"].value == "fr"
        assert '<html lang="fr">' in console.read()

    def test_acts_on_no_get(self, console, stripe_api):
        session = stripe_api.checkout.sessions.create(SESSION)

        answer = console.get("/act", data={"do": f"session.expire {session.id}"})

        assert answer.status_code == 405
        assert StoredObject.objects.get(stripe_id=session.id).data["status"] == "open"


def _has_label(control: str, page: str) -> bool:
    named = re.search(r'id="([\w-]+)"', control)
    return named is not None and f'<label for="{named[1]}"' in page
