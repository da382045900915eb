"""Every question of the desk reads as a sentence, in both languages, and says what most likely settles it."""

import pytest
from django.utils import translation

from payments.admin.exceptions import OrderExceptionAdmin
from payments.apply.undelivered import IN_DOUBT, NOT_DONE
from payments.billing.models import Payment, Plan, Subscription
from payments.orders.models import Order, OrderException
from payments.payouts.judge import SUMS_DIFFER
from payments.statuses import ExceptionKind
from payments.todo.questions import ACTS, ADVICE, OTHERWISE, SENTENCES, advised, at_stake, sentence_of

EUROS = {"amount": 4900, "currency": "eur"}


def euros(amount):
    return {"amount": amount, "currency": "eur"}


def about(kind, /, *, detail="", subscription=False, **values):
    owner = (
        {"subscription": Subscription(stripe_id="sub_1", amount=400, currency="eur", plan=Plan(name="Premium"))}
        if subscription
        else {"order": Order(pk=12, label="Pottery", amount=3000, currency="eur", amount_received=4900)}
    )
    return OrderException(kind=kind, subject="pi_1", detail=detail, values=values, **owner)


def in_words(row, payment=None, *, language="en"):
    with translation.override(language):
        return sentence_of(row, payment).replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


K = ExceptionKind
SECOND = Payment(key="pi_1", received=4900, currency="eur")
CASES = [
    (about(K.AMOUNT_MISMATCH, received=euros(1), due=euros(3000)), None,
     "Received €0.01 for Pottery, expected €30.00", "0,01 € reçu pour Pottery, attendu : 30,00 €"),
    (about(K.AMOUNT_MISMATCH, due=euros(3000)), None,
     "Nothing was collected for Pottery, expected €30.00", "Rien n’a été encaissé pour Pottery, attendu : 30,00 €"),
    (about(K.SECOND_PAYMENT), SECOND, "€49.00 paid twice for Pottery", "49,00 € payé deux fois pour Pottery"),
    (about(K.NO_PLACE), None, "€49.00 paid for Pottery, without a place", "49,00 € payé pour Pottery, sans place"),
    (about(K.FRAUD_WARNING, amount=EUROS, kind="made_with_stolen_card"), None,
     "€49.00 for Pottery may be fraud: the card was stolen",
     "49,00 € pour Pottery : fraude possible, la carte a été volée"),
    (about(K.REFUND_OWED, amount=EUROS, code="expired_or_canceled_card", words="expired_or_canceled_card"), None,
     "€49.00 still owed back for Pottery: the card has expired or was canceled",
     "49,00 € restent à rembourser pour Pottery : la carte a expiré ou a été annulée"),
    (about(K.REFUND_OWED, amount=EUROS, code="odd_code", words="No money today."), None,
     "€49.00 still owed back for Pottery: No money today.",
     "49,00 € restent à rembourser pour Pottery : No money today."),
    (about(K.NOT_DELIVERED, detail=IN_DOUBT, kind="registration.confirmed"), None,
     "A message to the buyer about Pottery may not have been sent",
     "Un message à l’acheteur au sujet de Pottery n’a peut-être pas été envoyé"),
    (about(K.NOT_DELIVERED, detail=NOT_DONE, kind="customer.follow", words="No such customer"), None,
     "Stripe was not told about Pottery: No such customer",
     "Stripe n’a pas été informé au sujet de Pottery : No such customer"),
    (about(K.UNKNOWN_PRICE, subscription=True, price="price_9"), None,
     "Premium is billed by a price that belongs to no plan: price_9",
     "Premium est facturé selon un tarif qui n’appartient à aucune formule : price_9"),
    (about(K.PERIOD_REFUNDED, subscription=True, received=euros(400)), None,
     "The current period of Premium was refunded, and it goes on being billed",
     "La période en cours de Premium a été remboursée, mais l’abonnement continue d’être facturé"),
    (OrderException(kind=K.PAYOUT_MISMATCH, subject="po_1", detail=SUMS_DIFFER,
                    values={"payout": euros(6303), "entries": euros(6203), "amount": euros(100)}), None,
     "A payout of €63.03 does not add up: its entries come to €62.03, €1.00 off",
     "Le compte n’y est pas pour un virement de 63,03 € : ses mouvements font 62,03 €, soit 1,00 € d’écart"),
]  # fmt: skip


class TestSentenceOf:
    @pytest.mark.parametrize(("row", "payment", "english", "french"), CASES, ids=lambda each: str(each)[:30])
    def test_says_what_has_happened(self, row, payment, english, french):
        assert in_words(row, payment) == english
        assert in_words(row, payment, language="fr") == french

    @pytest.mark.parametrize("kind", ExceptionKind.values)
    def test_knows_every_kind_even_where_nothing_else_is_known(self, kind):
        bare = OrderException(kind=kind, subject="pi_1")

        assert kind in SENTENCES
        assert kind not in sentence_of(bare)
        assert str(ADVICE[kind]) in advised(bare)

    def test_never_tells_a_persons_name(self):
        row = about(K.NO_PLACE, detail="Ada Lovelace <ada@example.com>")

        assert "ada" not in in_words(row).lower()


class TestActsOf:
    def test_are_buttons_that_the_desk_has(self):
        names = {action.name for action in OrderExceptionAdmin.actions}

        assert {name for acts in [*ACTS.values(), OTHERWISE] for name in acts} <= names


class TestAtStake:
    def test_is_what_is_disputed_rather_than_all_that_was_paid(self):
        assert at_stake(about(K.PARTLY_DISPUTED, paid=EUROS, disputed=euros(900))) == (900, "eur")

    def test_is_what_was_refunded_of_a_period(self):
        row = about(K.PARTLY_REFUNDED, subscription=True, received=euros(400), refunded=euros(100))

        assert at_stake(row) == (100, "eur")

    def test_is_nothing_where_it_is_about_a_message(self):
        assert at_stake(about(K.NOT_DELIVERED, kind="letter")) is None
