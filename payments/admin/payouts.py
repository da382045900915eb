"""Payouts: what Stripe has sent to the bank, whether it adds up, and what each is made of.

They stand beside the dashboard: like it they sum up what came in, while *Orders* has what each buyer paid.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.menu import Job
from payments.admin.kit.display import (
    BAD,
    CARE,
    GOOD,
    NONE,
    OFF,
    amount,
    link_to,
    link_to_owner,
    money_column,
    page_of,
    pill,
    stripe_id,
    stripe_id_column,
    tells_of,
)
from payments.admin.kit.screens import ReadOnlyAdmin, may_see
from payments.money import format_amount
from payments.orders.models import OrderException
from payments.payouts.models import BalanceEntry, Payout
from payments.statuses import EntryKind, ExceptionKind, PayoutStatus

# Of each kind; the export has them all.
ENTRIES_SHOWN = 100
SUMS = ("amount", "fee", "net")
ABOUT = ("refund", "dispute", "payment")
# What is expected of these is over.
ENDED = (PayoutStatus.FAILED, PayoutStatus.CANCELED)


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    """The newest first."""

    job, position = Job.DASHBOARD, 1
    list_display = ("arrival_date", "amount_text", "status", "adds_up_text", "stripe_id_text")
    list_filter = ("status", "adds_up", ("arrival_date", admin.DateFieldListFilter))
    ordering = ("-arrival_date", "-id")
    search_fields = ("stripe_id__exact",)
    fields = (
        ("amount_text", "status"), "adds_up_text", "failure", ("arrival_date", "created_at"),
        ("stripe_id_text", "read_at"), "totals_table", "entries_tables",
    )  # fmt: skip
    readonly_fields = ("amount_text", "adds_up_text", "stripe_id_text", "totals_table", "entries_tables")

    amount_text = money_column("amount", gettext_lazy("amount"))
    stripe_id_text = stripe_id_column("stripe_id", gettext_lazy("payout"))

    def named(self, term: str) -> Q | None:
        return Q(stripe_id=term) if term.startswith("po_") else None

    def row_title(self, request: HttpRequest, row: Payout) -> str:
        return _("Payout of %(amount)s") % {"amount": row.amount_text}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Why it failed only where it did."""
        fields = super().get_fields(request, obj)
        return [each for each in fields if each != "failure" or (obj and obj.failure)]

    def row_links(self, request: HttpRequest, row: Payout) -> Iterable[tuple[str, str]]:
        """What staff are asked about it."""
        asked = OrderException.objects.filter(kind=ExceptionKind.PAYOUT_MISMATCH, subject=row.stripe_id, is_open=True)
        if may_see(request, "payments.orderexception") and (question := asked.first()):
            yield page_of(question), _("Question")

    @admin.display(description=gettext_lazy("result"), ordering="adds_up")
    def adds_up_text(self, row: Payout) -> SafeString | str:
        """In a word, with the reason where nobody can say."""
        if row.adds_up is not None:
            return pill(_("adds up"), GOOD) if row.adds_up else pill(_("does not add up"), BAD)
        if not row.is_automatic:
            return pill(_("made by hand"), OFF)
        return NONE if row.status in ENDED else pill(_("not told yet"), CARE)

    @admin.display(description=gettext_lazy("what is in it"))
    def totals_table(self, row: Payout) -> SafeString | str:
        """For each kind how many, and how much."""
        if not row.is_automatic:
            return _("It was made by hand: Stripe does not say what is in it.")
        heads = (_("Kind"), pgettext("how many", "Number"), _("Amount"), _("Fees"), _("Net"))
        return _table(_("what is in it"), heads, _total_lines(row)) if row.totals else NONE

    @tells_of("payments.payment", "payments.refund", "payments.dispute", description=gettext_lazy("entries"))
    def entries_tables(self, row: Payout) -> SafeString | str:
        """A table for each kind, with the first of its entries and what each is about."""
        number = Window(RowNumber(), partition_by=F("kind"), order_by=("created_at", "pk"))
        owners = [f"{about}__{owner}" for about in ABOUT for owner in ("order", "subscription")]
        inside = row.entries.exclude(source=row.stripe_id).annotate(number=number).filter(number__lte=ENTRIES_SHOWN)
        rows = inside.select_related(*owners).order_by("kind", "created_at", "pk")
        parts = {kind: _entries_of(kind, entries, row) for kind, entries in groupby(rows, attrgetter("kind"))}
        return format_html_join("", "{}", ((parts[kind],) for kind in EntryKind if kind in parts)) or NONE


def _total_lines(row: Payout) -> Iterator[tuple[str, ...]]:
    for kind in EntryKind:
        if total := row.totals.get(kind.value):
            sums = (_sum(total[name], row.currency) for name in SUMS)
            yield str(kind.label), number_format(total["count"]), *sums
    whole = (_sum(sum(total[name] for total in row.totals.values()), row.currency) for name in SUMS)
    yield _("In all"), number_format(sum(total["count"] for total in row.totals.values())), *whole


def _entries_of(kind: str, entries: Iterable[BalanceEntry], row: Payout) -> SafeString:
    title, shown = str(dict(EntryKind.choices).get(kind, kind)), [_entry_line(entry) for entry in entries]
    heads = (_("Created"), _("What"), _("Amount"), _("Fee"), _("Net"), _("at Stripe"), _("what is odd"))
    more = row.totals.get(kind, {}).get("count", 0) - len(shown)
    table = format_html("<h3>{}</h3>{}", title, _table(title, heads, shown))
    if more <= 0:
        return table
    words = _("… and %(count)d more: the export for the accounts has them all.") % {"count": more}
    return format_html("{}<p>{}</p>", table, words)


def _entry_line(row: BalanceEntry) -> tuple[str, ...]:
    created = date_format(localtime(row.created_at), "SHORT_DATETIME_FORMAT")
    sums = (_sum(getattr(row, name), row.currency) for name in SUMS)
    odd = pill(row.get_finding_display(), BAD) if row.finding else ""
    return created, _about(row), *sums, stripe_id(row.source or row.stripe_id), odd


def _about(row: BalanceEntry) -> str:
    """The order or subscription, and the refund or dispute, as far as they are known here."""
    known = next((about for name in ABOUT if (about := getattr(row, name))), None)
    if known is None:
        return row.type
    owner = link_to_owner(known)
    return owner if known == row.payment else format_html("{} · {}", owner, link_to(known))


def _sum(units: int, currency: str) -> SafeString:
    return amount(format_amount(units, currency))


def _table(title: str, heads: Iterable[str], lines: Iterable[tuple[str, ...]]) -> SafeString:
    """As wide as there is room; what is wider can be scrolled to."""
    return format_html(
        '<div class="scrolled" tabindex="0" role="region" aria-label="{}"><table><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>",
        capfirst(title),
        format_html_join("", '<th scope="col">{}</th>', ((capfirst(head),) for head in heads)),
        format_html_join("", "<tr>{}</tr>", ((_cells(line),) for line in lines)),
    )


def _cells(line: tuple[str, ...]) -> SafeString:
    return format_html_join("", "<td>{}</td>", ((cell,) for cell in line))
