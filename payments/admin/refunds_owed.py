"""The desk of the refunds that are owed: how much, for what, why it has not gone back, when it is tried again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.staff_site import Job, staff_context, staff_page
from payments.admin.kit.buttons import Button, action_button
from payments.admin.kit.display import link_to, link_to_owner
from payments.admin.kit.screens import may_see
from payments.apply.owed import Debt, Money, money_of, next_try_at
from payments.billing.models import Payment
from payments.billing.refund_reasons import refund_reason
from payments.money import format_amount
from payments.orders.models import OrderException
from payments.statuses import ExceptionKind

# Nobody owes so many; the page must not grow without limit all the same.
SHOWN = 100
BUTTONS = ("refund_once_more", "close")


@dataclass(frozen=True, slots=True)
class OwedLine:
    """One refund that is owed. `next_at` None: it is not tried again unless a person asks."""

    question: str
    owner: str
    amount: str
    since: datetime
    reason: str
    tried: int
    next_at: datetime | None
    buttons: list[Button]


@staff_page(
    "refunds-owed/", name="refunds_owed", title=gettext_lazy("Refunds owed"), job=Job.TODO, position=2,
    permission="payments.view_orderexception",
)  # fmt: skip
def refunds_owed(request: HttpRequest) -> HttpResponse:
    asked = OrderException.objects.filter(kind=ExceptionKind.REFUND_OWED, is_open=True).order_by("opened_at", "pk")
    rows = list(asked.select_related("order", "subscription__customer")[: SHOWN + 1])
    context = staff_context(
        request, title=_("Refunds owed"), lines=list(_lines(request, rows[:SHOWN])), has_more=len(rows) > SHOWN,
        at=timezone.now(),
    )  # fmt: skip
    return TemplateResponse(request, "admin/payments/refunds_owed.html", context)


def _lines(request: HttpRequest, rows: list[OrderException]) -> Iterator[OwedLine]:
    names = {row.values.get("payment", "") for row in rows}
    payments = Payment.objects.filter(key__in=names).select_related("order", "subscription__customer")
    debts = {debt.subject: (debt, money) for money in money_of(payments).values() for debt in money.debts()}
    shows_owner = all(may_see(request, label) for label in ("payments.order", "payments.subscription"))
    for row in rows:
        debt, money = debts.get(row.subject, (None, None))
        yield _line(request, row, debt, money, shows_owner=shows_owner)


def _line(
    request: HttpRequest, row: OrderException, debt: Debt | None, money: Money | None, *, shows_owner: bool
) -> OwedLine:
    told = row.values.get("amount")
    amount = format_amount(debt.amount, debt.payment.currency) if debt else ""
    amount = amount or (format_amount(told["amount"], told["currency"]) if isinstance(told, dict) else "?")
    code, words = (debt.code, debt.words) if debt else (row.values.get("code", ""), row.values.get("words", ""))
    return OwedLine(
        question=link_to(row, _("Question")), owner=link_to_owner(row) if shows_owner else "", amount=amount,
        since=debt.since if debt else row.opened_at, reason=refund_reason(code, words),
        tried=debt.effect.attempts if debt and debt.effect else 0,
        next_at=next_try_at(debt, money) if debt and money else None,
        buttons=[button for name in BUTTONS if (button := action_button(request, row, name))],
    )  # fmt: skip
