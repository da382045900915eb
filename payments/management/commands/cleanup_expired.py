"""`manage.py cleanup_expired`: settles the orders whose time is over, by what Stripe tells about them."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from config.command_line import at_least_one
from payments.cleanup.cleanup import MAX_ORDERS_PER_RUN, Summary, clean_up
from payments.cleanup.decide import Decision, Verdict
from payments.ledger.record import requeue_naming
from payments.orders.models import Order


class Command(BaseCommand):
    """Exit code 1 where Stripe did not answer or something failed: what is left waits for the next run."""

    help = "Confirm what was paid, and free the places of orders that nobody can pay any more. Stripe is asked first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only ask Stripe and tell; change nothing anywhere")
        parser.add_argument(
            "--limit", type=at_least_one, default=MAX_ORDERS_PER_RUN, help="so many orders (%(default)s)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        summary = clean_up(at=timezone.now(), dry_run=options["dry_run"], limit=options["limit"])
        requeue_naming(summary.new_references, at=timezone.now())
        self.stdout.write(json.dumps(_as_json(summary)) if options["json"] else _as_text(summary))
        if summary.is_cut_short:
            raise CommandError("Stripe does not answer: the rest waits for the next run.")
        if summary.count(Verdict.ERROR):
            raise CommandError("Some orders could not be settled: the log says why.")


def _as_text(summary: Summary) -> str:
    lines = [_line(decision) for decision in summary.decisions]
    counts = ", ".join(f"{count} {name}" for name, count in summary.counts.items())
    return "\n".join([*lines, f"{counts}." + (" Dry run: nothing was changed." if summary.is_dry_run else "")])


def _line(decision: Decision) -> str:
    answer = f" (Stripe: {decision.answer})" if decision.answer else ""
    return f"{Order(pk=decision.order_id).number}  {decision.reason}{answer}"


def _as_json(summary: Summary) -> dict[str, Any]:
    return {
        "dry_run": summary.is_dry_run,
        "cut_short": summary.is_cut_short,
        **summary.counts,
        "orders": [
            {
                "order": Order(pk=decision.order_id).number,
                "decision": str(decision.verdict),
                "reason": decision.reason,
                "answer": decision.answer,
            }
            for decision in summary.decisions
        ],
    }
