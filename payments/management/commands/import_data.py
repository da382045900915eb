"""`manage.py import_data`: takes in what another system has exported; docs/moving-in.md has an example for each."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone
from tqdm import tqdm

from payments.moving_in.files import Row, WrongFile, read_rows
from payments.moving_in.importers import Importer, Outcome, Result, all_importers
from payments.moving_in.run import AlreadyMoving, MoveOptions, Report, move_in

WORDS = {
    Outcome.CREATED: ("created", "would be created"),
    Outcome.CHANGED: ("changed", "would be changed"),
    Outcome.THERE: ("there already", "there already"),
    Outcome.REFUSED: ("refused", "would be refused"),
}
NOTHING_CHANGED = "--strict: nothing was changed."


class Command(BaseCommand):
    """Exit code 1: the file is a wrong one, a row was refused, or it ended before the last row."""

    help = (
        "Import users, registrations, orders, modules, tokens or subscriptions from CSV or JSON lines; safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=sorted(all_importers()))
        parser.add_argument("file", type=Path, help="CSV with a header (; or ,) or JSON lines, in UTF-8; or /dev/stdin")
        parser.add_argument("--dry-run", action="store_true", help="tell of every row what would become of it")
        parser.add_argument("--strict", action="store_true", help="import nothing if one row would be refused")
        parser.add_argument("--notify", action="store_true", help="send the mails that the rows bring about")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        importer = all_importers()[options["kind"]]()
        try:
            rows = read_rows(options["file"], importer.columns)
        except WrongFile as refusal:
            raise CommandError(f"{refusal} Nothing was imported.") from refusal
        is_dry_run = options["dry_run"]
        if options["strict"] and not is_dry_run:
            tried = self._run(importer, rows, is_dry_run=True, **options)
            if not tried.is_clean:
                self._finish(tried, options, NOTHING_CHANGED)
        self._finish(self._run(importer, rows, is_dry_run=is_dry_run, **options), options)

    def _run(self, importer: Importer, rows: list[Row], *, is_dry_run: bool, notify: bool, **_others: Any) -> Report:
        report = Report(importer.kind, len(rows), is_dry_run)
        options = MoveOptions(at=timezone.now(), is_dry_run=is_dry_run, notify=notify)
        # Only for somebody who watches a terminal: logs and pipes get none.
        bar = tqdm(
            total=len(rows), unit=" rows", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False, mininterval=0
        )
        with bar:
            try:
                move_in(
                    importer, rows, options=options, report=report, show=lambda done, _all: bar.update(done - bar.n)
                )
            except AlreadyMoving as refusal:
                raise CommandError(str(refusal)) from refusal
            except KeyboardInterrupt:
                report.stopped = "Interrupted: what was imported stays. Run it again for the rest."
        return report

    def _finish(self, report: Report, options: dict[str, Any], note: str = "") -> None:
        self.stdout.write(_as_json(report) if options["json"] else _as_text(report))
        if not report.is_clean:
            refused = report.counts[Outcome.REFUSED]
            told = [f"{refused} of {report.total} rows were refused." if refused else "", report.stopped, note]
            raise CommandError(" ".join(filter(None, told)))


def _as_text(report: Report) -> str:
    """A dry run tells of every row; a real one of what was changed or refused, and what staff should know."""
    lines = [
        _line(row, result, report)
        for row, result in report.done
        if report.is_dry_run or result.outcome in (Outcome.CHANGED, Outcome.REFUSED) or _is_news(result)
    ]
    counts = ", ".join(f"{count} {WORDS[Outcome(name)][report.is_dry_run]}" for name, count in report.counts.items())
    lines.append(f"{report.total} {report.kind}: {counts} ({report.seconds} s).")
    return "\n".join([*lines, *(["Dry run: nothing was changed."] if report.is_dry_run else [])])


def _is_news(result: Result) -> bool:
    return result.outcome == Outcome.CREATED and bool(result.note)


def _line(row: Row, result: Result, report: Report) -> str:
    column = f" ({result.column})" if result.column else ""
    note = f": {result.note}" if result.note else ""
    return f"  row {row.number}{column}, {row.id or 'without an id'}: {WORDS[result.outcome][report.is_dry_run]}{note}"


def _as_json(report: Report) -> str:
    rows = [
        {"row": row.number, "id": row.id, "outcome": result.outcome, "column": result.column, "note": result.note}
        for row, result in report.done
    ]
    return json.dumps({
        "kind": report.kind, "dry_run": report.is_dry_run, "total": report.total, **report.counts,
        "stopped": report.stopped, "seconds": report.seconds, "rows": rows,
    })  # fmt: skip
