"""`manage.py drill list|start|status|hint|score|end`: an incident on the Stripe emulator, solved by staff, judged."""

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone
from django.utils.timezone import localtime

from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from registrations.drills.drill import COST_OF_A_HINT, FULL_SCORE, Line, Score
from registrations.drills.playing import DRILLS, end, hint, require_emulator, score, start
from registrations.drills.state import DrillRefused, Run, current_run


class Command(BaseCommand):
    """Exit code 1: refused, or (score) not all was done."""

    help = (
        "Play an incident on the Stripe emulator (start), say what staff were told (status), help for points (hint), "
        "judge what was done so far (score, which changes nothing), and put everything back (end)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="the drills and what each teaches")
        starting = acts.add_parser("start", help="break something; one drill at a time")
        starting.add_argument("name", choices=list(DRILLS))
        acts.add_parser("status", help="the drill that runs, and its ticket")
        acts.add_parser("hint", help=f"the next hint; costs {COST_OF_A_HINT} points")
        judging = acts.add_parser("score", help="what was done and what is missing; exit code 0 when all is done")
        judging.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
        acts.add_parser("end", help="put the emulator back")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        acts = {
            "list": self._list, "start": self._start, "status": self._status, "hint": self._hint,
            "score": self._score, "end": self._end,
        }  # fmt: skip
        try:
            require_emulator()
            acts[options["act"]](options)
        except DrillRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        except (GatewayRefused, GatewayUnavailable) as trouble:
            raise CommandError(
                f"The emulator: {trouble} `manage.py drill end` puts back what was changed."
            ) from trouble

    def _list(self, options: dict[str, Any]) -> None:
        for drill in DRILLS.values():
            self.stdout.write(f"{drill.name:<16}{drill.teaches}")

    def _start(self, options: dict[str, Any]) -> None:
        run = start(name=options["name"], at=timezone.now())
        self._tell(run)

    def _status(self, options: dict[str, Any]) -> None:
        self._tell(current_run())

    def _tell(self, run: Run) -> None:
        self.stdout.write(f"{run.drill}, since {localtime(run.started_at):%H:%M}; hints: {run.hints}.")
        if not run.is_ready:
            self.stdout.write("Its start was cut short: `manage.py drill end` puts everything back.")
        self.stdout.write(f"\n{DRILLS[run.drill].ticket}\n")
        self.stdout.write(f"The staff's site: {settings.SITE_URL}/admin/")
        self.stdout.write(f"Stripe's Dashboard is the emulator's console: {settings.STRIPE_EMULATOR_URL}/")

    def _hint(self, options: dict[str, Any]) -> None:
        self.stdout.write(hint(current_run()))

    def _score(self, options: dict[str, Any]) -> None:
        run = current_run()
        found = score(run, at=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(run, found)))
        else:
            for line in found.lines:
                self.stdout.write(_as_text(line))
            self.stdout.write(f"{found.points} of {FULL_SCORE} points, {found.minutes} min, hints: {found.hints}.")
        if not found.is_solved:
            sys.exit(1)

    def _end(self, options: dict[str, Any]) -> None:
        for each in end():
            self.stdout.write(f"  {each}")
        self.stdout.write("The drill is over.")


def _as_text(line: Line) -> str:
    check, finding = line.check, line.finding
    if line.is_well:
        word = "kept" if line.is_trap else "done"
        when = f", {localtime(finding.done_at):%H:%M:%S}" if finding.done_at else ""
        return f"{line.points:>4}  {word}: {check.needed}{when}"
    word = "done wrongly" if line.is_trap else "not done"
    return f"{line.points:>4}  {word}: {check.needed}. {finding.missing}\n      instead: {check.remedy}"


def _as_json(run: Run, found: Score) -> dict[str, Any]:
    return {
        "drill": run.drill, "started_at": run.started_at.isoformat(), "points": found.points, "of": FULL_SCORE,
        "solved": found.is_solved, "minutes": found.minutes, "hints": found.hints,
        "checks": [
            {
                "name": line.check.name, "trap": line.is_trap, "ok": line.is_well, "points": line.points,
                "needed": line.check.needed, "missing": line.finding.missing, "remedy": line.check.remedy,
                "done_at": line.finding.done_at.isoformat() if line.finding.done_at else None,
            }
            for line in found.lines
        ],
    }  # fmt: skip
