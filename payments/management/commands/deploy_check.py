"""`manage.py deploy_check`: the checklist of a deployment, each box with what was found (docs/deployment.md)."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, no_translations
from django.utils import timezone

from payments.health.deployment import Box, BoxState, check_deployment

SECONDS = 15.0
MARKS = {BoxState.OK: "[x]", BoxState.WRONG: "[!]", BoxState.PERSON: "[ ]"}
PHASES = {
    "before": "Before", "deployment": "Deployment", "after": "After", "rollback": "Rollback, if it must be",
}  # fmt: skip


class Command(BaseCommand):
    """Exit code 1: something is wrong, or could not be looked at."""

    help = (
        "Go through the checklist of a deployment: [x] is as it should be, [!] is wrong, [ ] is for a person to look "
        "at. Changes and sends nothing. Exit code: 0 nothing is wrong, 1 something is, or could not be looked at."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        boxes = check_deployment(at=timezone.now(), seconds=SECONDS)
        wrong = sum(each.state == BoxState.WRONG for each in boxes)
        if options["json"]:
            told = {"well": not wrong, "wrong": wrong, "boxes": [each.as_dict() for each in boxes]}
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write("\n".join(_as_text(boxes, wrong)))
        if wrong:
            raise SystemExit(1)


def _as_text(boxes: list[Box], wrong: int) -> Iterator[str]:
    for phase, heading in PHASES.items():
        of_phase = [each for each in boxes if each.phase == phase]
        if of_phase:
            yield heading
        for each in of_phase:
            yield f"  {MARKS[each.state]} {each.title}: {each.says}".rstrip(": ")
            if each.remedy or each.command:
                yield f"      → {each.remedy} {f'`{each.command}`' if each.command else ''}".replace(
                    "→  ", "→ "
                ).rstrip()
    asked = sum(each.state == BoxState.PERSON for each in boxes)
    yield f"{wrong or 'Nothing'} {'are' if wrong > 1 else 'is'} wrong, {asked} for a person to look at."
