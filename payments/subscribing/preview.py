"""What another plan costs today, as Stripe works it out before anybody agrees; what is agreed to is what was shown."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core import signing

from payments.billing.models import Plan, Subscription
from payments.checkout.refusals import Cause, asking_about_refusals
from payments.money import format_amount
from payments.statuses import SubscriptionStatus
from payments.stripe_api.gateway import in_a_hurry
from payments.stripe_api.lookups import look_up_subscription, preview_invoice
from payments.stripe_api.snapshots import Json, MalformedObject
from payments.stripe_api.snapshots.reading import find_object, find_rows, find_text, get_id, id_of

SALT = "payments.subscribing.preview"
# So long it can be agreed to; later it is shown anew.
LASTS = timedelta(minutes=30)


class SumMoved(Exception):
    """What was shown holds no longer, or was never shown: nothing was changed; show it (again)."""


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """`due`: what is charged today. `charged`, `credited`: of which the invoice consists; `balance`: the credit that
    the person had before, `balance_after`: has afterwards. Minor units of `currency`, none below 0.

    `date`: the second (Unix) from which Stripe counts; None: nothing is prorated. `next_at`: the next payment.
    """

    subscription: str
    plan: str
    due: int
    charged: int
    credited: int
    balance: int
    balance_after: int
    currency: str
    date: int | None
    next_at: datetime | None

    @classmethod
    def read(cls, source: Json, *, row: Subscription, plan: Plan) -> "ChangePreview":
        """From Stripe's invoice: https://docs.stripe.com/api/invoices/object Raises MalformedObject."""
        lines = find_rows(source, "lines")
        amounts = [_int(line.get("amount")) for line in lines]
        if find_object(source, "lines").get("has_more"):
            raise MalformedObject("a preview with more lines than one change has")
        details = find_object(find_object(source, "parent"), "subscription_details")
        date = details.get("subscription_proration_date")
        regular = [_int(find_object(line, "period").get("end")) for line in lines if not _is_proration(line)]
        end = max(regular, default=0)
        return cls(
            row.stripe_id, plan.slug, _int(source.get("amount_due")),
            sum(amount for amount in amounts if amount > 0), -sum(amount for amount in amounts if amount < 0),
            max(0, -_int(source.get("starting_balance") or 0)), max(0, -_int(source.get("ending_balance") or 0)),
            find_text(source, "currency").lower(), date if isinstance(date, int) else None,
            datetime.fromtimestamp(end, tz=UTC) if end else row.period_end,
        )  # fmt: skip

    @property
    def due_text(self) -> str:
        return format_amount(self.due, self.currency)

    @property
    def charged_text(self) -> str:
        return format_amount(self.charged, self.currency)

    @property
    def credited_text(self) -> str:
        return format_amount(self.credited, self.currency) if self.credited else ""

    @property
    def balance_text(self) -> str:
        """What of an older credit is used; "" for none."""
        used = self.balance - self.balance_after
        return format_amount(used, self.currency) if used > 0 else ""

    @property
    def balance_after_text(self) -> str:
        return format_amount(self.balance_after, self.currency) if self.balance_after else ""

    @property
    def token(self) -> str:
        """Stands for what was shown: nobody else can make one, or choose another day."""
        return signing.dumps([self.subscription, self.plan, self.due, self.currency, self.date], salt=SALT)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What somebody has seen and agreed to."""

    due: int
    currency: str
    date: int | None

    @classmethod
    def read(cls, token: str, *, row: Subscription, plan: Plan) -> "Agreed":
        """Raises SumMoved for what was shown too long ago, of something else, or never."""
        try:
            name, slug, due, currency, date = signing.loads(token, salt=SALT, max_age=LASTS)
        except (signing.BadSignature, TypeError, ValueError) as error:
            raise SumMoved(type(error).__name__) from error
        if (name, slug) != (row.stripe_id, plan.slug):
            raise SumMoved("another change")
        return cls(due, currency, date)


def preview_change(row: Subscription, plan: Plan, *, at: datetime) -> ChangePreview:
    """What the change costs now. During a trial: nothing today.

    Raises GatewayUnavailable, GatewayRefused, MalformedObject.
    """
    with in_a_hurry(), asking_about_refusals(Cause.of_plan(plan), at=at):
        return _preview(row, plan, changed_items(row, plan), date=None)


def confirm_sum(row: Subscription, plan: Plan, agreed: Agreed, items: list[dict[str, Any]]) -> None:
    """Have Stripe say once more that it is the sum that was shown, counted from the same second. Raises SumMoved."""
    now = _preview(row, plan, items, date=agreed.date)
    if (now.due, now.currency) != (agreed.due, agreed.currency):
        raise SumMoved(f"{now.due} {now.currency}")


def changed_items(row: Subscription, plan: Plan) -> list[dict[str, Any]]:
    """The `items` of an update to the plan. Asks Stripe for those that there are. Raises MalformedObject."""
    item = _item(look_up_subscription(row.stripe_id).raw, row)
    return [{"id": get_id(item), **_price(plan, item)}]


def _preview(row: Subscription, plan: Plan, items: list[dict[str, Any]], *, date: int | None) -> ChangePreview:
    changes: dict[str, Any] = {"items": items, "proration_behavior": "always_invoice"}
    if date is not None:
        changes["proration_date"] = date
    shown = ChangePreview.read(preview_invoice(subscription=row.stripe_id, changes=changes).raw, row=row, plan=plan)
    if row.status != SubscriptionStatus.TRIALING:
        return shown
    # The new price is due when the trial ends, which is what Stripe's preview is of.
    return replace(shown, due=0, charged=0, credited=0, balance=0, balance_after=0, next_at=row.trial_end)


def _is_proration(line: Json) -> bool:
    parent = find_object(line, "parent")
    details = (find_object(parent, f"{kind}_details") for kind in ("subscription_item", "invoice_item"))
    return any(each.get("proration") is True for each in details)


def _int(value: object) -> int:
    """Raises MalformedObject."""
    if not isinstance(value, int):
        raise MalformedObject("a preview with something that is no amount")
    return value


def _item(raw: Json, row: Subscription) -> Json:
    """The item that is the plan; add-ons may stand beside it. Raises MalformedObject."""
    rows = find_rows(raw, "items")
    own = [item for item in rows if id_of(item.get("price")) == row.price] or rows
    if len(own) != 1:
        raise MalformedObject(f"subscription {get_id(raw)}: which of its {len(rows)} items is the plan?")
    return own[0]


def _price(plan: Plan, item: Json) -> dict[str, Any]:
    """The plan's price at Stripe; where it has none, one that is made for the product of the old price."""
    if plan.stripe_price:
        return {"price": plan.stripe_price}
    product = id_of(find_object(item, "price").get("product"))
    recurring = {"interval": plan.interval}
    amount = {"currency": plan.currency, "unit_amount": plan.amount}
    return {"price_data": {**amount, "product": product, "recurring": recurring}}
