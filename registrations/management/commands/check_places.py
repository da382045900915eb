"""`manage.py check_places`: do the places of every activity add up? Repairs a counter only with a reason."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from registrations.breaches import Breach, BreachKind
from registrations.services.check_places import check_places

SENTENCES = {
    BreachKind.COUNTER: "the counter of places taken says {taken}, the registrations say {held}",
    BreachKind.OVERSOLD: "places {capacity}, registrations that hold one {held} (the counter says {taken})",
    BreachKind.WAITING: "paid and waiting {waiting}, although places are free ({free} of {capacity})",
}
ADVICE = {
    BreachKind.COUNTER: "`--repair --because TEXT` lets the counter say what the registrations say.",
    BreachKind.OVERSOLD: "A repair is refused: add places in the admin, or free one.",
    BreachKind.WAITING: "The worker gives free places to those who paid, every minute: does it run?",
}


class Command(BaseCommand):
    """Exit code 1 while something does not add up."""

    help = "Check that as many places are taken as registrations hold one, that none is sold twice, and nobody waits."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="put counters right, with the evidence kept")
        parser.add_argument("--because", default="", metavar="TEXT", help="why: needed for a repair")

    def handle(self, *args: Any, repair: bool, reason: str, **options: Any) -> None:
        if repair != bool(reason.strip()):
            raise CommandError("A repair needs a reason, and a reason a repair: --repair --because TEXT.")
        breaches = check_places(at=timezone.now(), repair=repair, reason=reason)
        for breach in breaches:
            self.stdout.write(_sentence(breach))
        if not all(breach.is_repaired for breach in breaches):
            raise CommandError("The places do not add up. Staff get an e-mail.")
        self.stdout.write("The places add up.")


def _sentence(breach: Breach) -> str:
    free = breach.capacity - breach.taken
    told = SENTENCES[breach.kind].format(
        taken=breach.taken, held=breach.held, capacity=breach.capacity, waiting=breach.waiting, free=free
    )
    end = "Repaired." if breach.is_repaired else ADVICE[breach.kind]
    return f"{breach.activity}: {told}. {end}"
