"""How a subscription begins: through our Checkout, at Stripe, by a card or by a debit that takes days."""

from tests.properties.memberships.life import MONTHLY, YEARLY, YEN, Life
from tests.properties.memberships.story import ending, story
from tests.support.billing import DAY, IBAN_THAT_FAILS, IBAN_THAT_PAYS, MINUTE

ASKING, DECLINED, FAILING = "authenticationRequired", "chargeDeclinedInsufficientFunds", "chargeCustomerFail"
INLINE = {
    "price_data": {
        "currency": "eur",
        "unit_amount": MONTHLY,
        "product_data": {"name": "Monthly"},
        "recurring": {"interval": "month"},
    },
    "quantity": 1,
}


def through_checkout(life: Life) -> None:
    life.checks_out()


def answer_is_lost(life: Life) -> None:
    life.checks_out(is_answered=False)


def without_price(life: Life) -> None:
    life.checks_out(line=INLINE)


def yearly(life: Life) -> None:
    life.checks_out("yearly")


def in_yen(life: Life) -> None:
    life.checks_out("kyoto")


def for_nothing(life: Life) -> None:
    life.checks_out("gift")
    life.renews()


def declined_then_pays(life: Life) -> None:
    life.checks_out(method=DECLINED)
    life.confirms()


def declined_and_gone(life: Life) -> None:
    life.checks_out(method=DECLINED)
    life.lets_it_expire()


def confirms_to_the_bank(life: Life) -> None:
    life.checks_out(method=ASKING)
    life.answers(succeeded=True)


def does_not_confirm(life: Life) -> None:
    life.checks_out(method=ASKING)
    life.lets_it_expire()


def refused_by_the_bank_then_pays(life: Life) -> None:
    life.checks_out(method=ASKING)
    life.answers(succeeded=False)
    life.confirms()


def pays_in_both_sessions(life: Life) -> None:
    life.opens_checkout()
    first = life.session
    life.opens_checkout(is_again=True)
    life.confirms()
    life.confirms(session=first)


def debit_under_way(life: Life) -> None:
    life.checks_out(method=IBAN_THAT_PAYS)


def debit_pays(life: Life) -> None:
    life.checks_out(method=IBAN_THAT_PAYS)
    life.passes(5 * MINUTE)


def debit_fails(life: Life) -> None:
    life.checks_out(method=IBAN_THAT_FAILS)
    life.passes(5 * MINUTE)


def at_stripe(life: Life) -> None:
    life.is_subscribed()


def checkout_of_nobody(life: Life, **told: str) -> None:
    line = {"price": life.price("monthly").id, "quantity": 1}
    life.session = life.api.checkout.sessions.create(
        {"mode": "subscription", "line_items": [line], "success_url": "https://old.example", **told}
    ).id
    life.confirms()


def checkout_that_names_the_order_only(life: Life) -> None:
    life.has_ordered()
    checkout_of_nobody(life, client_reference_id=str(life.orders[-1].public_id))


def first_payment_is_missing(life: Life) -> None:
    life.is_subscribed(method=FAILING)


def first_payment_in_time(life: Life) -> None:
    first_payment_is_missing(life)
    life.passes(MINUTE)
    life.pays_with("visa")
    life.passes(MINUTE)
    life.pays()


def first_payment_never(life: Life) -> None:
    first_payment_is_missing(life)
    life.passes(2 * DAY)


def first_payment_confirmed(life: Life) -> None:
    life.is_subscribed(method=ASKING)
    life.passes(MINUTE)
    life.authenticates()


def first_payment_not_confirmed(life: Life) -> None:
    life.is_subscribed(method=ASKING)
    life.passes(2 * DAY)


ADA = ("ada@example.com", "Ada Lovelace", "Lyon", False)
STORIES = (
    story("subscribes through Checkout", through_checkout, ending(who=ADA)),
    story("subscribes, our own answer from Stripe was lost", answer_is_lost, ending()),
    story("subscribes for an amount that Checkout was told", without_price, ending()),
    story(
        "subscribes for a year", yearly,
        ending(plan="yearly", costs=(YEARLY, "eur", "year"), payments=[(YEARLY, 0)]),
    ),
    story(
        "subscribes in a currency without cents", in_yen,
        ending(plan="kyoto", costs=(YEN, "jpy", "month"), payments=[(YEN, 0)]),
    ),
    story("gets it for nothing, twice", for_nothing, ending(plan="gift", costs=(0, "eur", "month"), payments=[])),
    story("is declined first, then pays", declined_then_pays, ending()),
    story("is declined and does not come back", declined_and_gone, others=("EXPIRED",)),
    story("confirms to the bank", confirms_to_the_bank, ending()),
    story("does not confirm to the bank", does_not_confirm, others=("EXPIRED",)),
    story("fails to confirm, then pays with another card", refused_by_the_bank_then_pays, ending()),
    story("pays in both sessions of one order", pays_in_both_sessions, ending(), ending()),
    story("has a debit under way", debit_under_way, ending(payments=[], order="PROCESSING")),
    story("pays by debit", debit_pays, ending()),
    # The order ends with its session; from then on the subscription goes its own way.
    story(
        "has a debit that comes back", debit_fails,
        ending(status="past_due", payments=[], order="FAILED", asks=["payment_failed"]),
    ),
    story("was subscribed before", at_stripe, ending(order=None)),
    story("subscribes in a Checkout that nobody here opened", checkout_of_nobody, ending(order=None)),
    story("subscribes in a Checkout that only names their order", checkout_that_names_the_order_only, ending()),
    story(
        "has not paid the first time", first_payment_is_missing,
        ending(status="incomplete", payments=[], order=None, asks=["payment_failed"]),
    ),
    story("pays the first time in time", first_payment_in_time, ending(order=None, asks=["payment_failed"])),
    story(
        "never pays the first time", first_payment_never,
        ending(status="incomplete_expired", payments=[], order=None, asks=["payment_failed"]),
    ),
    story("confirms the first payment", first_payment_confirmed, ending(order=None, asks=["action_required"])),
    story(
        "never confirms the first payment", first_payment_not_confirmed,
        ending(status="incomplete_expired", payments=[], order=None, asks=["action_required"]),
    ),
)  # fmt: skip
