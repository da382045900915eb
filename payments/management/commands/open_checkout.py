"""`manage.py open_checkout ORDER`: opens Stripe's payment page for an order and prints its address."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from payments.checkout.attempts import OrderNotPayable
from payments.checkout.open_checkout import OpenedCheckout, open_checkout
from payments.orders.models import Order
from payments.samples.story import NoOrder, pick_payable
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable


class Command(BaseCommand):
    """Asks Stripe, or the emulator, for the one session in which the order can be paid."""

    help = "Open Stripe's payment page for an order that waits for payment, and print its address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("order", nargs="?", help="number (O-000012), key or public id; else the newest")
        parser.add_argument("--registration", help="instead: public id, or id in the old system")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        if None not in (options["order"], options["registration"]):
            raise CommandError("Name the order or the registration, not both.")
        if not settings.STRIPE_SECRET_KEY:
            raise CommandError("STRIPE_SECRET_KEY is not set, so Stripe cannot be asked. Nothing was changed.")
        try:
            order = pick_payable(order=options["order"], registration=options["registration"])
            opened = open_checkout(order_id=order.pk, at=timezone.now())
        except (NoOrder, OrderNotPayable, GatewayUnavailable) as error:
            raise CommandError(str(error)) from error
        except GatewayRefused as error:
            raise CommandError(_refusal_text(error)) from error
        self.stdout.write(json.dumps(_as_json(order, opened)) if options["json"] else _as_text(order, opened))


def _refusal_text(refusal: GatewayRefused) -> str:
    details = ", ".join(word for word in (refusal.code, refusal.request_id) if word)
    return f"Stripe refuses: {refusal.message}" + (f" ({details})" if details else "")


def _as_text(order: Order, opened: OpenedCheckout) -> str:
    until = f"until {timezone.localtime(opened.expires_at):%Y-%m-%d %H:%M %Z}" if opened.expires_at else "now"
    what = f"{order.number} {order.label}".strip()
    return f"{what}, {order.price}: can be paid {until} (attempt {opened.number}) at\n{opened.url}"


def _as_json(order: Order, opened: OpenedCheckout) -> dict[str, Any]:
    return {
        "order": order.number,
        "public_id": str(order.public_id),
        "attempt": opened.number,
        "session": opened.session,
        "url": opened.url,
        "expires_at": opened.expires_at.isoformat() if opened.expires_at else None,
    }
