"""`manage.py stripe_webhooks plan|apply|disable|enable|rotate`: our endpoint at Stripe, as the handlers want it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from config.command_line import require_consent
from payments.checks import wrong_key_fault
from payments.endpoints.change import (
    CannotChange,
    Keep,
    Plan,
    SecretNotKept,
    carry_out,
    ours,
    plan_end_of_rotation,
    plan_endpoints,
    plan_rotation,
    plan_switch,
)
from payments.endpoints.wanted import hears_by_cli
from payments.handlers.registry import handled_types
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable

DISABLED = "What happens while it is disabled is not sent later: enable it again, then run `manage.py stripe_backfill`."
SET_IT = {
    "apply": "Set it as STRIPE_WEBHOOK_SECRET (beside an older one, as long as that endpoint is there) and restart.",
    "rotate": "Set it in STRIPE_WEBHOOK_SECRET beside the old one, and restart; once events have come: "
    "`stripe_webhooks rotate --finish`.",
}  # fmt: skip


class Command(BaseCommand):
    """Exit code 1: nothing, or not all, was done; the sentence says why."""

    help = (
        "Show what differs between our webhook endpoint at Stripe and what the handlers want (plan), bring it in line "
        "(apply), switch it (disable, enable), or give it a new secret without losing an event (rotate, then "
        "rotate --finish). Asks before it changes anything."
    )

    # The first endpoint brings the first secret: whoever makes it has none yet, which is an error everywhere else.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["plan", "apply", "disable", "enable", "rotate"])
        parser.add_argument("--finish", action="store_true", help="of rotate: delete the old endpoint")
        parser.add_argument("--secret-file", metavar="PATH", help="write a new secret there (mode 0600, no other file)")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        what = options["what"]
        if options["finish"] and what != "rotate":
            raise CommandError("--finish belongs to rotate.")
        if wrong_key := wrong_key_fault():
            raise CommandError(f"{wrong_key.msg} {wrong_key.hint}")
        if hears_by_cli():
            raise CommandError("Stripe cannot reach this address (SITE_URL): use `stripe listen` on this machine.")
        try:
            plan = _plan(what, finish=options["finish"])
            self._tell(plan)
            if what != "plan" and plan.steps:
                self._carry_out(what, plan, options)
        except (CannotChange, SecretNotKept, GatewayRefused, GatewayUnavailable) as error:
            raise CommandError(_advice(error)) from error

    def _tell(self, plan: Plan) -> None:
        for step in plan.steps:
            self.stdout.write(f"  {step.told}")
            for each in step.types:
                self.stdout.write(f"    {each}")
        for note in plan.notes:
            self.stdout.write(f"  note: {note}")
        if not plan.steps:
            self.stdout.write(f"Nothing to do: {len(handled_types())} types of events are handled.")

    def _carry_out(self, what: str, plan: Plan, options: dict[str, Any]) -> None:
        if what == "disable":
            self.stdout.write(DISABLED)
        if plan.makes_a_secret and not (options["secret_file"] or self.stdout.isatty()):
            raise CommandError("Nobody would see the new secret: name a --secret-file, or run it in a terminal.")
        require_consent("Do this at Stripe?", sure=options["yes"], otherwise="Nothing was changed.")
        with self._keeping(options["secret_file"] if plan.makes_a_secret else None) as keep:
            done = carry_out(plan, keep=keep)
        for each in done:
            self.stdout.write(f"Done: {each}")
        if plan.makes_a_secret:
            self.stdout.write(SET_IT[what])

    @contextmanager
    def _keeping(self, path: str | None) -> Iterator[Keep]:
        """The file is there before Stripe is asked, and gone again where no secret came into it."""
        if path is None:
            yield lambda secret: self.stdout.write(f"The secret, told this once: {secret}")
            return
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}. Nothing was changed.") from None
        try:
            yield lambda secret: _write(file, secret)
        finally:
            is_empty = os.fstat(file).st_size == 0
            os.close(file)
            if is_empty:
                os.unlink(path)


def _plan(what: str, *, finish: bool) -> Plan:
    found = ours()
    if what in ("plan", "apply"):
        return plan_endpoints(found)
    if what == "rotate":
        return plan_end_of_rotation(found) if finish else plan_rotation(found)
    return plan_switch(found, on=what == "enable")


def _write(file: int, secret: str) -> None:
    os.write(file, f"{secret}\n".encode())
    os.fsync(file)


def _advice(error: Exception) -> str:
    """After an answer that was lost nobody knows what was done."""
    if isinstance(error, GatewayUnavailable):
        return (
            f"{error} Run `stripe_webhooks plan` to see what was done; an endpoint without its secret can be deleted."
        )
    return str(error)
