"""`/encours/`: the person's modules, the way into them, and what they have begun to buy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from config.csp import let_forms_lead_to
from config.rate_limit import limited
from modules_access.links import encours_path, newest_session
from modules_access.models import Purchase
from modules_access.pages.address import find_origin
from modules_access.pages.doorway import OwnPage
from modules_access.pages.shelf import Line, Shelf, shelf_of
from modules_access.pages.standing import PAYABLE, Return, Standing, standing_of
from modules_access.services.buy import resume
from payments.orders.messages import decline_reason_of
from payments.orders.models import Order
from payments.pages.base_views import see_other, user_of
from payments.statuses import AWAITING_PAYMENT, OPEN_STATUSES

# What other pages have to tell, as they name it in the address, each with the module that it is about.
TOLD = ("got", "already", "ended", "unreachable")


@dataclass(frozen=True, slots=True)
class Pending:
    """A purchase that waits for its money. `reason`: why the bank has declined."""

    purchase: Purchase
    standing: Standing
    can_pay: bool
    reason: str | Promise


@require_safe
@never_cache
@login_required
def encours(request: HttpRequest) -> HttpResponse:
    """Active, pending, ended. Right after a payment it looks again by itself until Stripe has told us."""
    user = user_of(request)
    returned = _returned(request, user)
    pending = _pending(user, returned)
    # Read last: money that comes at this very moment moves a module from one list to the other, never out of both.
    shelf = shelf_of(user, at=timezone.now())
    pending = [each for each in pending if not shelf.find_paid(each.purchase.order)]
    notice = _notice(request, shelf, returned, pending)
    context = {"shelf": shelf, "pending": pending, **notice}
    response = render(request, "modules_access/encours.html", context)
    let_forms_lead_to(response, _origins(shelf.active))
    if returned and notice.get("notice") == Standing.CONFIRMING:
        again = urlencode({"session_id": returned.session, "looks": returned.looks + 1})
        response["Refresh"] = f"{returned.seconds}; url={request.path}?{again}"
    return response


@method_decorator(limited("payment"), name="dispatch")
class PayPage(OwnPage):
    """The button of a purchase that waits: always to the same session while it is open."""

    def get(self, request: HttpRequest, public_id: UUID) -> HttpResponse:
        return redirect("encours")

    def act(self, request: HttpRequest, **names: Any) -> HttpResponse:
        purchase = get_object_or_404(Purchase, user=user_of(request), order__public_id=names["public_id"])
        if url := resume(order_id=purchase.order_id, at=timezone.now()):
            return see_other(url)
        order = Order.objects.get(pk=purchase.order_id)
        # Paid a moment ago: the page waits for Stripe's news as it does for somebody who comes back.
        return see_other(encours_path(session_id=newest_session(order) if order.status in AWAITING_PAYMENT else ""))


def _returned(request: HttpRequest, user: User) -> Return | None:
    """The session that the person comes back from, if it is one of theirs; anything else is not looked at."""
    session, looks = request.GET.get("session_id", ""), request.GET.get("looks", "")
    # Stripe's ids have no other characters; a NUL would not even reach the database.
    if not session.replace("_", "").isalnum():
        return None
    order = Order.objects.filter(module_purchase__user=user, checkouts__session=session).first()
    if order is None:
        return None
    return Return(order, session, int(looks) if looks.isascii() and looks.isdigit() and len(looks) < 4 else 0)


def _pending(user: User, returned: Return | None) -> list[Pending]:
    """The newest first. What ended unpaid is left out, as in every list."""
    rows = Purchase.objects.filter(user=user).select_related("order", "module").order_by("-pk")
    waits = Q(order__status__in=OPEN_STATUSES)
    rows = rows.filter(waits | Q(order=returned.order) if returned else waits)
    found = ((row, standing_of(row.order, returned)) for row in rows)
    return [
        Pending(
            row,
            standing,
            standing in PAYABLE,
            decline_reason_of(row.order),
        )
        for row, standing in found
        if standing
    ]


def _notice(
    request: HttpRequest, shelf: Shelf, returned: Return | None, pending: Sequence[Pending]
) -> dict[str, object]:
    """What is said first: its word, and what it is about. Nothing that is not so."""
    if returned and (line := shelf.find_paid(returned.order)):
        return {"notice": "bought", "title": line.module.title}
    for each in pending:
        if each.standing in (Standing.CONFIRMING, Standing.UNHEARD):
            return {"notice": each.standing, "title": each.purchase.module.title, "order": each.purchase.order}
    for word in TOLD:
        find = shelf.find_active if word in ("got", "already") else shelf.find
        if line := find(request.GET.get(word, "")):
            return {"notice": word, "title": line.module.title}
    return {}


def _origins(lines: Iterable[Line]) -> list[str]:
    return [origin for line in lines if (origin := find_origin(line.module.url))]
