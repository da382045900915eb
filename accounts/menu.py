"""The staff's menu: every screen and page under the job that it is for, with how many rows wait there for somebody."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import Model, QuerySet, TextChoices, Value
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

MOST_COUNTED = 99
LAST_POSITION = 50
# How many wait at a page: a number, or the rows, which the menu counts with all others in one query; None: no number.
Count = Callable[[HttpRequest], int | list[QuerySet] | None]


class Job(TextChoices):
    """What staff do, in the order of the menu; TECHNICAL is for those who want to know exactly."""

    TODO = "todo", _("To do")
    DASHBOARD = "dashboard", _("Dashboard")
    ORDERS = "orders", _("Orders")
    REGISTRATIONS = "registrations", _("Registrations")
    ACTIVITIES = "activities", _("Activities")
    SUBSCRIPTIONS = "subscriptions", _("Subscriptions")
    PEOPLE = "people", _("People")
    LEARNING = "learning", _("Learning")
    SHOP = "shop", _("Shop")
    EVENTS = "events", _("Stripe events")
    HEALTH = "health", _("Health")
    TECHNICAL = "technical", _("Technical")


@dataclass(frozen=True, slots=True)
class StaffPage:
    """A page of our own; see `accounts.staff_site.staff_page`."""

    route: str
    name: str
    title: str | Promise
    job: Job | None
    permission: str
    count: Count | None
    position: int
    view: Callable[..., HttpResponseBase]


@dataclass(slots=True)
class Entry:
    """A line of the menu. `count`: how many wait there, at most MOST_COUNTED + 1."""

    name: str
    address: str
    position: int
    count: int = 0
    is_current: bool = False

    @property
    def count_text(self) -> str:
        return _at_most(self.count)


@dataclass(slots=True)
class Section:
    """The entries of one job, of which the first leads: the job's own line opens it."""

    job: Job
    entries: list[Entry] = field(default_factory=list)

    @property
    def is_technical(self) -> bool:
        return self.job == Job.TECHNICAL

    @property
    def address(self) -> str:
        return self.entries[0].address

    @property
    def is_current(self) -> bool:
        return any(entry.is_current for entry in self.entries)

    @property
    def count_text(self) -> str:
        """What the leading entry counts, or else all of them."""
        return _at_most(self.entries[0].count or sum(entry.count for entry in self.entries))


def _at_most(count: int) -> str:
    """ "7", "99+"; "" where nothing waits."""
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")


Registry = Mapping[type[Model], ModelAdmin]


def build_menu(request: HttpRequest, screens: Registry, pages: Iterable[StaffPage]) -> list[Section]:
    """What who asks may open, by job; one query counts all that waits at screens of rows."""
    sections = {job: Section(job) for job in Job}
    visible = dict(visible_screens(screens, request))
    may_open = request.user.has_perm
    open_pages = [page for page in pages if page.job and (not page.permission or may_open(page.permission))]
    waiting = {page.name: page.count(request) if page.count else None for page in open_pages}
    rows = {label: _waiting_rows(screen, request) for label, screen in visible.items()}
    for name, found in waiting.items():
        rows |= {f"{name} {index}": each for index, each in enumerate(found)} if isinstance(found, list) else {}
    counts = count_waiting(rows)
    for label, screen in visible.items():
        name = str(capfirst(screen.opts.verbose_name_plural))
        sections[_job_of(screen)].entries.append(Entry(name, _list_of(screen), _position_of(screen), counts[label]))
    for page in open_pages:
        count = _count_of(page.name, waiting[page.name], counts)
        entry = Entry(str(page.title), reverse(f"admin:{page.name}"), page.position, count)
        sections[page.job or Job.TECHNICAL].entries.append(entry)
    menu = [section for section in sections.values() if section.entries]
    for section in menu:
        section.entries.sort(key=attrgetter("position", "name"))
    _mark_current(menu, request.path)
    return menu


def visible_screens(screens: Registry, request: HttpRequest) -> Iterator[tuple[str, ModelAdmin]]:
    """Those that who asks may open, by the label of their rows ("payments.order"), in the order of the menu."""
    jobs = list(Job)
    for screen in sorted(screens.values(), key=lambda each: (jobs.index(_job_of(each)), _position_of(each))):
        if screen.has_module_permission(request) and screen.has_view_or_change_permission(request):
            yield screen.opts.label_lower, screen


def _count_of(name: str, waiting: int | list[QuerySet] | None, counts: Counter[str]) -> int:
    if isinstance(waiting, list):
        return sum(counts[f"{name} {index}"] for index in range(len(waiting)))
    return waiting or 0


def count_waiting(rows: Mapping[str, QuerySet | None]) -> Counter[str]:
    """How many rows there are under each name, one more than MOST_COUNTED at most, in one query."""
    limited = [
        each.order_by().values_list(Value(name))[: MOST_COUNTED + 1] for name, each in rows.items() if each is not None
    ]
    if not limited:
        return Counter()
    first, *others = limited
    return Counter(name for (name,) in (first.union(*others, all=True) if others else first))


def current_trail(menu: Iterable[Section]) -> list[tuple[str, str]]:
    """Address and words of the job and of the entry on which one is."""
    for section in menu:
        for entry in section.entries:
            if entry.is_current:
                trail = [(section.address, str(section.job.label)), (entry.address, entry.name)]
                return trail if trail[0] != trail[1] else trail[:1]
    return []


def _job_of(screen: ModelAdmin) -> Job:
    return getattr(screen, "job", Job.TECHNICAL)


def _position_of(screen: ModelAdmin) -> int:
    return getattr(screen, "position", LAST_POSITION)


def _waiting_rows(screen: Any, request: HttpRequest) -> QuerySet | None:
    rows: QuerySet | None = screen.waiting_rows(request) if hasattr(screen, "waiting_rows") else None
    return rows


def _list_of(screen: ModelAdmin) -> str:
    return reverse(f"admin:{screen.opts.app_label}_{screen.opts.model_name}_changelist")


def _mark_current(menu: list[Section], address: str) -> None:
    """The longest address below which one is; the first page is only itself."""
    first = reverse("admin:index")
    entries = [entry for section in menu for entry in section.entries if address.startswith(entry.address)]
    entries = [entry for entry in entries if entry.address != first or address == first]
    if entries:
        max(entries, key=lambda entry: len(entry.address)).is_current = True
