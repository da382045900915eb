"""How often a password may be tried: counted for the client and for the account, at every door alike.

A try that is one too many is answered before any password is hashed.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from accounts.fields import normal_address
from config.rate_limit import ALLOWED, LimitDecision, allow, allow_one, too_often

View = Callable[..., HttpResponseBase]


def tries_a_password(view: View) -> View:
    """Decorates a page on which somebody signs in: the address is typed in the field `username`."""
    return _counted(view, scope="account.sign-in", account_of=lambda request: request.POST.get("username", ""))


def changes_a_password(view: View) -> View:
    """Decorates a page on which who is signed in shows the old password first."""
    return _counted(view, scope="account.password", account_of=lambda request: str(request.user))


def _counted(view: View, *, scope: str, account_of: Callable[[HttpRequest], str]) -> View:
    @wraps(view)
    def counted_view(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        decision = _decide(request, scope, account_of) if request.method == "POST" else ALLOWED
        return view(request, *args, **kwargs) if decision.is_allowed else too_often(request, decision)

    return counted_view


def _decide(request: HttpRequest, scope: str, account_of: Callable[[HttpRequest], str]) -> LimitDecision:
    """The client first: who is refused there uses up no try of an account."""
    by_client = allow(request, scope)
    account = normal_address(account_of(request))
    if not by_client.is_allowed or not account:
        return by_client
    window = timedelta(milliseconds=settings.STRIPE_RATE_LIMIT_WINDOW)
    # Counted without keeping the address.
    name = sha256(account.encode()).hexdigest()
    return allow_one(name, f"{scope}.account", most=settings.STRIPE_RATE_LIMIT_MAX, window=window)
