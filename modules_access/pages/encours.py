"""The person's modules at /encours/, what they have begun to buy, and their receipts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from config.middleware import let_forms_lead_to
from config.rate_limit import limited
from modules_access.links import encours_path
from modules_access.models import Purchase
from modules_access.pages.opening import find_origin
from modules_access.services.buy import resume
from modules_access.services.my_modules import ModuleLine, MyModules, my_modules_of
from payments.billing.models import Payment
from payments.billing.receipts import Paper, paper_of_order
from payments.incidents.switches import while_selling
from payments.orders.decline_reasons import decline_reason_of
from payments.orders.models import Order
from payments.pages.base_views import OwnPage, see_other, user_of
from payments.pages.checkout_return import (
    PAYABLE_STATES,
    UNPAID_STATE_BY_STATUS,
    CheckoutReturn,
    UnpaidState,
    newest_session,
)
from payments.pages.receipts import show_receipt
from payments.statuses import AWAITING_PAYMENT, OPEN_STATUSES, OrderStatus

# Notices that other pages ask for, by the parameter that names the module.
NOTICE_PARAMETERS = ("got", "already", "ended", "unreachable")
# A page that waits for Stripe's news loads again by itself: at first quickly, since nearly always the news comes at
# once (mission: on /encours within two seconds), and not for ever. In seconds.
REFRESH_DELAYS = (0,) * 2 + (1,) * 5 + (2,) * 10


def display_state_of(order: Order, returned: CheckoutReturn | None) -> UnpaidState | None:
    """What to say of it; None for what is paid, or closed and nobody has paid it."""
    if returned and (news := returned.state_of(order)):
        return news
    return UNPAID_STATE_BY_STATUS.get(OrderStatus(order.status))


@dataclass(frozen=True, slots=True)
class Pending:
    """A purchase that waits for its money. `reason`: why the bank has declined; `unfitting`: money that pays it not."""

    purchase: Purchase
    state: UnpaidState
    can_pay: bool
    reason: str | Promise
    unfitting: str


@require_safe
@never_cache
@login_required
def encours(request: HttpRequest) -> HttpResponse:
    """Active, pending, ended. Right after a payment it loads again by itself until Stripe has told us."""
    user = user_of(request)
    own_orders = Order.objects.filter(module_purchase__user=user)
    returned = CheckoutReturn.read(request, orders=own_orders, at=timezone.now(), delays=REFRESH_DELAYS)
    pending = _pending(user, returned)
    # Read last: money that comes at this very moment moves a module from one list to the other, never out of both.
    mine = my_modules_of(user, at=timezone.now())
    pending = [each for each in pending if not mine.find_paid(each.purchase.order)]
    notice = _notice(request, mine, returned, pending)
    context = {"my_modules": mine, "pending": pending, **notice}
    response = render(request, "modules_access/encours.html", context)
    let_forms_lead_to(response, _origins(mine.active))
    if returned and notice.get("notice") == UnpaidState.CONFIRMING:
        returned.refresh(request, response)
    return response


@method_decorator([while_selling, limited("payment")], name="dispatch")
class PayModulePage(OwnPage):
    """The button of a purchase that waits: always to the same session while it is open."""

    trouble_template = "modules_access/trouble.html"

    def get(self, request: HttpRequest, public_id: UUID) -> HttpResponse:
        return redirect("encours")

    def act(self, request: HttpRequest, **names: Any) -> HttpResponse:
        purchase = get_object_or_404(Purchase, user=user_of(request), order__public_id=names["public_id"])
        if url := resume(order_id=purchase.order_id, at=timezone.now()):
            return see_other(url)
        order = Order.objects.get(pk=purchase.order_id)
        # Paid a moment ago: the page waits for Stripe's news as it does for somebody who comes back.
        return see_other(encours_path(session_id=newest_session(order) if order.status in AWAITING_PAYMENT else ""))


def _pending(user: User, returned: CheckoutReturn | None) -> list[Pending]:
    """The newest first. What ended unpaid is left out, as in every list."""
    rows = Purchase.objects.filter(user=user).select_related("order", "module").order_by("-pk")
    rows = rows.annotate(has_payment=Exists(Payment.objects.filter(order=OuterRef("order"), received__gt=0)))
    waits = Q(order__status__in=OPEN_STATUSES)
    rows = rows.filter(waits | Q(order=returned.order) if returned else waits)
    found = ((row, display_state_of(row.order, returned)) for row in rows)
    return [_pending_line(row, state) for row, state in found if state]


def _pending_line(row: Any, state: UnpaidState) -> Pending:
    """Nobody is asked to pay while money is here that does not fit, about which staff decide."""
    order = row.order
    unfitting = order.here_text if row.has_payment and order.has_unfitting_money else ""
    return Pending(row, state, state in PAYABLE_STATES and not unfitting, decline_reason_of(order), unfitting)


def _notice(
    request: HttpRequest, mine: MyModules, returned: CheckoutReturn | None, pending: Sequence[Pending]
) -> dict[str, object]:
    """The notice on top of the page and what it is about; none that the lists below would contradict."""
    if returned and (line := mine.find_paid(returned.order)):
        return {"notice": "bought", "title": line.module.title}
    for each in pending:
        if each.state in (UnpaidState.CONFIRMING, UnpaidState.UNCONFIRMED):
            return {"notice": each.state, "title": each.purchase.module.title, "order": each.purchase.order}
    for word in NOTICE_PARAMETERS:
        find = mine.find_active if word in ("got", "already") else mine.find
        if line := find(request.GET.get(word, "")):
            return {"notice": word, "title": line.module.title}
    return {}


def _origins(lines: Iterable[ModuleLine]) -> list[str]:
    return [origin for line in lines if (origin := find_origin(line.module.url))]


@require_safe
@never_cache
@login_required
def receipt(request: HttpRequest, public_id: UUID, as_pdf: bool = False) -> HttpResponse:
    """Made to be printed; 404 where nothing was paid, or by somebody else."""
    rows = Purchase.objects.select_related("order", "module", "user").filter(user=user_of(request))
    purchase = get_object_or_404(rows, order__public_id=public_id)
    return show_receipt(
        request,
        lambda: _paper(purchase, at=timezone.now()),
        as_pdf=as_pdf,
        pdf=reverse("module-receipt-pdf", args=[public_id]),
        back=(reverse("encours"), _("Your modules")),
    )


def _paper(purchase: Purchase, *, at: datetime) -> Paper:
    order, user = purchase.order, purchase.user
    days = render_to_string("modules_access/days.html", {"days": purchase.access_days})
    return paper_of_order(order, buyer=[user.name, order.email], what=order.label, details=days, at=at)
