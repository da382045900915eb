"""`/subscription/…`: back from Checkout, and on to Stripe's own pages about cards and invoices."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from config.rate_limit import limited
from payments.operations.subscribing import NoCustomer, live_of, open_portal
from payments.orders.models import Order
from payments.pages.doorway import OwnPage, see_other, to_account, user_of

# A page that waits for Stripe's news looks again every few seconds, but not for ever.
MOST_LOOKS = 15
SECONDS_BETWEEN_LOOKS = 3


@require_safe
@never_cache
@login_required
def returning(request: HttpRequest) -> HttpResponse:
    """Where Checkout leads back: waits until Stripe has told of the subscription, then on to the account."""
    order = _paid_order(request, user_of(request))
    if order is None:
        return redirect("account")
    if live_of(user_of(request)).exists():
        return to_account("began")
    looks = _looks(request)
    is_unheard = looks >= MOST_LOOKS
    response = render(request, "payments/returning.html", {"order": order, "is_unheard": is_unheard})
    if not is_unheard:
        again = urlencode({"session_id": request.GET["session_id"], "looks": looks + 1})
        response["Refresh"] = f"{SECONDS_BETWEEN_LOOKS}; url={request.path}?{again}"
    return response


@method_decorator(limited("subscription"), name="dispatch")
class PortalPage(OwnPage):
    """The button "Card and invoices"."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("account")

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        language = (get_language() or "auto")[:2]
        try:
            url = open_portal(user=user_of(request), return_path=reverse("account"), language=language)
        except NoCustomer:
            return redirect("account")
        return see_other(url)


def _paid_order(request: HttpRequest, user: User) -> Order | None:
    """The order behind the session that the person comes back from, if it is theirs; anything else is not looked at."""
    session = request.GET.get("session_id", "")
    # Stripe's ids have no other characters; a NUL would not even reach the database.
    if not session.replace("_", "").isalnum():
        return None
    return Order.objects.filter(user=user, checkouts__session=session).first()


def _looks(request: HttpRequest) -> int:
    """How often the page was shown already; 0 for anything odd."""
    told = request.GET.get("looks", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 4 else 0
