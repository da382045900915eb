"""`manage.py modules_repair`: finds accesses that do not say what their sources say, and puts them right."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone
from tqdm import tqdm

from modules_access.repair import AlreadyRepairing, Difference, Report, repair

ACTOR = "manage.py modules_repair"
MAX_LINES = 20
KIND_LABELS = {
    "created": "given that were missing", "given_back": "given back", "withdrawn": "withdrawn",
    "moved": "with another date, person or module",
}  # fmt: skip


class Command(BaseCommand):
    """Exit code 1: another repair is under way, or this one was interrupted."""

    help = "Compare every access with what gives it (orders, subscriptions, tokens), and put right what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only show what differs; change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        at, is_dry_run = timezone.now(), options["dry_run"]
        report = Report(at=at, dry_run=is_dry_run, by=ACTOR)
        with _ProgressBar() as bar:
            try:
                repair(at=at, dry_run=is_dry_run, by=ACTOR, progress=bar.show, report=report)
            except AlreadyRepairing as refusal:
                raise CommandError(str(refusal)) from refusal
            except KeyboardInterrupt:
                bar.close()
        self.stdout.write(json.dumps(report.as_dict()) if options["json"] else _as_text(report))
        if not report.is_complete:
            raise CommandError("Interrupted: what was put right stays so. Run it again for the rest.")


class _ProgressBar:
    """Only for somebody who watches a terminal: logs and pipes get none."""

    def __init__(self) -> None:
        self.bar = tqdm(
            total=0, unit=" sources", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False, mininterval=0
        )

    def __enter__(self) -> "_ProgressBar":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def show(self, done: int, total: int) -> None:
        """How many sources of how many were compared."""
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        """Leave the line to what is printed next."""
        self.bar.close()


def _as_text(report: Report) -> str:
    compared = ", ".join(f"{number} {name}" for name, number in report.compared.items()) or "nothing"
    lines = [f"Looked at {compared} in {report.seconds:.1f} s."]
    lines += [line for each in report.differences[:MAX_LINES] for line in _lines(each)]
    if report.total > MAX_LINES:
        lines.append(f"  … and {report.total - MAX_LINES} more")
    lines += [f"{_counts(report)}." if report.total else "Every access says what its source says."]
    for kind, number in sorted(report.mails.items()):
        lines.append(f"Mails that {'would go' if report.dry_run else 'go'} out: {number} {kind}.")
    return "\n".join([*lines, *(["Dry run: nothing was changed."] if report.dry_run else [])])


def _lines(each: Difference) -> list[str]:
    fields = [f"    {name}: {before or '–'} → {after or '–'}" for name, before, after in each.fields]
    access = each.access or "no access"
    return [f"  {access} by {each.access_type} ({each.source}), {each.person}, {each.module}: {each.what}", *fields]


def _counts(report: Report) -> str:
    """ "3 accesses were put right: 2 withdrawn (2 by purchase); 1 given back (1 by token)"."""
    parts = []
    for kind, number in report.counts_by_kind().items():
        sources = ", ".join(f"{n} by {by}" for by, kinds in report.counts_by_source().items() if (n := kinds.get(kind)))
        parts += [f"{number} {KIND_LABELS[kind]} ({sources})"] if number else []
    noun = "access" if report.total == 1 else "accesses"
    verb = "would be" if report.dry_run else "was" if report.total == 1 else "were"
    return f"{report.total} {noun} {verb} put right: {'; '.join(parts)}"
