"""`manage.py stripe_validate`: is everything set up to sell, here and at Stripe? And why do webhooks fail?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, no_translations
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from payments.diagnosis.findings import Finding, Severity
from payments.diagnosis.setup import STATES, SetUpReport, validate_set_up

# Nobody waits for a page.
SECONDS = 15.0
WIDTH = max(map(len, STATES.values()))


class Command(BaseCommand):
    """Exit code 0: nothing is wrong (warnings may be there); 1: something is, or could not be checked."""

    help = (
        "Check the key, the account, prices, the Customer Portal, our address as Stripe sees it, the webhook endpoint, "
        "its secret, alerts and mail; then say which deliveries were refused in the last 24 hours. Changes and sends "
        "nothing. Exit code: 0 all is well (warnings may be there), 1 something is wrong or could not be checked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        report = validate_set_up(at=timezone.now(), seconds=SECONDS)
        as_json = options["json"]
        self.stdout.write(json.dumps(report.as_dict(), cls=DjangoJSONEncoder) if as_json else _as_text(report))
        if not report.is_valid:
            raise SystemExit(1)


def _as_text(report: SetUpReport) -> str:
    found, refused = report.findings, report.webhooks
    lines = [report.verdict, *(line for each in found for line in _lines(each, STATES[each.severity]))]
    lines += ["", refused.verdict, *(line for each in refused.findings for line in _lines(each, "refused"))]
    return "\n".join(lines)


def _lines(finding: Finding, state: str) -> list[str]:
    told = [f"  {(state.upper() if finding.severity is Severity.PROBLEM else state):{WIDTH}}  {finding.sentence}"]
    if remedy := finding.remedy:
        told.append(f"{'':{WIDTH + 2}}  → {remedy.sentence} {f'`{remedy.command}`' if remedy.command else ''}".rstrip())
    return told
