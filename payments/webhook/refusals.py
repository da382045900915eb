"""Every delivery that is refused is counted by its reason, also one that never found the webhook's address."""

from typing import Any

from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from config.errors import misaddressed, request_id
from payments.ledger.refusals import refusals

WRONG_PATH, SERVER_ERROR = "wrong_path", "server_error"


def count_refusal(request: HttpRequest, code: str) -> None:
    """One more delivery that was refused for this reason. No database in here."""
    host = str(request.META.get("HTTP_HOST", ""))
    refusals.count(code, host=host, path=request.path, request_id=request_id(request), at=timezone.now())


@receiver(misaddressed)
def count_misaddressed(sender: object, request: HttpRequest, code: str, **_later: Any) -> None:
    """What bears Stripe's signature header was meant for the webhook, wherever it has arrived."""
    if "HTTP_STRIPE_SIGNATURE" in request.META:
        count_refusal(request, code if code == "wrong_host" else WRONG_PATH)
