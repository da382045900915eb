"""`manage.py refund NAME`: asks for money of an order or a subscription to go back, after saying what will happen."""

from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from config.command_line import require_consent
from payments.billing.models import Payment, Subscription
from payments.money import format_amount, minor_units
from payments.orders.models import Order
from payments.refunds.refund import Owner, Refundable
from payments.refunds.staff_refunds import owner_name, preview_refund, refund_order, refund_subscription, why_nothing
from payments.samples.story import NoOrder, pick_order

ANY = "refund.created"
SOURCE = "manage.py refund"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose money; of which payment ("": of all that an order has)."""

    owner: Owner
    payment: str
    shown: str
    left: list[Refundable]

    @property
    def currency(self) -> str:
        """In which the amount is counted."""
        return self.left[0].payment.currency if self.payment and self.left else self.owner.currency


class Command(BaseCommand):
    """What the button of the page does: one effect, carried out by a worker."""

    help = "Refund an order or a payment of a subscription, wholly or in part; asks before it does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "name", metavar="order", help="number (O-000012), key or public id; in_…; sub_… for its latest payment"
        )
        parser.add_argument("--amount", help="a part, as 12.50 in its currency; else all that is left")
        parser.add_argument("--reason", "--because", dest="reason", required=True, help="kept with the refund")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            wanted = _wanted(options["name"])
            amount = None if options["amount"] is None else minor_units(options["amount"], wanted.currency)
            self.stdout.write(_plan(wanted, amount=amount))
            require_consent("Refund this?", sure=options["yes"], otherwise="Nothing was refunded.")
            keys = _refund(wanted, amount=amount, reason=options["reason"])
        except (NoOrder, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Asked for. The worker refunds at Stripe; Stripe's events tell what became of it:")
        for key in keys:
            self.stdout.write(f"  effect {key}")
        kind = "order" if isinstance(wanted.owner, Order) else "subscription"
        self.stdout.write(f"Follow it in the admin: {kind} {owner_name(wanted.owner)}, under effects and refunds.")


def _wanted(name: str) -> Wanted:
    """Raises NoOrder where nothing goes by that name."""
    if not name.startswith(("in_", "sub_")):
        order = pick_order(ANY, order=name)
        shown, left = preview_refund(order)
        return Wanted(order, "", str(shown), left)
    row = _subscription(name)
    if row is None:
        raise NoOrder(f"There is no payment of a subscription called {name}.")
    shown, left = preview_refund(row)
    payment = name if name.startswith("in_") else left[0].payment.key if left else ""
    return Wanted(row, payment, str(shown), [each for each in left if each.payment.key == payment])


def _subscription(name: str) -> Subscription | None:
    if name.startswith("sub_"):
        return Subscription.objects.filter(stripe_id=name).first()
    payment = Payment.objects.select_related("subscription").filter(key=name).first()
    return payment.subscription if payment else None


def _refund(wanted: Wanted, *, amount: int | None, reason: str) -> list[str]:
    told: dict[str, Any] = {
        "amount": amount,
        "reason": reason,
        "by": SOURCE,
        "shown": wanted.shown,
        "at": timezone.now(),
    }
    if isinstance(wanted.owner, Order):
        return refund_order(order_id=wanted.owner.pk, **told)
    return refund_subscription(subscription_id=wanted.owner.pk, payment=wanted.payment, **told)


def _plan(wanted: Wanted, *, amount: int | None) -> str:
    """What will happen, line by line."""
    owner = wanted.owner
    if not wanted.left:
        raise CommandError(why_nothing(owner))
    back = "all that is left" if amount is None else format_amount(amount, wanted.currency)
    lines = [f"  {each.payment.key}: {_words(each)} left" for each in wanted.left]
    return "\n".join([_title(owner), *lines, f"Goes back to the buyer: {back}."])


def _title(owner: Owner) -> str:
    if isinstance(owner, Order):
        return f"{owner.number} {owner.label}, {owner.email or 'no e-mail address'}, {owner.get_status_display()}"
    return f"{owner.stripe_id}, {owner.plan or 'no plan'}, {owner.customer or 'no customer'}, {owner.status_text}"


def _words(left: Refundable) -> str:
    return format_amount(left.amount, left.payment.currency)
