import pytest
from django.urls import reverse

from payments.reconcile.models import ReconcileRun
from payments.samples.story import CURRENT_SHAPE, Story, subject_of
from tests.support.factories import OrderFactory
from tests.support.pages import text_of
from tests.support.road import NOON

FINDING = {"subject": "O-000001", "what": "status", "here": "<b>", "at_stripe": "PAID", "done": "put right"}


@pytest.fixture
def run(db):
    return ReconcileRun.objects.create(
        started_at=NOON, finished_at=NOON, since=NOON, until=NOON, counts={"compared": 412, "put_right": 1},
        findings=[FINDING],
    )  # fmt: skip


class TestReconcileRunAdmin:
    def test_lists_each_run_with_its_sentence(self, page, run):
        content = page.get(reverse("admin:payments_reconcilerun_changelist")).content.decode()

        assert "412 objects compared, 1 put right" in content

    def test_shows_what_was_found_and_escapes_it(self, page, run):
        content = page.get(reverse("admin:payments_reconcilerun_change", args=[run.pk])).content.decode()

        assert "<td>O-000001</td><td>Status</td><td>&lt;b&gt;</td><td>Paid</td><td>put right</td>" in content

    def test_says_in_words_what_stripe_does_not_know(self, page, run):
        run.findings = [{**FINDING, "what": "pi_1", "here": "known", "at_stripe": "not known", "done": "failed"}]
        run.save()

        content = page.get(reverse("admin:payments_reconcilerun_change", args=[run.pk]), HTTP_ACCEPT_LANGUAGE="fr")

        assert "<td>connu</td><td>inconnu</td>" in content.content.decode()

    def test_says_of_what_a_sample_event_has_made_up_that_it_has(self, page, run, registration):
        made_up = Story(subject_of(registration.order), CURRENT_SHAPE, NOON).payment_intent
        found = {"subject": registration.order.number, "what": made_up, "here": "known", "at_stripe": "not known"}
        run.findings = [{**found, "done": "a person was asked"}]
        run.save()

        content = page.get(reverse("admin:payments_reconcilerun_change", args=[run.pk])).content.decode()

        assert "not known: made up by a sample event" in content

    def test_names_what_was_not_checked_and_each_number(self, page, run):
        run.findings = [
            {"subject": "checkout.sessions", "what": "", "here": "", "at_stripe": "No.", "done": "not checked"}
        ]
        run.finished_at, run.counts = None, {"put_right": 3, "checkout.sessions": 7}
        run.save()

        content = page.get(reverse("admin:payments_reconcilerun_change", args=[run.pk])).content.decode()

        assert "not finished; not checked: Checkout sessions." in content
        assert "<td>Checkout sessions</td><td></td><td>–</td><td>No.</td><td>not checked</td>" in content
        assert "<td>Put right</td><td>3</td>" in content
        assert "<td>Checkout sessions</td><td>7</td>" in content

    def test_tells_amounts_as_people_write_them(self, page, run):
        order = OrderFactory(currency="usd")
        run.findings = [
            {**FINDING, "subject": order.number, "what": "amount_received", "here": "0", "at_stripe": "4900"}
        ]
        run.save()

        told = text_of(page.get(reverse("admin:payments_reconcilerun_change", args=[run.pk])))

        assert f"{order.number} Received $0.00 $49.00 put right" in told

    def test_is_for_looking_only(self, page, run):
        assert page.get(reverse("admin:payments_reconcilerun_add")).status_code == 403
        assert page.post(reverse("admin:payments_reconcilerun_delete", args=[run.pk])).status_code == 403
