"""What a page may load and where its forms may lead: nothing from elsewhere, and no inline script or style."""

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "Content-Security-Policy"
STRIPE_PAGES = "https://checkout.stripe.com https://billing.stripe.com"


class ContentSecurityPolicyMiddleware:
    """Sets the policy on every answer, that of an error too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault(HEADER, self.policy)
        return response


def let_forms_lead_to(response: HttpResponse, origins: Iterable[str]) -> None:
    """Let the forms of this one page lead to these origins too: "https://learn.example", nothing behind the host."""
    response.headers[HEADER] = policy(forms_lead_to=origins)


def policy(*, forms_lead_to: Iterable[str] = ()) -> str:
    """The same for every page, but for `forms_lead_to`.

    Browsers apply `form-action` also to where the answer to a form redirects, and to where that redirects.
    """
    origins = ["'self'", stripe_origins(), *sorted(set(forms_lead_to))]
    rules = {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "form-action": " ".join(origins),
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def stripe_origins() -> str:
    """Where Checkout and the Customer Portal are: at Stripe, or where what stands in for it is called and seen."""
    if not settings.STRIPE_API_BASE:
        return STRIPE_PAGES
    return " ".join(sorted({_origin(settings.STRIPE_API_BASE), _origin(settings.STRIPE_EMULATOR_URL)}))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
