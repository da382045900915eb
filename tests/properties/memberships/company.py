"""Whose a subscription is: several of one person, other sites and products of the account, news that never came."""

from typing import Any

from tests.properties.memberships.beginnings import INLINE
from tests.properties.memberships.life import DEARER, MONTHLY, YEARLY, Life
from tests.properties.memberships.story import ending, story
from tests.support.billing import DAY

THEIRS: dict[str, Any] = {"metadata": {"site": "another-site"}}
TEA = 900


def two_of_one_person(life: Life) -> None:
    life.checks_out()
    life.checks_out("yearly")


def two_people(life: Life) -> None:
    life.checks_out()
    life.customer = ""
    life.checks_out("yearly")


def ends_and_begins_again(life: Life) -> None:
    life.checks_out()
    life.cancels()
    life.checks_out("yearly")


def of_another_site(life: Life) -> None:
    life.is_subscribed(**THEIRS)
    life.renews()
    life.refunds()


def of_another_site_by_somebody_known(life: Life) -> None:
    life.checks_out()
    life.is_subscribed("yearly", **THEIRS)
    life.cancels()


def of_another_product(life: Life) -> None:
    life.priced("tea", TEA)
    life.is_subscribed("tea")
    life.renews()
    life.refunds()
    life.cancels()


def tea_of_somebody_known(life: Life) -> None:
    of_another_product(life)
    life.checks_out()


def with_our_name_only(life: Life) -> None:
    life.priced("tea", TEA)
    life.checks_out("tea")


def renewed(life: Life) -> None:
    life.checks_out()
    life.renews()


def beside_something_else(life: Life) -> None:
    """The plan is the second item, and the third is another one of ours."""
    tea = life.priced("tea", TEA).id
    names = [tea, life.price("monthly").id, life.price("gold").id]
    life.is_subscribed(items=[{"price": name} for name in names])
    life.renews()


def names_nothing_any_more(life: Life) -> None:
    """No price of ours, and metadata that somebody has emptied."""
    life.checks_out(line=INLINE)
    life.passes(DAY)
    life.changes(metadata="")
    life.renews()


def was_subscribed(life: Life) -> None:
    life.is_subscribed()


A_YEAR = {"plan": "yearly", "costs": (YEARLY, "eur", "year"), "payments": [(YEARLY, 0)]}
SOME_TEA = {"plan": None, "costs": (TEA, "eur", "month"), "payments": [(TEA, TEA), (TEA, 0)], "order": None}
STORIES = (
    story("has two at once", two_of_one_person, ending(), ending(**A_YEAR)),
    story("is not the only one", two_people, ending(), ending(**A_YEAR)),
    story("ends, and begins again", ends_and_begins_again, ending(status="canceled"), ending(**A_YEAR)),
    story("subscribes at another site", of_another_site),
    story("subscribes at another site as well", of_another_site_by_somebody_known, ending()),
    story("subscribes to another product", of_another_product),
    story(
        "subscribes to another product, then to ours", tea_of_somebody_known,
        ending(), ending(status="canceled", refunds=[(TEA, "succeeded")], **SOME_TEA),
    ),
    # Our metadata says whose it is; of a price that is no plan's, the plan is the one that was named.
    story(
        "has a price that is no plan's", with_our_name_only,
        ending(plan=None, costs=(TEA, "eur", "month"), payments=[(TEA, 0)]),
    ),
    story(
        "has the plan beside something else", beside_something_else,
        ending(
            plan="monthly", further=["gold"], costs=(TEA + MONTHLY + DEARER, "eur", "month"),
            payments=[(TEA + MONTHLY + DEARER, 0)] * 2, order=None, is_covered=True,
        ),
    ),
    # The order that began it tells the plan.
    story("is told of without any name of ours", names_nothing_any_more, ending(payments=[(MONTHLY, 0)] * 2)),
    # Only its name is known: its invoices say nothing of its state.
    story(
        "is known by its invoices only", renewed,
        ending(
            status="", plan="monthly", costs=(0, "", ""), payments=[(MONTHLY, 0)] * 2, order="PAID",
            needs_resync=True, questions=["UNKNOWN_SUBSCRIPTION"] * 2,
        ),
        unheard=("customer.subscription",),
    ),
    story(
        "was subscribed before, is known by an invoice only", was_subscribed,
        ending(
            status="", plan=None, costs=(0, "", ""), order=None, needs_resync=True,
            questions=["UNKNOWN_SUBSCRIPTION"],
            who=("ada@example.com", "Ada", "", False),
        ),
        unheard=("customer.subscription",),
    ),
    # A period was paid that it has not told of.
    story(
        "has a renewal that only its invoice tells of", renewed,
        ending(payments=[(MONTHLY, 0)] * 2, needs_resync=True), unheard=("customer.subscription.updated",),
    ),
)  # fmt: skip
