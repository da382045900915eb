import re
from datetime import timedelta

import pytest
from django.core import mail as post
from django.utils import translation

from modules_access.mails import SKIP_BOUGHT, SKIP_ROW_MISSING, SKIP_STATE_CHANGED, message_for
from modules_access.models import ModuleAccess, Purchase
from modules_access.services.grants import extend_access, revoke_access
from payments.apply.apply import follow_orders_again
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.orders.models import Order
from payments.statuses import DisputeState, EffectStatus, OrderStatus
from tests.support.factories import NOON
from tests.support.mails import deliver, english_in, html_of, read, sent
from tests.support.modules import give_back, make_buyer, make_learner, make_module, make_purchase, pay

pytestmark = pytest.mark.django_db
CASES = ("opened", "failed", "refunded")
TITLE = "Raku & thé"

ENGLISH = {
    "opened": (
        "Your module is open: Raku & thé", "We have received your payment, and “Raku & thé” is open for you.",
        "Until April 1, 2026 at 2 p.m. you have access.", "Open it from “My modules”",
    ),
    "failed": (
        "Your payment did not go through: Raku & thé", "Your payment of €49.00 for “Raku & thé” did not go through.",
        "Nothing was charged.", "The reason: There is not enough money in the account", "You can pay here:",
    ),
    "refunded": (
        "Your refund: Raku & thé",
        "We have refunded €49.00 for “Raku & thé”. With this the access that you had bought has ended.",
        "5 to 10 working days",
    ),
}  # fmt: skip
FRENCH = {
    "opened": (
        "Votre module est ouvert : Raku & thé",
        "Nous avons bien reçu votre paiement, et « Raku & thé » vous est ouvert.",
        "Votre accès dure jusqu’au 1 avril 2026 à 14:00.", "depuis « Mes modules »",
    ),
    "failed": (
        "Votre paiement n’a pas abouti : Raku & thé", "Rien n’a été débité.", "pas assez d’argent sur le compte",
        "essayer de nouveau",
    ),
    "refunded": (
        "Votre remboursement : Raku & thé", "Nous vous avons remboursé 49,00 € pour « Raku & thé ».",
        "L’accès que vous aviez acheté prend ainsi fin.", "5 à 10 jours ouvrés",
    ),
}  # fmt: skip


def purchase(case: str, *, language: str = "en", price: int = 4900, access_days: int | None = 30) -> Purchase:
    """In the state in which this mail is wanted."""
    learner = make_learner(language=language, name="Inès O'Neil")
    row = make_purchase(learner, make_module(title=TITLE, price=price, access_days=access_days))
    if case == "failed":
        Order.objects.update(
            status=OrderStatus.FAILED, failed_charge="ch_1", failed_attempt=1, failure_code="insufficient_funds"
        )
    else:
        pay(row.order)
    if case == "refunded":
        give_back(row.order)
    # What the road has noted is not what these tests are about.
    Effect.objects.all().delete()
    return Purchase.objects.select_related("order").get()


def tell(row: Purchase, case: str, **data: object) -> Effect:
    """Deliver the mail about the purchase; returns its effect as it is afterwards."""
    known = {"purchase": row.pk, "attempt": row.order.attempt_number, "charge": row.order.attempt_charge}
    return deliver(f"module.{case}:1", kind=f"module.{case}", order_id=row.order_id, **{**known, **data})


class TestEveryMail:
    @pytest.mark.parametrize("case", CASES)
    @pytest.mark.parametrize(("language", "words"), [("en", ENGLISH), ("fr", FRENCH)])
    def test_says_what_happened_and_what_happens_next(self, case, language, words):
        effect = tell(purchase(case, language=language), case)

        subject, *sentences = words[case]
        assert effect.status == EffectStatus.DONE
        assert sent().to == ["ada@example.com"]
        assert " ".join(sent().subject.split()) == subject
        for text in read(sent()):
            assert [sentence for sentence in sentences if sentence not in text] == []

    @pytest.mark.parametrize("case", CASES)
    @pytest.mark.parametrize(("language", "price"), [("en", "€49.00"), ("fr", "49,00 €")])
    def test_names_order_module_amount_and_person(self, case, language, price):
        row = purchase(case, language=language)

        tell(row, case)

        for text in read(sent()):
            assert [fact for fact in (row.order.number, TITLE, price, "Inès O'Neil") if fact not in text] == []

    @pytest.mark.parametrize("case", CASES)
    def test_is_french_throughout_for_who_reads_french(self, case):
        tell(purchase(case, language="fr"), case)

        assert '<html lang="fr">' in html_of(sent())
        assert english_in(re.sub(r"http\S+", "", " ".join([sent().subject, *read(sent())]))) == []

    @pytest.mark.parametrize("case", CASES)
    def test_speaks_the_readers_language_whoever_delivers_it(self, case):
        with translation.override("fr"):
            tell(purchase(case), case)

        assert '<html lang="en">' in html_of(sent())

    @pytest.mark.parametrize("case", CASES)
    def test_leads_to_the_own_modules_and_the_receipt_and_nowhere_else(self, case, settings):
        row = purchase(case)

        tell(row, case)

        page = f"{settings.SITE_URL}/encours/"
        expected = {page} if case == "failed" else {page, f"{page}{row.order.public_id}/receipt/"}
        assert set(re.findall(r"http\S+", sent().body)) == expected
        assert set(re.findall(r'href="([^"]*)"', html_of(sent()))) == expected

    @pytest.mark.parametrize("case", CASES)
    def test_is_what_the_state_of_the_order_asks_for(self, case):
        row = purchase(case)

        message = message_for(row, row.order)

        assert message.kind == f"module.{case}"
        effect = deliver(message.key, kind=message.kind, order_id=message.order_id, **message.data)
        assert effect.status == EffectStatus.DONE

    @pytest.mark.parametrize("case", CASES)
    def test_needs_no_purchase_that_is_gone(self, case):
        assert tell(purchase(case), case, purchase=0).outcome == SKIP_ROW_MISSING.reason
        assert post.outbox == []


class TestSkipping:
    @pytest.mark.parametrize("case", CASES)
    @pytest.mark.parametrize("now", CASES)
    def test_happens_unless_the_state_is_the_one_it_tells_of(self, case, now):
        effect = tell(purchase(now), case)

        assert effect.status == (EffectStatus.DONE if case == now else EffectStatus.SKIPPED)
        assert effect.outcome == ("" if case == now else SKIP_STATE_CHANGED.reason)

    def test_happens_while_a_lost_dispute_has_taken_the_money(self):
        row = purchase("opened")
        Order.objects.update(dispute_state=DisputeState.LOST)

        assert tell(row, "opened").outcome == SKIP_STATE_CHANGED.reason

    def test_happens_where_staff_have_taken_the_access_back(self):
        row = purchase("opened")
        revoke_access(access=ModuleAccess.objects.get(), reason="a mistake", by="staff", at=NOON)

        assert tell(row, "opened").outcome == SKIP_STATE_CHANGED.reason

    @pytest.mark.parametrize("older", [{"attempt": 0}, {"charge": "ch_0"}, {"charge": ""}])
    def test_happens_when_the_failure_is_not_the_last_one(self, older):
        assert tell(purchase("failed"), "failed", **older).outcome == SKIP_STATE_CHANGED.reason


class TestOpened:
    def test_speaks_of_no_payment_and_no_end_where_there_is_none(self):
        tell(purchase("opened", price=0, access_days=None), "opened")

        for text in read(sent()):
            assert "“Raku & thé” is open for you. You have lifetime access." in text
            assert [word for word in ("payment", "receipt", "EUR") if word in text] == []

    def test_tells_the_end_as_staff_have_moved_it(self):
        row = purchase("opened")
        until = NOON + timedelta(days=60)
        extend_access(access=ModuleAccess.objects.get(), until=until, reason="ill", by="staff", at=NOON)

        tell(row, "opened")

        assert "Until May 1, 2026" in read(sent())[0]

    def test_is_told_once_however_often_the_order_is_followed(self):
        row = make_buyer(make_learner(), make_module())

        for minute in range(3):
            follow_orders_again([row.order_id], source="test", at=NOON)
            deliver_due(at=NOON + timedelta(minutes=minute))

        assert [message.subject for message in post.outbox] == ["Your module is open: Drawing"]


class TestFailed:
    def test_says_nothing_of_a_reason_that_is_not_known(self):
        row = purchase("failed")
        Order.objects.update(failed_charge="", failure_code="")
        row.order.refresh_from_db()

        tell(row, "failed")

        assert "declined the payment and gave no reason" in read(sent())[0]

    def test_asks_nobody_to_pay_for_what_another_payment_has_bought(self):
        row = purchase("failed")
        other = make_purchase(row.user, row.module)
        pay(other.order)
        row.order.refresh_from_db()
        Effect.objects.all().delete()

        assert tell(row, "failed").outcome == SKIP_BOUGHT.reason

    def test_is_told_three_times_an_hour(self):
        row = purchase("failed")
        for number in range(5):
            Order.objects.update(failed_charge=f"ch_{number}")
            row.order.refresh_from_db()
            key, charge = f"module.failed:{number}", row.order.attempt_charge
            deliver(key, kind="module.failed", order_id=row.order_id, purchase=row.pk, attempt=1, charge=charge)

        assert len(post.outbox) == 3


class TestRefunded:
    def test_says_so_where_the_module_stays_open_in_another_way(self):
        row = purchase("refunded")
        pay(make_purchase(row.user, row.module).order)
        Effect.objects.all().delete()

        tell(row, "refunded")

        assert "still open for you in another way" in read(sent())[0]


class TestGreeting:
    @pytest.mark.parametrize(("name", "greeting"), [("Ann\r\nBcc: x", "Hello Ann Bcc: x,"), ("", "Hello,")])
    def test_stays_on_one_line(self, name, greeting):
        row = purchase("opened")
        row.user.name = name
        row.user.save()

        tell(row, "opened")

        assert sent().body.splitlines()[0] == greeting
