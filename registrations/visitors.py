"""Who is asking for a place: what decides whether they may go on with what was begun under a name and an address."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts.fields import normal_address
from accounts.models import User
from config.rate_limit import client_of
from registrations.models import Registration


@dataclass(frozen=True, slots=True)
class Visitor:
    """`user`: who is signed in; `client` and `browser`: fingerprints of the network and of the browser, "" if unknown.

    A name and an address are known to others too: they alone let nobody go on.
    """

    user: User | AnonymousUser | None = None
    client: str = ""
    browser: str = ""

    def owns(self, email: str) -> bool:
        """Whether they are signed in, and have shown that they read mail at this address."""
        user = self.user
        return isinstance(user, User) and user.email_confirmed_at is not None and user.email == normal_address(email)

    def may_go_on_with(self, row: Registration) -> bool:
        """Whether it is theirs: by their account, or because this very browser has begun it."""
        return self.owns(row.email) or bool(self.browser and self.browser == row.browser)


NOBODY = Visitor()


def visitor_of(request: HttpRequest) -> Visitor:
    """Who sent this form of ours: a browser is known by the secret against forged forms, which it alone has."""
    browser = _fingerprint("browser", request.META.get("CSRF_COOKIE") or "")
    return Visitor(user=request.user, client=client_fingerprint(request), browser=browser)


def client_fingerprint(request: HttpRequest) -> str:
    """The network from which the request comes, without keeping the address itself."""
    return _fingerprint("client", client_of(request))


def _fingerprint(kind: str, secret: str) -> str:
    return salted_hmac(f"registrations.{kind}", secret, algorithm="sha256").hexdigest() if secret else ""
