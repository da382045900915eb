"""`manage.py diagnose`: why is something not as it should be? Any id, address or name; or why webhooks fail."""

import json
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from payments.diagnosis.diagnose import Diagnosis, Outcome, diagnose, subjects_of
from payments.diagnosis.findings import Finding, Severity, name_of
from payments.diagnosis.webhooks import WebhookReport, diagnose_webhooks

MARKS = {
    Severity.FINE: "ok     ", Severity.NOTE: "note   ", Severity.UNCHECKED: "unknown", Severity.WAITING: "waiting",
    Severity.PROBLEM: "PROBLEM",
}  # fmt: skip
# As argparse has it for wrong use; where nothing was found it is 2 as well.
Answer = Diagnosis | WebhookReport


class Command(BaseCommand):
    """Exit code 0: healthy; 1: something was found; 2: nothing is known by that name, or the command is wrong."""

    help = (
        "Say why something is not as it should be, with the evidence and the remedy. Changes nothing. Exit code: "
        "0 healthy, 1 something found, 2 unknown (nothing goes by that name, or Stripe did not answer), or wrong use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "ids", nargs="*", metavar="ID",
            help="evt_ cs_ pi_ ch_ re_ du_ sub_ in_ cus_ …, O-000123, an id of a registration, A-000012, "
            "the beginning of a token, an e-mail address, a name, a request id",
        )  # fmt: skip
        parser.add_argument("--webhooks", action="store_true", help="why were deliveries refused in the last 24 hours?")
        parser.add_argument("--ask-stripe", action="store_true", help="ask Stripe as well (5 seconds at most)")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        ids = list(dict.fromkeys(each.strip() for each in options["ids"]))
        if not (ids or options["webhooks"]) or "" in ids:
            raise CommandError("Name what is to be diagnosed, or say --webhooks.", returncode=2)
        at, with_stripe = timezone.now(), options["ask_stripe"]
        answers: list[Answer] = [diagnose(each, at=at, with_stripe=with_stripe) for each in ids]
        if options["webhooks"]:
            answers.append(diagnose_webhooks(at=at, with_stripe=with_stripe))
        self.stdout.write(_as_json(answers) if options["json"] else "\n\n".join(map(_as_text, answers)))
        if code := _exit_code(answers):
            raise SystemExit(code)


def _exit_code(answers: Iterable[Answer]) -> int:
    """What was found counts more than what is not known."""
    outcomes = {answer.outcome for answer in answers}
    return next((each.exit_code for each in (Outcome.FOUND, Outcome.UNKNOWN) if each in outcomes), 0)


def _as_json(answers: Iterable[Answer]) -> str:
    return json.dumps({"diagnoses": [answer.as_dict() for answer in answers]}, cls=DjangoJSONEncoder)


def _as_text(answer: Answer) -> str:
    head = f"{answer.named.text}: {answer.verdict}" if isinstance(answer, Diagnosis) else answer.verdict
    lines = [head]
    if isinstance(answer, Diagnosis):
        about = [name_of(row) for row in subjects_of(answer.named, answer.records)]
        lines += [f"  About: {', '.join(about)}"] if about else []
        lines += [f"  {name_of(row)} ({getattr(row, 'email', '')})" for row in answer.named.choices]
    return "\n".join([*lines, *(line for each in answer.findings for line in _lines(each)), *_asked(answer)])


def _lines(finding: Finding) -> list[str]:
    remedy = finding.remedy
    told = [f"  {MARKS[finding.severity]}  {finding.sentence}"]
    if remedy:
        told.append(f"           → {remedy.sentence} {f'`{remedy.command}`' if remedy.command else ''}".rstrip())
    return told


def _asked(answer: Answer) -> list[str]:
    return [f"  Stripe was asked: {answer.stripe.asked_at:%Y-%m-%d %H:%M:%S} UTC"] if answer.stripe else []
