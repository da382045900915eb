"""`manage.py seed_demo`: demo activities in every state of sale, and people who wait to pay; safe to run again.

`--size 30000` fills the shop besides, as if it had sold for a while.
"""

import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from config.command_line import at_least_one, past_day
from payments.samples.crowd import NoneFree
from payments.samples.seeding import AlreadySeeding, Report
from payments.samples.seeding import seed as fill_shop
from payments.samples.telling import NotTold
from registrations.demo_things import (
    BASKETS,
    BINDING,
    CHOIR,
    CURRENCY,
    FIRST_AID,
    KILN,
    OPEN_DAY,
    POTTERY,
    WATERCOLOUR,
    Thing,
    keep_pictures,
)
from registrations.models import Activity, EmailState, Registration, WaitingEntry
from registrations.services.register import ActivityFull, AlreadyRegistered, SalesClosed, confirm_free, register


@dataclass(frozen=True, slots=True)
class Spec:
    """One demo activity: it takes place some `days` from now. `waiting`: so many wait for a place."""

    slug: str
    thing: Thing
    capacity: int
    days: int
    has_people: bool = True
    waiting: int = 0
    called_off_because: str = ""


ILL = "L’animatrice est souffrante. Our instructor is ill."
# Open, free, with few places, full with a waiting list, over, and called off: what a shop can have.
ACTIVITIES = (
    Spec("pottery", POTTERY, 20, 14),
    Spec("first-aid", FIRST_AID, 12, 21),
    Spec("choir", CHOIR, 5, 30),
    Spec("open-day", OPEN_DAY, 40, 10, has_people=False),
    Spec("kiln", KILN, 3, 17, waiting=2),
    Spec("bookbinding", BINDING, 8, 35, has_people=False),
    Spec("baskets", BASKETS, 10, -12, has_people=False),
    Spec("watercolour", WATERCOLOUR, 12, 8, has_people=False, called_off_because=ILL),
)
PEOPLE = (
    ("Camille Martin", "camille.martin@example.com", "fr"),
    ("Alex Smith", "alex.smith@example.com", "en"),
    ("Inès Dubois", "ines.dubois@example.com", "fr"),
)
WAITING_PEOPLE = (
    ("Nadia Benali", "nadia.benali@example.com", "fr"),
    ("Oscar Weber", "oscar.weber@example.com", "en"),
)


MAX_SIZE = 10_000_000
USUAL_SPAN = timedelta(days=730)
IN_PRODUCTION = (
    "This is production: made-up people would stand among real ones, and their money in every figure. "
    "Say --in-production if that is what you want."
)


class Command(BaseCommand):
    """Creates what is missing of the demo data. Exit code 1: it was refused, or interrupted."""

    help = (
        "Create demo activities and registrations that wait for payment (safe to run again); with --size a whole shop: "
        "registrations with their orders, payments, events and mails (none goes out), and purchases of modules."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--size", type=at_least_one, metavar="N", help="make demo registrations until there are N")
        parser.add_argument(
            "--since", type=past_day, metavar="DAY", help="when the first began, as 2024-01-01; usually: two years ago"
        )
        parser.add_argument("--in-production", action="store_true", help="with --size: in a real shop, too")

    def handle(self, *args: Any, size: int | None, since: date | None, **options: Any) -> None:
        at = timezone.now()
        if size is None:
            if since or options["in_production"]:
                raise CommandError("--since and --in-production belong to --size.")
            self._show(seed(at=at))
            return
        if settings.PRODUCTION and not options["in_production"]:
            raise CommandError(IN_PRODUCTION)
        if size > MAX_SIZE:
            raise CommandError(f"--size: at most {MAX_SIZE}.")
        self._fill(Report(size), since=_midnight(since) if since else at - USUAL_SPAN, at=at)

    def _show(self, made: list[Registration]) -> None:
        if not made:
            self.stdout.write("The demo data is there already.")
        for row in made:
            self.stdout.write(f"{row.order.number}  {row.order.price}  {row.order.label}: {row.name}")

    def _fill(self, report: Report, *, since: datetime, at: datetime) -> None:
        # Only for somebody who watches a terminal: logs and pipes get none.
        bar = tqdm(unit=" orders", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False, mininterval=0)

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)
            if done == total:
                bar.close()

        with bar:
            try:
                fill_shop(report=report, since=since, at=at, show=show)
            except (AlreadySeeding, NoneFree, NotTold) as refusal:
                raise CommandError(str(refusal)) from refusal
            except KeyboardInterrupt:
                raise CommandError(f"{_as_text(report)}\nInterrupted: run it again for the rest.") from None
        self.stdout.write(_as_text(report))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), tzinfo=timezone.get_default_timezone())


def _as_text(report: Report) -> str:
    """What was there, what was made, and the rows of each table."""
    lines = [
        f"{report.made[name]} {name} made" + (f", {known} were there already." if known else ".")
        for name, known in report.found.items()
    ]
    if not report.rows:
        return "\n".join(lines)
    width = max(map(len, report.rows))
    lines += [f"  {table:{width}} {count:9}" for table, count in report.rows.most_common()]
    rate = report.rows.total() / max(report.seconds, 0.1)
    return "\n".join([*lines, f"{report.rows.total()} rows in {report.seconds} s ({rate:.0f} a second)."])


def seed(*, at: datetime) -> list[Registration]:
    """Create what is missing. Returns the registrations that are new."""
    return [row for spec in ACTIVITIES for row in _fill(_activity(spec, at=at), spec, at=at)]


def _activity(spec: Spec, *, at: datetime) -> Activity:
    if found := Activity.objects.filter(slug=spec.slug).first():
        return found
    picture = keep_pictures([spec.thing])[spec.thing.picture]
    columns = spec.thing.columns(starts_at=spec.thing.starts_after(at + timedelta(days=spec.days)), picture=picture)
    activity = Activity(slug=spec.slug, currency=CURRENCY, capacity=spec.capacity, **columns)
    if spec.called_off_because:
        activity.is_on_sale, activity.called_off_at = False, at
        activity.called_off_reason = spec.called_off_because
    activity.save()
    return activity


def _fill(activity: Activity, spec: Spec, *, at: datetime) -> list[Registration]:
    """They hold more places at once than a visitor may, and nobody is asked whether the address is theirs."""
    if not spec.has_people or activity.registrations.exists():
        return []
    made = []
    for name, email, language in PEOPLE:
        try:
            row = register(activity=activity, name=name, email=email, language=language, at=at)
        except (ActivityFull, AlreadyRegistered, SalesClosed):
            continue
        if not row.order.amount:
            confirm_free(registration=row, at=at)
        made.append(row)
    for name, email, language in WAITING_PEOPLE[: spec.waiting]:
        _let_wait(activity, name=name, email=email, language=language, at=at)
    return made


def _let_wait(activity: Activity, *, name: str, email: str, language: str, at: datetime) -> None:
    """As somebody does whose address is confirmed."""
    WaitingEntry.objects.create(
        activity=activity, name=name, email=email, language=language, created_at=at, email_state=EmailState.CONFIRMED
    )
