"""What may become of a plan that people have subscribed to: its former prices stay ours."""

from payments.billing.subscriptions import Plan


def keep_former_price(plan: Plan, *, former: str) -> None:
    """Remember the price that it had (`former`, "" for none), in memory: who subscribed with it keeps it.

    A price that comes back is no former one any more.
    """
    known = [price for price in dict.fromkeys([*plan.former_prices, former]) if price]
    plan.former_prices = [price for price in known if price != plan.stripe_price]


def plan_with_price(price: str, *, besides: Plan) -> Plan | None:
    """Another plan to which the price belongs or once belonged: subscriptions with it are that plan's."""
    others = Plan.objects.exclude(pk=besides.pk)
    return next((plan for plan in others if price in (plan.stripe_price, *plan.former_prices)), None)


def is_used(plan: Plan) -> bool:
    """Whether somebody has subscribed to it, or began to."""
    return plan.subscriptions.exists() or plan.orders.exists()
