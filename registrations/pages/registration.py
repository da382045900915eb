"""`/registrations/<token>/`: a person's own registration, the way to pay for it, and the receipt."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.rate_limit import limited
from payments.billing.receipts import NothingPaid, receipt_context
from payments.checkout.attempts import OrderNotPayable
from payments.money import format_amount
from payments.orders.messages import decline_reason_of
from payments.orders.models import CheckoutAttempt
from registrations.links import page_path, receipt_path
from registrations.models import Registration
from registrations.pages.standing import PAYABLE, SECONDS_BETWEEN_LOOKS, Return, Standing, standing_of
from registrations.sales import Sale, sale_of
from registrations.services.begin import confirm_free
from registrations.services.checkout import CheckoutUnavailable, start_checkout
from registrations.tokens import find_by_token, token_of

SEE_OTHER = 303


@require_safe
@never_cache
def registration(request: HttpRequest, token: str) -> HttpResponse:
    """Where it stands. Right after the payment it looks again by itself until Stripe has told us."""
    row = _find(token)
    returned = _returned(request, row)
    now = timezone.now()
    standing = standing_of(row, at=now, returned=returned)
    response = render(request, "registrations/registration.html", _context(row, standing, at=now))
    if returned and standing == Standing.CONFIRMING:
        again = urlencode({"session_id": returned.session, "looks": returned.looks + 1})
        response["Refresh"] = f"{SECONDS_BETWEEN_LOOKS}; url={request.path}?{again}"
    return response


@method_decorator(never_cache, name="dispatch")
@method_decorator(limited("payment"), name="dispatch")
class PayPage(View):
    """The button that leads to the payment: always to the same session while it is open."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return HttpResponseRedirect(page_path(_find(token)))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        row, now = _find(token), timezone.now()
        own_page = page_path(row)
        if standing_of(row, at=now) not in PAYABLE or confirm_free(registration=row, at=now):
            return HttpResponseRedirect(own_page, status=SEE_OTHER)
        try:
            return HttpResponseRedirect(start_checkout(registration=row, at=now), status=SEE_OTHER)
        except OrderNotPayable:
            # Paid a moment ago: the page waits for Stripe's news as it does for somebody who comes back.
            return HttpResponseRedirect(f"{own_page}{_newest_session(row)}", status=SEE_OTHER)
        except CheckoutUnavailable as trouble:
            return _unavailable(request, _find(token), trouble, at=now)


@require_safe
@never_cache
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """The receipt for what was paid, made to be printed; 404 where nothing was."""
    row = _find(token)
    try:
        context = receipt_context(row.order, at=timezone.now())
    except NothingPaid as error:
        raise Http404 from error
    context |= {"token": token, "registration": row, "activity": row.activity}
    return render(request, "registrations/receipt.html", context)


def _find(token: str) -> Registration:
    row = find_by_token(token)
    if row is None:
        raise Http404
    return row


def _returned(request: HttpRequest, row: Registration) -> Return | None:
    """The session that the buyer comes back from, if it is one of this registration; anything else is not looked at."""
    session, looks = request.GET.get("session_id", ""), request.GET.get("looks", "")
    # Stripe's ids have no other characters; a NUL would not even reach the database.
    if not session.replace("_", "").isalnum():
        return None
    if not CheckoutAttempt.objects.filter(order=row.order_id, session=session).exists():
        return None
    return Return(session, int(looks) if looks.isascii() and looks.isdigit() and len(looks) < 4 else 0)


def _newest_session(row: Registration) -> str:
    attempt = row.order.checkouts.exclude(session="").order_by("number").last()
    return f"?{urlencode({'session_id': attempt.session})}" if attempt else ""


def _unavailable(
    request: HttpRequest, row: Registration, trouble: CheckoutUnavailable, *, at: datetime
) -> HttpResponse:
    context = _context(row, standing_of(row, at=at), at=at)
    context |= {"unavailable": "free" if trouble.is_place_free else "held"}
    return render(request, "registrations/registration.html", context, status=503)


def _context(row: Registration, standing: Standing, *, at: datetime) -> dict[str, Any]:
    held_until = row.held_until if row.held_until and row.held_until > at else None
    return {
        "token": token_of(row),
        "registration": row,
        "order": row.order,
        "activity": row.activity,
        "standing": standing,
        "can_pay": standing in PAYABLE,
        "held_until": held_until,
        "is_held_today": held_until and timezone.localdate(held_until) == timezone.localdate(at),
        "reason": decline_reason_of(row.order),
        "refunded": _refunded(row),
        "has_receipt": bool(receipt_path(row)),
        "can_register_again": sale_of(row.activity, at=at) in (Sale.OPEN, Sale.FULL),
    }


def _refunded(row: Registration) -> str:
    """What was given back, in words; "" for nothing."""
    return format_amount(row.order.amount_refunded, row.order.currency) if row.order.amount_refunded else ""
