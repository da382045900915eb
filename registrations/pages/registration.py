"""`/registrations/<token>/`: a person's own registration, the way to pay for it, and the receipt.

Who presses a button of the page that a mail has led to reads mail at the address: from then on the link of who began it
leads nowhere, but for their own browser, which Stripe may still bring back by it.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.rate_limit import allow, too_often
from payments.billing.receipts import Paper, paper_of_order
from payments.checkout.attempts import OrderNotPayable
from payments.incidents.switches import while_selling
from payments.orders.decline_reasons import decline_reason_of
from payments.orders.models import Order
from payments.pages.base_views import see_other
from payments.pages.checkout_return import CheckoutReturn, newest_session
from payments.pages.receipts import show_receipt
from registrations.links import Link, find_link, receipt_path, token_of
from registrations.models import Registration
from registrations.pages.display_state import RegistrationDisplayState, display_state_of, is_payable
from registrations.services.register import CheckoutUnavailable, confirm_address, prove_address, start_checkout
from registrations.services.withdraw import withdrawal_of
from registrations.templatetags.public import said
from registrations.visitors import visitor_of

COOKIE, COOKIE_SECONDS = "registration", 24 * 3600


@require_safe
@never_cache
def registration(request: HttpRequest, token: str) -> HttpResponse:
    """Its present state. Right after the payment it looks again by itself until Stripe has told us."""
    link, now = _get_link(token), timezone.now()
    if link.has_ended:
        return _way_on(request, link.registration)
    returned = CheckoutReturn.read(request, orders=Order.objects.filter(pk=link.registration.order_id), at=now)
    row = _get_link(token).registration if returned else link.registration
    state = display_state_of(row, at=now, returned=returned)
    response = render(request, "registrations/registration.html", _context(request, row, state, token=token, at=now))
    if returned and state == RegistrationDisplayState.CONFIRMING:
        returned.refresh(request, response)
    return response


@method_decorator([never_cache, while_selling], name="dispatch")
class PayRegistrationPage(View):
    """The button that leads to the payment: always to the same session while it is open. What is free is taken."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        _get_link(token)
        return HttpResponseRedirect(reverse("registration", args=[token]))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        link, now = _get_link(token), timezone.now()
        row, own_page = link.registration, reverse("registration", args=[token])
        if link.has_ended or not _can_go_on(request, row, display_state_of(row, at=now)):
            return see_other(own_page)
        if not row.order.amount:
            confirm_address(registration=row, at=now)
            return see_other(own_page)
        if not (decision := allow(request, "payment")).is_allowed:
            return too_often(request, decision)
        if link.is_mailed:
            prove_address(registration=row, at=now)
        response = _pay(request, row, token, at=now)
        if link.is_mailed:
            _remember(row, response)
        return response


@require_safe
@never_cache
def receipt(request: HttpRequest, token: str, as_pdf: bool = False) -> HttpResponse:
    """The receipt for what was paid, made to be printed; 404 where nothing was."""
    link = _get_link(token)
    if link.has_ended:
        return _way_on(request, link.registration, page="receipt-pdf" if as_pdf else "receipt")
    row = link.registration
    return show_receipt(
        request,
        lambda: _paper(row, at=timezone.now()),
        as_pdf=as_pdf,
        pdf=reverse("receipt-pdf", args=[token]),
        back=(reverse("registration", args=[token]), _("Your registration")),
    )


def _paper(row: Registration, *, at: datetime) -> Paper:
    details = ", ".join(filter(None, (said(row.activity.starts_at), row.activity.where)))
    return paper_of_order(row.order, buyer=[row.name, row.email], what=row.activity.name, details=details, at=at)


def _get_link(token: str) -> Link:
    link = find_link(token)
    if link is None:
        raise Http404
    return link


def _pay(request: HttpRequest, row: Registration, token: str, *, at: datetime) -> HttpResponse:
    own_page = reverse("registration", args=[token])
    try:
        return see_other(start_checkout(registration=row, at=at))
    except OrderNotPayable:
        # Paid a moment ago: the page waits for Stripe's news as it does for somebody who comes back.
        session = newest_session(row.order)
        return see_other(f"{own_page}?{urlencode({'session_id': session})}" if session else own_page)
    except CheckoutUnavailable as error:
        return _unavailable(request, _get_link(token).registration, error, token=token, at=at)


def _remember(row: Registration, response: HttpResponse) -> None:
    """Stripe may bring this browser back by the link of who began it, which has ended."""
    response.set_signed_cookie(
        COOKIE, str(row.public_id), max_age=COOKIE_SECONDS, httponly=True, samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip


def _way_on(request: HttpRequest, row: Registration, *, page: str = "registration") -> HttpResponse:
    """By a link that has ended: on to the living one for whoever is known here, to their mailbox for everybody else."""
    known = request.get_signed_cookie(COOKIE, default="", max_age=COOKIE_SECONDS)
    if known != str(row.public_id) and not visitor_of(request).owns(row.email):
        return render(request, "registrations/link_ended.html", {"activity": row.activity}, status=HTTPStatus.GONE)
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return HttpResponseRedirect(f"{reverse(page, args=[token_of(row)])}{query}")


def _unavailable(
    request: HttpRequest, row: Registration, error: CheckoutUnavailable, *, token: str, at: datetime
) -> HttpResponse:
    context = _context(request, row, display_state_of(row, at=at), token=token, at=at)
    context |= {"unavailable": "free" if error.is_place_free else "held"}
    return render(request, "registrations/registration.html", context, status=503)


def _can_go_on(request: HttpRequest, row: Registration, state: RegistrationDisplayState) -> bool:
    """By this button; who is asked to confirm an address need not, if they are signed in under it."""
    is_known = state == RegistrationDisplayState.CONFIRM_ADDRESS and visitor_of(request).owns(row.email)
    return is_known or is_payable(row, state)


def _context(
    request: HttpRequest, row: Registration, state: RegistrationDisplayState, *, token: str, at: datetime
) -> dict[str, Any]:
    held_until = row.held_until if row.held_until and row.held_until > at else None
    refunded, unfitting = row.order.refunded_text, row.order.here_text if row.order.has_unfitting_money else ""
    return {
        "token": token,
        "registration": row,
        "order": row.order,
        "activity": row.activity,
        "display_state": state,
        "can_pay": _can_go_on(request, row, state),
        "held_until": held_until,
        "is_held_today": held_until and timezone.localdate(held_until) == timezone.localdate(at),
        "reason": decline_reason_of(row.order),
        "refunded": refunded,
        "unfitting": unfitting,
        "nothing_charged": row.order.amount and not (refunded or unfitting),
        "withdrawal": withdrawal_of(row, at=at).way,
        "has_receipt": bool(receipt_path(row)),
        "can_register_again": not row.activity.sale_at(at).is_closed,
    }
