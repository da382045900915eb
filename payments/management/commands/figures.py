"""`manage.py figures`: counts the days of the dashboard again from the rows, or only compares."""

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from config.command_line import past_day
from payments.figures.check import as_json, in_words
from payments.figures.rollup import compare_all, refresh_figures

LINES_SHOWN = 50


class Command(BaseCommand):
    """Exit code 0: the roll-ups say what the rows say (now); 1: with --check something differs, or a wrong argument."""

    help = (
        "Count the daily figures of the dashboard again from the rows, all of them or since a day, and say what "
        "differed; with --check change nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", metavar="DATE", type=past_day, help="2026-11-01, in the site's zone; usually: all there is"
        )
        parser.add_argument("--check", action="store_true", help="only compare; exit code 1 where something differs")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, since: date | None, check: bool, **options: Any) -> None:
        at = timezone.now()
        days, found = 0, []
        for span, differences in compare_all(since=since, heal=not check, at=at):
            days += (span.last - span.first).days + 1
            found += [as_json(each) for each in differences]
        if not check:
            refresh_figures(at=at)
        self.stdout.write(_as_json(days, found) if options["json"] else _as_text(days, found, check=check))
        if check and found:
            raise CommandError("The figures differ from the rows. Without --check they are put right.")


def _as_json(days: int, found: list[dict[str, Any]]) -> str:
    return json.dumps({"days": days, "differences": found})


def _as_text(days: int, found: list[dict[str, Any]], *, check: bool) -> str:
    lines = [f"  {in_words(each)}" for each in found[:LINES_SHOWN]]
    if len(found) > LINES_SHOWN:
        lines.append(f"  … and {len(found) - LINES_SHOWN} more")
    verdict = "differ" if check else "differed and are right now"
    summary = f"{len(found)} figures {verdict}." if found else "They say what the rows say."
    return "\n".join([f"{days} days compared.", *lines, summary])
