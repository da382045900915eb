"""`manage.py refund ORDER`: asks for money of an order to go back, after saying what will happen."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from payments.actions.amounts import minor_units
from payments.actions.desk import look, refund_order
from payments.actions.refunds_asked import Left
from payments.money import format_amount
from payments.operations.samples.pick import NoOrder, pick_order
from payments.orders.models import Order

ANY = "refund.created"
BY = "manage.py refund"


class Command(BaseCommand):
    """The same refund as the button of the order's page: one effect, carried out by a worker."""

    help = "Refund an order, wholly or in part; asks before it does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("order", help="number (O-000012), key or public id")
        parser.add_argument(
            "--amount", default="", help="a part, as 12.50 in the order's currency; else all that is left"
        )
        parser.add_argument("--because", required=True, help="why; kept with the refund")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            order = pick_order(ANY, order=options["order"] or "?")
            amount = minor_units(options["amount"], order.currency) if options["amount"] else None
            shown, left = look(order)
            self.stdout.write(_plan(order, left, amount=amount))
            self._require_consent(sure=options["yes"])
            keys = refund_order(
                order_id=order.pk, amount=amount, because=options["because"], by=BY, shown=str(shown), at=timezone.now()
            )
        except (NoOrder, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Asked for. The worker refunds at Stripe; Stripe's events tell what became of it:")
        for key in keys:
            self.stdout.write(f"  effect {key}")
        self.stdout.write(f"Follow it in the admin: order {order.number}, under effects and refunds.")

    def _require_consent(self, *, sure: bool) -> None:
        if sure:
            return
        if not sys.stdin.isatty():
            raise CommandError("Nobody is there to ask: say --yes to refund without a question.")
        if input("Refund this? Type yes: ").strip().lower() != "yes":
            raise CommandError("Nothing was refunded.")


def _plan(order: Order, left: list[Left], *, amount: int | None) -> str:
    """What will happen, line by line."""
    lines = [f"{order.number} {order.label}, {order.email or 'no e-mail address'}, {order.get_status_display()}"]
    lines += [f"  {each.payment.key}: {_words(each)} left" for each in left]
    if not left:
        raise CommandError(f"Nothing of {order.number} is left to refund.")
    back = "all that is left" if amount is None else format_amount(amount, order.currency)
    return "\n".join([*lines, f"Goes back to the buyer: {back}."])


def _words(left: Left) -> str:
    return format_amount(left.amount, left.payment.currency)
