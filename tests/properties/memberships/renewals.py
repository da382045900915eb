"""What becomes of a subscription from period to period: renewals paid, failed, asked about, settled otherwise."""

from typing import Any

from tests.properties.memberships.beginnings import ASKING, FAILING
from tests.properties.memberships.life import MONTHLY, Life
from tests.properties.memberships.story import ending, story
from tests.support.billing import DAY, HOUR, IBAN_THAT_FAILS, MINUTE

SENT: dict[str, Any] = {"collection_method": "send_invoice", "days_until_due": 30}
SLOW_IBAN = "AT321904300235473204"
PAID_TWICE = [(MONTHLY, 0), (MONTHLY, 0)]


def renewed(life: Life) -> None:
    life.checks_out()
    life.renews()


def renewed_three_times(life: Life) -> None:
    life.checks_out()
    life.renews(3)


def overdue(life: Life) -> None:
    life.checks_out()
    life.pays_with(FAILING)
    life.renews()


def recovers(life: Life) -> None:
    overdue(life)
    life.pays_with("visa")
    life.passes(4 * DAY)


def gives_up(life: Life) -> None:
    overdue(life)
    life.passes(20 * DAY)


def bank_asks(life: Life) -> None:
    life.checks_out(method=ASKING)
    life.answers(succeeded=True)
    life.renews()


def bank_is_answered(life: Life) -> None:
    bank_asks(life)
    life.pays()
    life.passes(MINUTE)
    life.authenticates()


def debit_is_under_way(life: Life) -> None:
    life.checks_out()
    life.pays_with(SLOW_IBAN)
    life.renews()


def debit_pays(life: Life) -> None:
    debit_is_under_way(life)
    life.passes(HOUR)


def debit_fails(life: Life) -> None:
    life.checks_out()
    life.pays_with(IBAN_THAT_FAILS)
    life.renews()
    life.passes(HOUR)


def paid_elsewhere(life: Life) -> None:
    overdue(life)
    life.passes(HOUR)
    life.pays(paid_out_of_band=True)


def voided(life: Life) -> None:
    overdue(life)
    life.api.invoices.void_invoice(life.invoice().id)


def uncollectible(life: Life) -> None:
    overdue(life)
    life.api.invoices.mark_uncollectible(life.invoice().id)


def uncollectible_paid_after_all(life: Life) -> None:
    uncollectible(life)
    life.pays_with("visa")
    life.passes(MINUTE)
    life.pays()


def invoice_is_sent(life: Life) -> None:
    life.is_subscribed(**SENT)
    life.passes(2 * HOUR)


def sent_and_paid_by_card(life: Life) -> None:
    invoice_is_sent(life)
    life.pays()


def sent_and_paid_by_transfer(life: Life) -> None:
    invoice_is_sent(life)
    life.pays(paid_out_of_band=True)


def collection_rests(life: Life) -> None:
    life.checks_out()
    life.passes(DAY)
    life.changes(pause_collection={"behavior": "void"})
    life.renews()


def collection_will_rest(life: Life) -> None:
    life.checks_out()
    life.passes(DAY)
    life.changes(pause_collection={"behavior": "keep_as_draft"})


def collection_has_rested(life: Life) -> None:
    life.checks_out()
    life.passes(DAY)
    life.changes(pause_collection={"behavior": "mark_uncollectible", "resumes_at": life.stripe.created + 3 * DAY})
    life.renews()


def collection_goes_on(life: Life) -> None:
    collection_rests(life)
    life.changes(pause_collection="")
    life.renews()


def saves_another_card(life: Life) -> None:
    life.checks_out()
    card = life.new_method("mastercard")
    life.api.setup_intents.create({"customer": life.customer, "payment_method": card, "confirm": True})
    life.passes(MINUTE)
    life.changes(default_payment_method=card)
    life.renews()


STORIES = (
    story("renews", renewed, ending(payments=PAID_TWICE)),
    story("renews three times", renewed_three_times, ending(payments=[(MONTHLY, 0)] * 4)),
    story("does not pay the renewal", overdue, ending(status="past_due", asks=["payment_failed"])),
    story("pays the renewal at the next try", recovers, ending(payments=PAID_TWICE, asks=["payment_failed"])),
    # Four tries for one invoice are one message.
    story("never pays the renewal", gives_up, ending(status="canceled", asks=["payment_failed"])),
    story("must confirm the renewal", bank_asks, ending(status="past_due", asks=["action_required"])),
    story("confirms the renewal", bank_is_answered, ending(payments=PAID_TWICE, asks=["action_required"])),
    story("renews by debit, under way", debit_is_under_way, ending()),
    story("renews by debit", debit_pays, ending(payments=PAID_TWICE)),
    story("renews by a debit that comes back", debit_fails, ending(status="past_due", asks=["payment_failed"])),
    story(
        "pays the renewal by another way", paid_elsewhere,
        ending(payments=PAID_TWICE, elsewhere=MONTHLY, asks=["payment_failed"]),
    ),
    # https://docs.stripe.com/billing/subscriptions/overview: only a paid invoice makes it active again.
    story("is let off the renewal", voided, ending(status="past_due", asks=["payment_failed"])),
    story("has a renewal that is written off", uncollectible, ending(status="past_due", asks=["payment_failed"])),
    story(
        "pays what was written off", uncollectible_paid_after_all,
        ending(payments=PAID_TWICE, asks=["payment_failed"]),
    ),
    story("gets an invoice", invoice_is_sent, ending(payments=[], order=None)),
    story("gets an invoice and pays it by card", sent_and_paid_by_card, ending(order=None)),
    story(
        "gets an invoice and pays it by transfer", sent_and_paid_by_transfer, ending(order=None, elsewhere=MONTHLY)
    ),
    story("is not charged for a while", collection_rests, ending(pause="void", is_covered=False)),
    story("is not charged from tomorrow on", collection_will_rest, ending(pause="keep_as_draft", is_covered=True)),
    story("has a pause that is over", collection_has_rested, ending(payments=PAID_TWICE, pause="", is_covered=True)),
    story("is charged again after a while", collection_goes_on, ending(payments=PAID_TWICE)),
    story("saves another card and renews with it", saves_another_card, ending(payments=PAID_TWICE)),
)  # fmt: skip
