"""What people change: an end now or later, another plan or price, their name, their address."""

from unittest.mock import ANY

from tests.properties.memberships.life import DEARER, MONTHLY, YEARLY, Life
from tests.properties.memberships.story import ending, story
from tests.support.billing import DAY

PARIS = {"city": "Paris", "country": "FR"}


def canceled_now(life: Life) -> None:
    life.checks_out()
    life.passes(DAY)
    life.cancels()


def canceled_later(life: Life) -> None:
    life.checks_out()
    life.passes(DAY)
    life.changes(cancel_at_period_end=True)


def period_is_over(life: Life) -> None:
    canceled_later(life)
    life.renews()


def goes_on_after_all(life: Life) -> None:
    canceled_later(life)
    life.passes(DAY)
    life.changes(cancel_at_period_end=False)
    life.renews()


def canceled_at_a_date(life: Life) -> None:
    life.checks_out()
    life.changes(cancel_at=life.stripe.created + 10 * DAY)


def date_has_come(life: Life) -> None:
    canceled_at_a_date(life)
    life.passes(11 * DAY)


def to_a_year(life: Life) -> None:
    life.checks_out()
    life.passes(3 * DAY)
    life.changes_item(price=life.price("yearly").id)


def to_a_month(life: Life) -> None:
    life.checks_out("yearly")
    life.passes(3 * DAY)
    life.changes_item(price=life.price("monthly").id)


def lives_on_the_credit(life: Life) -> None:
    life.checks_out("yearly")
    life.passes(3 * DAY)
    item = {"id": life.stripe["items"].data[0].id, "price": life.price("monthly").id}
    life.changes(items=[item], proration_behavior="always_invoice")
    life.renews()


def to_another_plan_of_a_month(life: Life) -> None:
    life.checks_out()
    life.passes(DAY)
    life.changes_item(price=life.price("gold").id)
    life.renews()


def takes_three(life: Life) -> None:
    life.checks_out()
    life.passes(DAY)
    life.changes_item(quantity=3)
    life.renews()


def keeps_the_former_price(life: Life) -> None:
    life.checks_out()
    life.replaces_price("monthly", DEARER)
    life.renews()


def takes_the_new_price(life: Life) -> None:
    life.checks_out()
    life.replaces_price("monthly", DEARER)
    life.passes(DAY)
    life.changes_item(price=life.price("monthly").id)
    life.renews()


def changes_their_mind_at_once(life: Life) -> None:
    canceled_later(life)
    life.changes(cancel_at_period_end=False)


def changes_their_mind_twice_at_once(life: Life) -> None:
    changes_their_mind_at_once(life)
    life.passes(DAY)
    life.changes(description="told again, a day later")


def dearer_year_is_declined(life: Life) -> None:
    life.checks_out()
    life.pays_with("chargeCustomerFail")
    life.passes(DAY)
    life.changes_item(price=life.price("yearly").id)


def renamed_and_moved(life: Life) -> None:
    life.checks_out()
    life.passes(DAY)
    life.api.customers.update(life.customer, {"name": "Ada King", "address": PARIS})


def moved_twice(life: Life) -> None:
    renamed_and_moved(life)
    life.passes(1)
    life.api.customers.update(life.customer, {"email": "AK@example.com", "address": {"city": "Nice", "country": "FR"}})


def forgotten_at_stripe(life: Life) -> None:
    life.checks_out()
    life.passes(DAY)
    life.api.customers.delete(life.customer)


STORIES = (
    story("cancels at once", canceled_now, ending(status="canceled")),
    story("cancels to the end of the period", canceled_later, ending(ends=True)),
    story("cancels, and the period is over", period_is_over, ending(status="canceled", ends=True)),
    story("cancels, then goes on after all", goes_on_after_all, ending(payments=[(MONTHLY, 0)] * 2)),
    story("cancels to a date", canceled_at_a_date, ending(ends=True)),
    story("cancels, and the date has come", date_has_come, ending(status="canceled", ends=True)),
    story(
        "changes from a month to a year", to_a_year,
        ending(plan="yearly", costs=(YEARLY, "eur", "year"), payments=[(MONTHLY, 0), (YEARLY, 0)]),
    ),
    story("changes from a year to a month", to_a_month, ending(payments=[(YEARLY, 0), (MONTHLY, 0)])),
    story("changes to a month that the year has paid for", lives_on_the_credit, ending(payments=[(YEARLY, 0)])),
    story(
        "changes to another plan from the next period on", to_another_plan_of_a_month,
        ending(plan="gold", costs=(DEARER, "eur", "month"), payments=[(MONTHLY, 0), (DEARER, 0)]),
    ),
    story(
        "takes three", takes_three,
        ending(costs=(3 * MONTHLY, "eur", "month"), payments=[(MONTHLY, 0), (3 * MONTHLY, 0)]),
    ),
    story("keeps the price that staff replaced", keeps_the_former_price, ending(payments=[(MONTHLY, 0)] * 2)),
    story(
        "takes the price that staff set", takes_the_new_price,
        ending(costs=(DEARER, "eur", "month"), payments=[(MONTHLY, 0), (DEARER, 0)]),
    ),
    # Two contents in one second: one of them is shown, and Stripe is asked which.
    story("changes their mind within a second", changes_their_mind_at_once, ending(ends=ANY, needs_resync=True)),
    story("is told of again a day after that", changes_their_mind_twice_at_once, ending()),
    story(
        "changes to a year that the bank declines", dearer_year_is_declined,
        ending(
            plan="yearly", costs=(YEARLY, "eur", "year"), status=ANY, asks=["payment_failed"], needs_resync=True
        ),
    ),
    story(
        "is renamed and moves", renamed_and_moved,
        ending(who=("ada@example.com", "Ada King", "Paris", False)),
    ),
    story("moves twice", moved_twice, ending(who=("ak@example.com", "Ada King", "Nice", False))),
    # What Stripe deletes ends at once; who it was stays known, as do their payments.
    story(
        "is deleted at Stripe", forgotten_at_stripe,
        ending(status="canceled", who=("ada@example.com", "Ada Lovelace", "Lyon", True)),
    ),
)  # fmt: skip
