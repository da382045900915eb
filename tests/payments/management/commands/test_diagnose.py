import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from payments.diagnosis.stripe_answers import StripeAnswers
from payments.ledger.models import RefusedDeliveries
from tests.support.factories import NOON, OrderFactory
from tests.support.modules import make_buyer, make_learner, make_module

pytestmark = pytest.mark.django_db


def run(*options):
    """What was said, and the exit code."""
    out = io.StringIO()
    try:
        call_command("diagnose", *options, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    except CommandError as refusal:
        return str(refusal), refusal.returncode
    return out.getvalue(), 0


@pytest.fixture
def purchase():
    return make_buyer(make_learner(), make_module(), at=timezone.now())


class TestDiagnose:
    def test_says_that_something_is_healthy(self, purchase):
        said, code = run(purchase.order.number)

        assert code == 0
        assert said.startswith(f"{purchase.order.number}: Everything is as it should be.")
        assert "ok       ada@example.com is let in to “Drawing”." in said

    def test_names_what_is_broken_and_the_command_that_heals_it(self, purchase):
        purchase.order.module_accesses.all().delete()

        said, code = run(purchase.order.number, "O-999999")

        assert code == 1
        assert "PROBLEM  “Drawing”: There is no access, although" in said
        assert "→ Repair it: the access is made as it should have been. `manage.py modules_repair`" in said

    def test_says_what_it_does_not_know(self, purchase):
        assert run("O-999999") == ("O-999999: Nothing here is called “O-999999”.\n", 2)

    @pytest.mark.parametrize("options", [[], [""], ["--json"]])
    def test_says_how_it_is_used(self, options):
        assert run(*options) == ("Name what is to be diagnosed, or say --webhooks.", 2)

    def test_lists_whom_one_can_choose(self):
        make_learner("ada@example.com", name="Ada")
        make_learner("ada2@example.com", name="Ada")

        said, code = run("ada")

        assert code == 2
        assert "ada2@example.com" in said

    def test_tells_programs_in_one_object(self, purchase):
        said, code = run(purchase.order.number, "O-999999", "--webhooks", "--json")

        told = json.loads(said)["diagnoses"]
        assert ([each["outcome"] for each in told], code) == (["healthy", "unknown", "healthy"], 2)

    def test_says_why_webhooks_fail(self, monkeypatch, settings):
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOON)
        RefusedDeliveries.objects.create(
            hour=NOON, code="wrong_host", count=12, last_at=NOON, host="old.example", path="/x"
        )

        said, code = run("--webhooks")

        assert code == 1
        assert said.startswith("12 deliveries were refused in the last 24 hours. No event has come yet.")
        assert "old.example/x" in said
        assert "or add the name to ALLOWED_HOSTS" in said

    def test_says_that_webhooks_cannot_be_verified(self, settings):
        settings.STRIPE_WEBHOOK_SECRETS = []

        said, code = run("--webhooks")

        assert code == 1
        assert "Every delivery is refused: no webhook secret is configured" in said

    def test_does_not_call_healthy_what_stripe_was_not_asked(self, monkeypatch, purchase):
        away = StripeAnswers(NOON, unchecked=[("the webhook endpoints", "no answer")])
        monkeypatch.setattr("payments.diagnosis.diagnose.ask_stripe", lambda _questions: away)

        said, code = run(purchase.order.number, "--ask-stripe")

        assert code == 2
        assert "Not checked: the webhook endpoints (no answer)." in said
        assert "Stripe was asked: 2026-03-02 12:00:00 UTC" in said

    def test_speaks_english_wherever_it_runs(self, settings):
        settings.LANGUAGE_CODE = "fr"

        assert "No event has told of a payment" not in run(OrderFactory(kind="other").number)[0]
        assert "is not paid" in run("O-" + str(OrderFactory(kind="other").pk))[0]
