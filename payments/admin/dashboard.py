"""The dashboard: what the last 7, 30 or 90 days have brought, each number with its list behind it; CSV and JSON too."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from accounts.staff_site import Job, staff_context, staff_page
from payments.admin.kit.display import NONE
from payments.admin.kit.screens import may_see
from payments.figures.daily import BEGUN, DECLINED, EVENTS, EVENTS_FAILED, LAG_BOUNDS, PAID
from payments.figures.days import Days
from payments.figures.export import as_csv, as_json
from payments.figures.period import (
    BACKLOG_COUNTED,
    DEFAULT_TIMEFRAME,
    TIMEFRAMES,
    CurrencyMoney,
    DayMoney,
    Figures,
    read_figures,
)
from payments.money import format_amount
from payments.products import all_products
from payments.statuses import DisputePhase, EventStatus, SubscriptionStatus

# Of the chart, in its own units.
BAR_WIDTH, BAR_STEP, CHART_HEIGHT = 8, 10, 100
MILLISECONDS, A_MINUTE = 1000, 60


@dataclass(frozen=True, slots=True)
class Number:
    """One line of a card. `page`: the list behind it, "" where there is none or it may not be seen."""

    label: Any
    value: str
    page: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of a chart: what came stands above the line, what went back hangs below it."""

    x: int
    came_y: int
    came_height: int
    back_height: int
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The days of one currency. `base`: where the line lies."""

    money: CurrencyMoney
    bars: list[Bar]
    width: int
    height: int
    base: int


@staff_page(
    "dashboard/", name="dashboard", title=gettext_lazy("Dashboard"), job=Job.DASHBOARD,
    permission="payments.view_dashboard",
)  # fmt: skip
@require_safe
@never_cache
@gzip_page
def dashboard(request: HttpRequest) -> HttpResponse:
    """`?timeframe=7d|30d|90d`, `?format=csv|json`; another value is refused."""
    timeframe, form = request.GET.get("timeframe", DEFAULT_TIMEFRAME), request.GET.get("format", "")
    if timeframe not in TIMEFRAMES or form not in ("", "csv", "json"):
        return HttpResponseBadRequest("timeframe: 7d, 30d, 90d; format: csv, json", content_type="text/plain")
    figures = read_figures(timeframe, at=timezone.now())
    if form == "json":
        return JsonResponse(as_json(figures))
    if form == "csv":
        name = f"dashboard-{figures.days.first}-{figures.days.last}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(as_csv(figures), content_type="text/csv; charset=utf-8", headers=headers)
    screen = Screen(request, figures)
    context = staff_context(request, title=_("Dashboard"), figures=figures, screen=screen, timeframes=TIMEFRAMES)
    return TemplateResponse(request, "admin/payments/dashboard.html", context)


@dataclass(frozen=True, slots=True)
class Screen:
    """The figures in words, as the template shows them."""

    request: HttpRequest
    figures: Figures

    def page(self, model: str, **filters: object) -> str:
        """The list of these rows, filtered; "" for who may not see it."""
        if not may_see(self.request, model):
            return ""
        address = reverse(f"admin:{model.replace('.', '_')}_changelist")
        return f"{address}?{urlencode(filters)}" if filters else address

    def within(self, column: str) -> dict[str, str]:
        """The filter for this period."""
        return within(self.figures.days, column)

    def warnings(self) -> Iterator[str]:
        """What is wrong with what is shown, or with what feeds it."""
        figures = self.figures
        if figures.is_stale and figures.state:
            when = date_format(timezone.localtime(figures.state.refreshed_at), "DATETIME_FORMAT")
            yield _("These figures are from %(when)s: no worker is running.") % {"when": when}
        elif figures.is_stale:
            yield _("There are no figures yet: no worker is running.")
        if figures.waits_too_long and figures.now.oldest_due:
            when = date_format(timezone.localtime(figures.now.oldest_due), "DATETIME_FORMAT")
            yield _("Stripe events have been waiting to be processed since %(when)s.") % {"when": when}
        if figures.fails_too_often:
            yield _("Too many of today’s Stripe events could not be processed.")

    def money(self) -> list[tuple[str, str, list[Number]]]:
        """For each currency its code, what is left in words, and what that is made of."""
        return [(each.currency.upper(), self._amount(each, "net"), self._lines(each)) for each in self.figures.money]

    def _lines(self, money: CurrencyMoney) -> list[Number]:
        code, total = money.currency, money.total
        lists = {
            "received": self.page("payments.payment", currency=code, received__gt=0, **self.within("paid_at")),
            "refunded": self.page("payments.refund", currency=code, **self.within("made_at")),
            "lost": self.page("payments.dispute", currency=code, phase__exact=DisputePhase.LOST.value),
            "won_back": self.page("payments.dispute", currency=code, phase__exact=DisputePhase.CLOSED.value),
        }
        shown = [name for name in lists if name == "received" or getattr(total, name)]
        lines = [Number(MONEY_LABELS[name], self._amount(money, name), lists[name]) for name in shown]
        return [*lines, Number(_("Payments"), number_format(total.transactions), lists["received"])]

    def _amount(self, money: CurrencyMoney, name: str) -> str:
        return format_amount(getattr(money.total, name), money.currency)

    def orders(self) -> list[Number]:
        """What was begun and paid, by kind; and what banks have declined."""
        begun, paid = self.figures.counts.get(BEGUN, {}), self.figures.counts.get(PAID, {})
        labels = {product.kind: product.label or product.kind for product in all_products()}
        lines = []
        for kind, count in sorted(begun.items()):
            told = {"paid": number_format(paid.get(kind, 0)), "begun": number_format(count)}
            words = _("%(paid)s of %(begun)s paid") % told
            page = self.page("payments.order", kind=kind, **self.within("created_at"))
            lines.append(Number(labels.get(kind, kind), words, page))
        declined = self.page(
            "payments.paymentevent", type="payment_intent.payment_failed", **self.within("received_at")
        )
        return [*lines, Number(_("Declined payments"), number_format(self.figures.count(DECLINED)), declined)]

    def people(self) -> tuple[str, str]:
        """The share of users who are premium, and the numbers behind it."""
        stock = self.figures.stock
        told = {name: number_format(stock.get(name, 0)) for name in ("premium", "users")}
        return percent(self.figures.conversion_rate), _("%(premium)s of %(users)s users") % told

    def webhooks(self) -> list[Number]:
        """How many events came, and how long they waited."""
        figures, now = self.figures, self.figures.now
        more = number_format(min(now.backlog, BACKLOG_COUNTED)) + ("+" if now.backlog > BACKLOG_COUNTED else "")
        events = self.page("payments.paymentevent", **self.within("received_at"))
        failed = self.page("payments.paymentevent", status=EventStatus.FAILED, **self.within("received_at"))
        return [
            Number(_("Events received"), number_format(figures.count(EVENTS)), events),
            Number(_("Events failed"), number_format(figures.count(EVENTS_FAILED)), failed),
            Number(_("Median processing time"), seconds(figures.lag(0.5))),
            Number(_("95th percentile"), seconds(figures.lag(0.95))),
            Number(_("Waiting in the queue"), more, self.page("payments.paymentevent", status=EventStatus.RECEIVED)),
        ]

    def success(self) -> str:
        return percent(self.figures.success_rate)

    def exceptions(self) -> Number:
        return Number("", number_format(self.figures.now.exceptions), self.page("payments.orderexception"))

    def users_page(self) -> str:
        return self.page("accounts.user")

    def plans(self) -> list[dict[str, Any]]:
        """Subscriptions by plan, with what they bring in a month."""
        states = ("active", "trialing", "overdue", "paused")
        return [
            {
                "name": line["name"] or line["plan"] or _("Other plan"),
                "mrr": format_amount(line["mrr"], line["currency"]) if line["currency"] else NONE,
                "trial_mrr": format_amount(line["trial_mrr"], line["currency"]) if line["trial_mrr"] else "",
                "page": self.page("payments.subscription", status=SubscriptionStatus.ACTIVE, **self._plan(line)),
                **{state: number_format(line[state]) for state in states},
            }
            for line in self.figures.stock.get("subscriptions", ())
        ]

    def _plan(self, line: dict[str, Any]) -> dict[str, Any]:
        return {"plan__id__exact": line["plan_id"]} if line["plan_id"] else {}

    def cities(self) -> list[tuple[str, str, str, str]]:
        """City, what came from there, how many payments, and the orders behind them."""
        return [
            (
                each.city, format_amount(each.received, each.currency), number_format(each.transactions),
                self.page("payments.order", city=each.city, currency=each.currency, **self.within("created_at")),
            )
            for each in self.figures.cities
        ]  # fmt: skip

    def products(self) -> list[tuple[Any, list[Number]]]:
        """What products count: its name, and each part of it."""
        return [
            (figure.label, [
                Number(
                    figure.parts.get(part, part), number_format(count),
                    self.page(figure.rows, **{figure.part: part}, **self.within(figure.moment)),
                )
                for part, count in sorted(self.figures.counts.get(figure.name, {}).items())
            ])
            for product in all_products()
            for figure in product.figures
        ]  # fmt: skip

    def charts(self) -> list[Chart]:
        return [chart_of(each) for each in self.figures.money]

    def rows(self) -> list[tuple[str, list[tuple[str, ...]]]]:
        """For each currency its code and the days, the newest first: as the table beneath the chart has them."""
        names = ("received", "refunded", "lost", "won_back", "net")
        return [
            (money.currency.upper(), [
                (
                    date_format(day.day, "DATE_FORMAT"), self._day_page(money, day),
                    *(amount_or_dash(getattr(day, name), money.currency) for name in names),
                    number_format(day.transactions) if day.transactions else NONE,
                )
                for day in reversed(money.days)
            ])
            for money in self.figures.money
        ]  # fmt: skip

    def _day_page(self, money: CurrencyMoney, day: DayMoney) -> str:
        period = within(Days(day.day, day.day), "paid_at")
        return self.page("payments.payment", currency=money.currency, **period) if day.transactions else ""


def within(days: Days, column: str) -> dict[str, str]:
    """The filter of a list for what lies within these days."""
    ends = {f"{column}__gte": days.since, f"{column}__lt": days.until}
    return {name: moment.isoformat(timespec="minutes") for name, moment in ends.items()}


MONEY_LABELS = {
    "received": gettext_lazy("Received"),
    "refunded": gettext_lazy("Refunded"),
    "lost": gettext_lazy("Lost to disputes"),
    "won_back": gettext_lazy("Won back"),
}


def chart_of(money: CurrencyMoney) -> Chart:
    """Both sides in one scale, so that they can be compared."""
    up = max((day.received for day in money.days), default=0)
    down = max((day.went_back for day in money.days), default=0)
    scale = CHART_HEIGHT / max(1, up + max(0, down))
    base = round(up * scale) or CHART_HEIGHT
    bars = []
    for number, day in enumerate(money.days):
        came, back = round(day.received * scale), round(max(0, day.went_back) * scale)
        words = f"{date_format(day.day, 'DATE_FORMAT')}: {format_amount(day.net, money.currency)}"
        bars.append(Bar(number * BAR_STEP, base - came, came, back, words))
    return Chart(money, bars, len(money.days) * BAR_STEP, CHART_HEIGHT + 1, base)


def percent(value: float | None) -> str:
    """ "99.8%"; a dash where there is nothing to share."""
    return NONE if value is None else _("%s%%") % number_format(value, decimal_pos=1)


def seconds(value: float | None) -> str:
    """ "12 ms", "3.4 s" or "5 min"."""
    if value is None:
        return NONE
    if value < 1:
        return _("%s ms") % number_format(value * MILLISECONDS, decimal_pos=0)
    if value >= LAG_BOUNDS[-1]:
        return _("over an hour")
    if value >= A_MINUTE:
        return _("%s min") % number_format(value / A_MINUTE, decimal_pos=0)
    return _("%s s") % number_format(value, decimal_pos=1)


def amount_or_dash(amount: int, currency: str) -> str:
    """Most days have none of most things."""
    return format_amount(amount, currency) if amount else NONE
