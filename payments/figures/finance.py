"""A month of money for the accounts: everything that moved Stripe's balance, one row each, and the sums of it."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from payments.figures.days import ONE_DAY, Days, day_of
from payments.money import CURRENCIES, written_amount
from payments.payouts.models import BalanceEntry, PayoutWalk
from payments.statuses import EntryKind

MONTH = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])", re.ASCII)
ROWS_READ_AT_ONCE = 500
LONG_AGO = datetime.min.replace(tzinfo=UTC)
OWNERS = tuple(f"{about}__{owner}" for about in ("payment", "refund", "dispute") for owner in ("order", "subscription"))
Sums = tuple[int, int, int]


class NoSuchMonth(ValueError):
    """What was written is no month that has begun; the text says why."""


class NoSuchCurrency(ValueError):
    """What was written is no currency of Stripe's."""


def read_month(text: str, *, at: datetime) -> Days:
    """ "2026-11" → its days, in the site's zone. Raises NoSuchMonth."""
    found = MONTH.fullmatch(text.strip())
    if found is None:
        raise NoSuchMonth(_("“%s” is no month such as 2026-11.") % text.strip()[:40])
    month = month_of(date(int(found[1]), int(found[2]), 1))
    if month.first > day_of(at):
        raise NoSuchMonth(_("%s has not begun yet.") % text.strip())
    return month


def month_of(day: date) -> Days:
    """The month in which the day lies, from its first to its last day."""
    first = day.replace(day=1)
    # From any first day 31 days lead into the next month.
    return Days(first, (first + 31 * ONE_DAY).replace(day=1) - ONE_DAY)


def read_currency(text: str) -> str:
    """ "EUR" → "eur"; "" is all of them. Raises NoSuchCurrency."""
    code = text.strip().lower()
    if code and code not in CURRENCIES:
        raise NoSuchCurrency(_("“%s” is no currency in which Stripe charges.") % text.strip()[:40])
    return code


def months_with_money(*, at: datetime) -> Iterator[Days]:
    """From this month back to the one in which the balance moved first."""
    first = BalanceEntry.objects.order_by("created_at", "id").values_list("created_at", flat=True).first()
    month, oldest = month_of(day_of(at)), day_of(first or at)
    while month.last >= oldest:
        yield month
        month = month_of(month.first - ONE_DAY)


def read_until() -> datetime:
    """Up to when everything has been read from Stripe; long ago where nothing has."""
    last = PayoutWalk.last_complete()
    return last.started_at if last else LONG_AGO


def finance_table(month: Days, *, currency: str = "") -> Iterator[list[object]]:
    """Line by line for a spreadsheet, the heads first and the sums of each currency last; amounts are decimals."""
    sums: defaultdict[tuple[str, str], Sums] = defaultdict(lambda: (0, 0, 0))
    yield [
        _("Date"), _("Kind"), _("Amount"), _("Fee"), _("Net"), _("Currency"), _("Payout"), _("Order"), _("Stripe id"),
        _("Entry"),
    ]  # fmt: skip
    labels = {str(value): str(label) for value, label in EntryKind.choices}
    for row in _entries(month, currency).iterator(chunk_size=ROWS_READ_AT_ONCE):
        amount, fee, net = sums[row.currency, row.kind]
        sums[row.currency, row.kind] = (amount + row.amount, fee + row.fee, net + row.net)
        made_on = date_format(localtime(row.created_at), "Y-m-d")
        payout = row.payout.stripe_id if row.payout else ""
        money = _decimals((row.amount, row.fee, row.net), row.currency)
        about = (payout, _owner(row), row.source, row.stripe_id)
        yield [made_on, labels.get(row.kind, row.kind), *money, row.currency.upper(), *about]
    yield from _summary(sums, labels)


def _entries(month: Days, currency: str) -> QuerySet[BalanceEntry]:
    rows = BalanceEntry.objects.filter(month.moments_of("created_at"), **({"currency": currency} if currency else {}))
    return rows.select_related("payout", *OWNERS).order_by("created_at", "id")


def _owner(row: BalanceEntry) -> str:
    """The number of its order, or the name of its subscription at Stripe; "" where neither is known."""
    about = row.refund or row.dispute or row.payment
    if about is None:
        return ""
    return about.order.number if about.order else str(about.subscription or "")


def _summary(sums: dict[tuple[str, str], Sums], labels: dict[str, str]) -> Iterator[list[object]]:
    """For each currency one line a kind, and what came of the month before anything was paid out."""
    for currency in sorted({currency for currency, _kind in sums}):
        own = {kind: sums[currency, kind] for kind in labels if (currency, kind) in sums}
        earned = [each for kind, each in own.items() if kind != EntryKind.PAYOUT]
        whole = [sum(column) for column in zip(*earned, strict=True)] or [0, 0, 0]
        lines = chain(
            ((labels[kind], each) for kind, each in own.items()),
            [(pgettext("sum of all kinds", "All but payouts"), tuple(whole))],
        )
        for label, each in lines:
            yield [_("Sum"), label, *_decimals(each, currency), currency.upper(), "", "", "", ""]


def _decimals(units: tuple[int, ...], currency: str) -> list[Decimal]:
    """With as many decimals as people write."""
    return [Decimal(written_amount(each, currency)) for each in units]
