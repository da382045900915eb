"""`manage.py check_places`: do the places of every activity add up? Repairs a counter only with a reason."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from registrations.services.check_places import Violation, ViolationKind, check_places

SENTENCES = {
    ViolationKind.COUNTER: "the counter of places taken says {taken}, the registrations say {held}",
    ViolationKind.OVERSOLD: "places {capacity}, registrations that hold one {held} (the counter says {taken})",
    ViolationKind.WAITING: "paid and waiting {waiting}, although places are free ({free} of {capacity})",
}
ADVICE = {
    ViolationKind.COUNTER: "`--repair --reason TEXT` lets the counter say what the registrations say.",
    ViolationKind.OVERSOLD: "A repair is refused: add places in the admin, or free one.",
    ViolationKind.WAITING: "The worker gives free places to those who paid, every minute: does it run?",
}


class Command(BaseCommand):
    """Exit code 1 while something does not add up."""

    help = "Check that as many places are taken as registrations hold one, that none is sold twice, and nobody waits."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="put counters right, with the evidence kept")
        parser.add_argument(
            "--reason", "--because", dest="reason", default="", metavar="TEXT", help="needed for a repair"
        )

    @no_translations
    def handle(self, *args: Any, repair: bool, reason: str, **options: Any) -> None:
        if repair != bool(reason.strip()):
            raise CommandError("A repair needs a reason, and a reason a repair: --repair --reason TEXT.")
        violations = check_places(at=timezone.now(), repair=repair, reason=reason)
        for violation in violations:
            self.stdout.write(_sentence(violation))
        if not all(violation.is_repaired for violation in violations):
            raise CommandError("The places do not add up. Staff get an e-mail.")
        self.stdout.write("The places add up.")


def _sentence(violation: Violation) -> str:
    free = violation.capacity - violation.taken
    sentence = SENTENCES[violation.kind].format(
        taken=violation.taken, held=violation.held, capacity=violation.capacity, waiting=violation.waiting, free=free
    )
    advice = "Repaired." if violation.is_repaired else ADVICE[violation.kind]
    return f"{violation.activity}: {sentence}. {advice}"
