"""What becomes of a trial: paid, called off, ended early, or without anything to pay with."""

from typing import Any

from tests.properties.memberships.beginnings import FAILING
from tests.properties.memberships.life import Life
from tests.properties.memberships.story import ending, story
from tests.support.billing import DAY, HOUR, MINUTE

WEEK = 7
AFTERWARDS = 8 * DAY


def without_card(behavior: str) -> dict[str, Any]:
    """A trial that needs no card, and what is to become of it at its end."""
    end_behavior = {"missing_payment_method": behavior}
    return {"method": "", "trial_period_days": WEEK, "trial_settings": {"end_behavior": end_behavior}}


def on_trial(life: Life) -> None:
    life.checks_out(trial_period_days=WEEK)


def pays_after(life: Life) -> None:
    on_trial(life)
    life.passes(AFTERWARDS)


def card_fails_after(life: Life) -> None:
    on_trial(life)
    life.pays_with(FAILING)
    life.passes(AFTERWARDS)


def cancels_during(life: Life) -> None:
    on_trial(life)
    life.passes(DAY)
    life.cancels()


def cancels_for_its_end(life: Life) -> None:
    on_trial(life)
    life.passes(DAY)
    life.changes(cancel_at_period_end=True)
    life.passes(AFTERWARDS)


def ends_it_early(life: Life) -> None:
    on_trial(life)
    life.passes(DAY)
    life.changes(trial_end="now")


def extended(life: Life) -> None:
    on_trial(life)
    life.passes(DAY)
    life.changes(trial_end=life.stripe.trial_end + WEEK * DAY)
    life.passes(8 * DAY)


def paused_without_card(life: Life) -> None:
    life.is_subscribed(**without_card("pause"))
    life.passes(AFTERWARDS)


def resumed_with_card(life: Life) -> None:
    paused_without_card(life)
    life.pays_with("visa")
    life.passes(HOUR)
    life.api.subscriptions.resume(life.subscription)


def canceled_without_card(life: Life) -> None:
    life.is_subscribed(**without_card("cancel"))
    life.passes(AFTERWARDS)


def billed_without_card(life: Life) -> None:
    life.is_subscribed(**without_card("create_invoice"))
    life.passes(AFTERWARDS)


def pays_with_card_at_last(life: Life) -> None:
    billed_without_card(life)
    life.pays_with("visa")
    life.passes(MINUTE)
    life.pays()


WARNED = ["trial_will_end"]
STORIES = (
    story("is on trial", on_trial, ending(status="trialing", payments=[])),
    story("pays after the trial", pays_after, ending(asks=WARNED)),
    story(
        "does not pay after the trial", card_fails_after,
        ending(status="past_due", payments=[], asks=["payment_failed", "trial_will_end"]),
    ),
    story("cancels during the trial", cancels_during, ending(status="canceled", payments=[])),
    story(
        "cancels to the end of the trial", cancels_for_its_end,
        ending(status="canceled", payments=[], ends=True, asks=WARNED),
    ),
    # The warning that the trial ends is of the same second as its end: only Stripe knows which was later.
    story("ends the trial early", ends_it_early, ending(asks=WARNED, needs_resync=True)),
    story("gets a longer trial", extended, ending(status="trialing", payments=[])),
    story(
        "has no card at the end of the trial, is paused", paused_without_card,
        ending(status="paused", payments=[], order=None, asks=WARNED),
    ),
    # `resumed` and the new period are of one second.
    story("is paused, then resumes", resumed_with_card, ending(order=None, asks=WARNED, needs_resync=True)),
    story(
        "has no card at the end of the trial, is canceled", canceled_without_card,
        ending(status="canceled", payments=[], order=None, asks=WARNED),
    ),
    story(
        "has no card at the end of the trial, is billed", billed_without_card,
        ending(status="past_due", payments=[], order=None, asks=["payment_failed", "trial_will_end"]),
    ),
    story(
        "has no card at the end of the trial, pays later", pays_with_card_at_last,
        ending(order=None, asks=["payment_failed", "trial_will_end"]),
    ),
)  # fmt: skip
