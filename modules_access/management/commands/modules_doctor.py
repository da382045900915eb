"""`manage.py modules_doctor`: why somebody has (no) access to a module, link by link, and what repairs it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from modules_access.doctor import (
    Chain,
    Conclusion,
    Diagnosis,
    InvalidQuestion,
    Link,
    LinkState,
    diagnose,
    parse_question,
)

MARKS = {LinkState.OK: "ok    ", LinkState.BROKEN: "BROKEN", LinkState.NOT_NEEDED: "–     "}


class Command(BaseCommand):
    """Exit code 1 while something does not let in."""

    help = "Walk payment → event → order → access → token → /encours; name the first broken link and the repair."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", default="", metavar="PERSON", help="e-mail address or id")
        parser.add_argument("--module", default="", metavar="MODULE", help="slug or id; else all that the person has")
        parser.add_argument("--order", default="", metavar="ORDER", help="O-000123, its public id, cs_… or pi_…")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            question = parse_question(**{name: options[name].strip() for name in ("user", "module", "order")})
            found = diagnose(question, at=timezone.now())
        except InvalidQuestion as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(json.dumps(found.as_dict(), cls=DjangoJSONEncoder) if options["json"] else _as_text(found))
        if not found.is_fine:
            raise CommandError("Not everything grants access.")


def _as_text(found: Diagnosis) -> str:
    return "\n".join(line for verdict in found.verdicts for line in _lines(verdict))


def _lines(verdict: Conclusion) -> list[str]:
    what = verdict.module.slug if verdict.module else "no module"
    lines = [f"{verdict.who}, {what}: {'grants access' if verdict.is_fine else 'gives no access'}."]
    if link := verdict.best.broken:
        lines += [f"  First broken link: {link.name}. {link.sentence}", f"  {_remedy(link)}"]
    for chain in verdict.chains:
        lines += [*([f"  By {chain.access_type} {chain.source}"] if chain.source else []), *_links(chain)]
    return lines


def _links(chain: Chain) -> list[str]:
    lines = [f"    {MARKS[link.state]}  {link.name:8} {link.sentence}" for link in chain.links]
    first = chain.broken
    if chain.repair and not (first and first.command):
        lines.append("    `manage.py modules_repair` puts its access right.")
    return lines


def _remedy(link: Link) -> str:
    return f"{link.remedy} {f'`{link.command}`' if link.command else ''}".rstrip()
