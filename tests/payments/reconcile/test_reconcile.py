from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import time_machine
from django.conf import settings as django_settings
from django.core import mail
from django.db import connection

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.effects.deliver import deliver_all
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException, Reference
from payments.reconcile.models import ReconcileRun
from payments.reconcile.reconcile import RECONCILE_LOCK, AlreadyRunning, reconcile
from payments.reconcile.window import Window
from payments.resync import ResyncOptions
from payments.stripe_api import lookups
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable, RateLimited
from payments.stripe_api.lookups import ThrottledStripe
from payments.tasks import reconcile_again_job, reconcile_job
from registrations.models import Registration
from tests.properties.memberships import renewals
from tests.support import buyers
from tests.support.resync import all_rows, differences, heard, sold
from tests.support.subscriber import unreachable

PHANTOM = {"amount": 4900, "currency": "eur", "status": "succeeded", "status_at": datetime.now(UTC)}


@pytest.fixture
def buyer(registration):
    """Somebody with an open session of €49.00."""
    return sold(registration)


def is_of_walk(what, params):
    """The refunds of the whole window, not those of one payment."""
    return what == "refunds" and "created" in params


def found(run):
    return {(each["subject"], each["what"], each["done"]) for each in run.findings}


class TestFromStripe:
    def test_learns_what_no_event_has_told(self, buyer, run):
        buyers.is_refunded_in_parts(buyer)

        done = run()

        order = Order.objects.get()
        assert (order.status, order.amount_received, order.amount_refunded) == ("PAID", 4900, 1200)
        assert Registration.objects.get().status == "PAID"
        assert (order.number, "status", "put right") in found(done)
        assert (done.counts["put_right"], done.counts["missing"], done.counts["for_a_person"]) == (1, 0, 0)

    def test_finds_nothing_where_everything_was_heard(self, buyer, life, run):
        buyers.disputes(buyer)
        life.checks_out()
        life.renews()
        heard()
        before = all_rows()

        done = run()

        assert (done.findings, differences(before, all_rows())) == ([], [])
        assert done.counts["compared"] > 10
        assert done.counts["subscriptions"] == 1

    def test_learns_of_a_subscription_of_which_nobody_has_told(self, life, run):
        life.checks_out()
        life.renews()

        run()

        assert Subscription.objects.get().status == "active"
        assert Payment.objects.filter(subscription__isnull=False).count() == 2

    def test_asks_a_person_about_money_for_an_order_that_is_gone(self, buyer, run):
        buyer.pay()
        Registration.objects.all().delete()
        Order.objects.all().delete()

        done = run()

        question = OrderException.objects.get(subject__startswith="pi_")
        assert (question.kind, question.is_open) == ("UNKNOWN_ORDER", True)
        assert done.counts["for_a_person"] > 0

    def test_counts_what_is_not_ours_and_leaves_it_alone(self, life, run):
        life.price("monthly")
        life.priced("tea", 900)
        life.is_subscribed("tea")
        before = all_rows()

        done = run()

        assert done.counts["foreign"] == 3, "a subscription, its invoice, and the payment"
        assert (done.findings, differences(before, all_rows())) == ([], [])

    def test_goes_on_after_an_object_that_nobody_understands(self, buyer, run, monkeypatch):
        buyers.is_refunded(buyer)
        broken = lookups.pages

        def pages(what, params):
            for page in broken(what, params):
                yield [{**raw, "amount": None} for raw in page] if is_of_walk(what, params) else page

        monkeypatch.setattr(lookups, "pages", pages)

        done = run()

        assert Order.objects.get().status == "REFUNDED"
        assert [each["done"] for each in done.findings if each["what"] == "refunds"] == ["failed"]
        assert done.finished_at is not None


class TestFromHere:
    def test_asks_a_person_about_money_that_stripe_does_not_know(self, buyer, run):
        buyer.pay()
        heard()
        Refund.objects.create(stripe_id="re_of_nobody", order=Order.objects.get(), payment="pi_1", **PHANTOM)

        done = run()

        question = OrderException.objects.get(kind="NOT_AT_STRIPE")
        assert (question.subject, question.order, question.is_open) == ("re_of_nobody", Order.objects.get(), True)
        assert (Order.objects.get().number, "re_of_nobody", "a person was asked") in found(done)
        assert (done.counts["missing"], done.counts["for_a_person"]) == (1, 1)

    def test_closes_the_question_when_stripe_knows_it_after_all(self, buyer, run):
        buyers.is_refunded(buyer)
        heard()
        refund = Refund.objects.get()
        OrderException.objects.create(
            order=refund.order, kind="NOT_AT_STRIPE", subject=refund.stripe_id, opened_at=datetime.now(UTC)
        )

        run()

        assert not OrderException.objects.get(kind="NOT_AT_STRIPE").is_open

    def test_asks_about_a_subscription_that_stripe_does_not_know(self, run):
        Subscription.objects.create(stripe_id="sub_of_nobody", status="active")

        done = run()

        assert OrderException.objects.get().subject == "sub_of_nobody"
        assert found(done) >= {("sub_of_nobody", "sub_of_nobody", "a person was asked")}

    def test_leaves_a_session_without_money_to_the_clean_up(self, buyer, run):
        CheckoutAttempt.objects.update(session="cs_of_nobody")
        Reference.objects.filter(name__startswith="cs_").update(name="cs_of_nobody")

        done = run()

        assert ("cs_of_nobody", "left to the clean-up") in {(what, end) for _subject, what, end in found(done)}
        assert not OrderException.objects.exists()

    def test_does_not_ask_about_orders_of_test_mode(self, buyer, run):
        CheckoutAttempt.objects.update(session="cs_of_nobody")
        Order.objects.update(livemode=not django_settings.STRIPE_LIVEMODE)

        assert run().counts["missing"] == 0

    def test_finds_an_order_that_is_not_what_its_own_money_says(self, registration, run):
        Order.objects.update(status="EXPIRED")

        done = run()

        assert Order.objects.get().status == "PENDING"
        assert found(done) == {(Order.objects.get().number, "status", "put right")}

    def test_asks_about_what_is_older_than_the_window(self, buyer, run):
        buyer.pay("pm_card_createDispute")
        heard()
        Dispute.objects.update(status="lost", phase=1)
        later = datetime.now(UTC) + timedelta(seconds=2)
        Dispute.objects.update(status_at=later)

        run(window=Window(later - timedelta(seconds=1), later + timedelta(days=1)))

        assert Dispute.objects.get().phase == 0

    @pytest.mark.parametrize("prefix", ["order:", "registration:", "cs_", "pi_", "ch_"])
    def test_gives_back_a_name_that_was_lost(self, buyer, run, prefix):
        buyer.pay()
        heard()
        before = all_rows(exclude=OrderChange)
        Reference.objects.filter(name__startswith=prefix).delete()

        run()

        assert differences(before, all_rows(exclude=OrderChange)) == []

    def test_knows_an_order_that_has_lost_every_name(self, buyer, run):
        buyer.pay()
        heard()
        before = all_rows(exclude=OrderChange)
        Reference.objects.all().delete()

        run(dry_run=True)
        run()

        assert not OrderException.objects.exists(), "the order is here: there is nothing to ask"
        assert differences(before, all_rows(exclude=OrderChange)) == []


class TestDryRun:
    def test_tells_what_differs_and_writes_nothing_but_the_report(self, buyer, run):
        buyers.is_refunded(buyer)
        Refund.objects.create(stripe_id="re_of_nobody", order=Order.objects.get(), payment="pi_1", **PHANTOM)
        before = all_rows()

        done = run(dry_run=True)

        assert differences(before, all_rows()) == []
        assert (Order.objects.get().number, "status", "to be put right") in found(done)
        assert "1 to be put right" in done.sentence
        assert ReconcileRun.objects.get().is_dry_run


class TestTrouble:
    def test_keeps_a_run_that_stripe_cut_short_with_what_was_found(self, buyer, run, monkeypatch):
        buyer.pay()
        real = lookups.pages

        def pages(what, params):
            if is_of_walk(what, params):
                raise GatewayUnavailable("Stripe is not available at the moment (status 503).")
            return real(what, params)

        monkeypatch.setattr(lookups, "pages", pages)

        run()

        kept = ReconcileRun.objects.get()
        assert (kept.finished_at, kept.error) == (None, "Stripe is not available at the moment (status 503).")
        assert kept.counts["put_right"] == 1
        assert kept.sentence.endswith(
            "; not finished; not checked: refunds, disputes, fraud warnings, what is known here."
        )
        assert Order.objects.get().status == "PAID"

    def test_ends_at_once_where_stripe_does_not_take_our_key(self, buyer, run, settings):
        settings.STRIPE_SECRET_KEY = ""

        assert "STRIPE_SECRET_KEY" in run().error

    def test_goes_on_after_an_order_that_could_not_be_compared(self, buyer, make_registration, run, monkeypatch):
        other = sold(make_registration("Alex Smith"))
        buyer.pay()
        other.pay()
        real = lookups.look_up_session

        def look_up_session(name):
            if name == buyer.session:
                raise RuntimeError("a bug")
            return real(name)

        monkeypatch.setattr(lookups, "look_up_session", look_up_session)

        done = run()

        other.registration.order.refresh_from_db()
        assert other.registration.order.status == "PAID"
        assert (buyer.registration.order.number, "resync", "failed") in found(done)
        assert done.counts["for_a_person"] == 1

    def test_is_alone(self, run):
        parameters = connection.get_connection_params()
        names = {
            name: parameters[name] for name in ("host", "port", "user", "password", "dbname") if name in parameters
        }
        with psycopg.connect(**names) as other:
            other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [RECONCILE_LOCK])

            with pytest.raises(AlreadyRunning):
                run()
            other.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [RECONCILE_LOCK])

        assert not ReconcileRun.objects.exists()
        assert run().finished_at is not None


FORBIDDEN = "The provided key does not have the required permissions for this endpoint."


class TestNotFinal:
    """A window of yesterday, and what is older."""

    @pytest.fixture
    def yesterday(self):
        def window():
            now = datetime.now(UTC)
            return Window(now - timedelta(days=1), now)

        return window

    def runs_later(self, later, yesterday, options, **fields):
        with time_machine.travel(datetime.now(UTC) + later, tick=False):
            return reconcile(window=yesterday(), options=options(**fields), clock=lambda: datetime.now(UTC))

    @pytest.fixture
    def options(self):
        def make(**fields):
            fast = ThrottledStripe(calls_per_second=1_000_000)
            return ResyncOptions(at=datetime.now(UTC), by="a test", stripe=fast, **fields)

        return make

    def test_looks_at_a_dispute_that_is_open_however_old_it_is(self, buyer, yesterday, options):
        buyer.pay("pm_card_createDispute")
        heard()
        buyer.stripe.v1.disputes.close(buyer.dispute())

        self.runs_later(timedelta(days=200), yesterday, options)

        assert (Dispute.objects.get().status, Order.objects.get().dispute_state) == ("lost", "LOST")

    @pytest.mark.parametrize("status", ["pending", "requires_action"])
    def test_looks_at_a_refund_that_is_under_way_however_old_it_is(self, buyer, yesterday, options, status):
        buyers.is_refunded(buyer)
        heard()
        Refund.objects.update(status=status)

        self.runs_later(timedelta(days=200), yesterday, options)

        assert Refund.objects.get().status == "succeeded"

    @pytest.mark.parametrize(("days", "status"), [(59, "succeeded"), (61, "failed")])
    def test_looks_for_60_days_whether_a_refund_comes_back(self, buyer, yesterday, options, days, status):
        buyers.is_refunded(buyer)
        heard()
        Refund.objects.update(status="failed")

        self.runs_later(timedelta(days=days), yesterday, options)

        assert Refund.objects.get().status == status

    def test_looks_at_a_payment_that_is_under_way_however_old_it_is(self, buyer, yesterday, options):
        buyer.pay()
        Order.objects.update(status="PROCESSING", attempt_status="PROCESSING")

        self.runs_later(timedelta(days=200), yesterday, options)

        assert Order.objects.get().status == "PAID"

    def test_looks_at_an_invoice_that_was_open_at_the_last_run(self, life, run, yesterday, options):
        renewals.gives_up(life)
        heard()
        assert run().open_invoices
        invoice = life.api.invoices.list({"subscription": life.subscription, "status": "open"}).data[0].id
        life.api.invoices.pay(invoice, {"paid_out_of_band": True})
        assert not Payment.objects.filter(key=invoice).exists()

        self.runs_later(timedelta(days=3000), yesterday, options)

        assert Payment.objects.get(key=invoice).off_stripe == 400


class TestFraudWarnings:
    def test_are_learned_where_no_event_has_told(self, buyer, run):
        buyer.pay("pm_card_createIssuerFraudRecord")

        run()

        payment = Payment.objects.get()
        assert (payment.fraud_warning[:6], payment.is_fraud_actionable) == ("issfr_", True)
        assert OrderException.objects.filter(kind="FRAUD_WARNING", is_open=True).count() == 1
        assert run().counts["put_right"] == 0

    def test_that_are_over_close_their_question(self, buyer, run):
        buyer.pay("pm_card_createIssuerFraudRecord")
        heard()
        buyer.stripe.v1.refunds.create({"charge": buyer.charge()})

        run()

        assert not Payment.objects.get().is_fraud_actionable
        assert not OrderException.objects.filter(kind="FRAUD_WARNING", is_open=True).exists()


class TestRefusedLists:
    @pytest.fixture
    def forbidden(self, monkeypatch):
        """Of this, Stripe tells nothing to a restricted key."""

        def refuse(forbidden_list):
            real = lookups._page

            def page(what, params):
                if what == forbidden_list:
                    raise GatewayRefused(code="", message=FORBIDDEN)
                return real(what, params)

            monkeypatch.setattr(lookups, "_page", page)

        return refuse

    def test_cost_only_themselves(self, buyer, run, forbidden):
        buyer.pay()
        heard()
        order = Order.objects.get()
        Order.objects.update(status="PENDING")
        forbidden("disputes")

        done = run()

        assert (done.finished_at, done.not_checked, done.error) == (None, ["disputes"], FORBIDDEN)
        assert done.sentence.endswith("; not finished; not checked: disputes.")
        assert ("disputes", "", "not checked") in found(done)
        assert done.counts["payment_intents"] == 1
        order.refresh_from_db()
        assert order.status == "PAID"

    def test_of_fraud_warnings_cost_no_order(self, buyer, run, forbidden):
        buyer.pay()
        forbidden("radar.early_fraud_warnings")

        done = run()

        assert done.not_checked == ["radar.early_fraud_warnings"]
        assert Order.objects.get().status == "PAID"

    def test_are_not_made_up_for_by_a_question_about_each_row(self, buyer, run, forbidden):
        buyers.is_refunded(buyer)
        heard()
        forbidden("refunds")

        assert [each["done"] for each in run().findings] == ["not checked"]


class TestRateLimit:
    @pytest.fixture
    def slept(self, monkeypatch):
        seconds = []
        monkeypatch.setattr(lookups.time, "sleep", seconds.append)
        return seconds

    @pytest.fixture
    def limits(self, monkeypatch):
        """Stripe has no time for the second list, so many times."""

        def limit(times, *, retry_after):
            real, left = lookups._page, [times]

            def page(what, params):
                if what == "invoices" and left[0]:
                    left[0] -= 1
                    raise RateLimited("too many", retry_after=retry_after)
                return real(what, params)

            monkeypatch.setattr(lookups, "_page", page)

        return limit

    def patient(self):
        stripe = ThrottledStripe(calls_per_second=1_000_000, patience=100)
        now = datetime.now(UTC)
        window = Window(now - timedelta(days=2), now)
        return reconcile(window=window, options=ResyncOptions(at=now, stripe=stripe), clock=lambda: now)

    def test_is_waited_out(self, buyer, slept, limits):
        buyer.pay()
        limits(3, retry_after=7)

        assert self.patient().finished_at is not None
        assert [each for each in slept if each > 1] == [7, 7, 7]
        assert Order.objects.get().status == "PAID"

    @pytest.mark.parametrize(("times", "retry_after"), [(1, 3600), (50, 30), (50, None)])
    def test_is_not_waited_out_for_ever(self, buyer, slept, limits, times, retry_after):
        limits(times, retry_after=retry_after)

        run = self.patient()

        assert (run.finished_at, run.error) == (None, "too many")
        assert sum(slept) < 101


class TestUnfinished:
    @pytest.fixture(autouse=True)
    def staff(self, settings):
        settings.LANGUAGE_CODE, settings.STRIPE_ALERT_EMAIL = "en", ["staff@example.com"]

    def alerts(self):
        deliver_all(clock=lambda: datetime.now(UTC) + timedelta(hours=1))
        return [message for message in mail.outbox if "does not come to its end" in message.subject]

    def test_is_tried_again_by_the_timetable_until_a_run_ends(self, run, monkeypatch):
        monkeypatch.setattr(ThrottledStripe.__init__, "__kwdefaults__", {"calls_per_second": 1e6, "patience": 0.0})
        with unreachable(monkeypatch):
            reconcile_job()

        reconcile_again_job()
        reconcile_again_job()

        assert [each.finished_at is None for each in ReconcileRun.objects.order_by("pk")] == [True, False]

    def test_is_told_once_however_long_it_lasts(self, settings, monkeypatch):
        with unreachable(monkeypatch):
            reconcile_job()
            assert self.alerts() == []
            for _ in range(3):
                reconcile_again_job()

        [message] = self.alerts()
        last = ReconcileRun.objects.latest("pk")
        assert f"{settings.SITE_URL}/admin/payments/reconcilerun/{last.pk}/change/" in message.body
        assert "not finished" in message.body

    def test_is_told_again_when_it_begins_again(self, monkeypatch):
        for _ in range(2):
            with unreachable(monkeypatch):
                reconcile_job(), reconcile_again_job()
            assert self.alerts()
            reconcile_again_job()

        assert len(self.alerts()) == 2
