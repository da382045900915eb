"""Plans as they are offered: what they open, what they cost a month, what the longer one saves."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from payments.billing.models import Interval, Plan
from payments.money import format_amount
from payments.products import all_products

MONTHS_OF_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Offer:
    """One plan. `opens`: names of what it opens. `saving`: percent, rounded down; 0 where there is nothing to compare.

    `is_advised`: of several the one that costs least a month.
    """

    plan: Plan
    opens: Sequence[str]
    saving: int = 0
    is_advised: bool = False

    @property
    def monthly_text(self) -> str:
        """What a yearly plan costs a month, never less than it does; "" for any other."""
        if self.plan.interval != Interval.YEAR:
            return ""
        return format_amount(ceil(self.plan.amount / MONTHS_OF_A_YEAR), self.plan.currency)


def offers_of(plans: Sequence[Plan]) -> list[Offer]:
    """In the order of the plans. Two are compared where they open the same, in the same currency."""
    opened = {plan.pk: opened_by(plan) for plan in plans}
    savings = {plan.pk: _saving(plan, plans, opened) for plan in plans}
    best = max(savings.values(), default=0)
    return [
        Offer(plan, opened[plan.pk], savings[plan.pk], is_advised=best > 0 and savings[plan.pk] == best)
        for plan in plans
    ]


def opened_by(plan: Plan) -> list[str]:
    """What the plan opens, product by product, in words."""
    return [str(name) for product in all_products() for name in product.opened_by(plan)]


def _saving(plan: Plan, plans: Sequence[Plan], opened: dict[int, list[str]]) -> int:
    """How much less a year costs than twelve months of the cheapest plan that opens the same."""
    if plan.interval != Interval.YEAR:
        return 0
    by_month = [
        other.amount * MONTHS_OF_A_YEAR for other in plans
        if other.interval == Interval.MONTH and other.currency == plan.currency and opened[other.pk] == opened[plan.pk]
    ]  # fmt: skip
    return max(0, floor(100 - 100 * plan.amount / min(by_month))) if by_month else 0
