"""The figures of a period for programs: as JSON, under the names of the dashboard that this one takes the place of, and
as CSV for spreadsheets.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from typing import Any

from payments.figures.daily import BEGUN, DECLINED, EVENTS, EVENTS_DONE, EVENTS_FAILED, PAID
from payments.figures.period import DayMoney, Figures
from payments.money import written_amount
from payments.products import all_products

CSV_COLUMNS = (
    "day", "currency", "received", "refunded", "disputes_lost", "disputes_won_back", "net", "transactions",
)  # fmt: skip


def as_json(figures: Figures) -> dict[str, Any]:
    """The figures for programs: amounts in minor units, one line for each currency."""
    return {
        "period": {
            "start": figures.days.since.isoformat(), "end": figures.at.isoformat(), "timeframe": figures.timeframe,
        },
        "revenue": {
            "total": {each.currency: each.total.received for each in figures.money},
            "net": {each.currency: each.total.net for each in figures.money},
            "daily": [_day_as_json(each.currency, day) for each in figures.money for day in each.days],
        },
        "subscriptions": {
            "active": [_plan_as_json(line) for line in figures.stock.get("subscriptions", ())],
            "conversionRate": figures.conversion_rate or 0.0,
        },
        "geographic": [
            {"_id": each.city, "currency": each.currency, "revenue": each.received, "transactions": each.transactions}
            for each in figures.cities
        ],
        "summary": _people_as_json(figures),
        "orders": _orders_as_json(figures),
        "products": _products_as_json(figures),
        "webhooks": _webhooks_as_json(figures),
        "exceptions": {"open": figures.now.exceptions},
        "refreshedAt": _moment(figures.state.refreshed_at if figures.state else None),
    }  # fmt: skip


def _day_as_json(currency: str, day: DayMoney) -> dict[str, Any]:
    return {
        "_id": day.day.isoformat(), "currency": currency, "totalRevenue": day.received,
        "transactionCount": day.transactions, "refunded": day.refunded, "disputesLost": day.lost,
        "disputesWonBack": day.won_back, "net": day.net,
    }  # fmt: skip


def _plan_as_json(line: dict[str, Any]) -> dict[str, Any]:
    states = {name: line[name] for name in ("trialing", "overdue", "paused")}
    return {
        "_id": line["plan"], "currency": line["currency"], "count": line["active"], "revenue": line["mrr"], **states,
    }  # fmt: skip


def _people_as_json(figures: Figures) -> dict[str, int]:
    users, premium = figures.stock.get("users", 0), figures.stock.get("premium", 0)
    return {"totalUsers": users, "premiumUsers": premium, "freeUsers": users - premium}


def _orders_as_json(figures: Figures) -> dict[str, Any]:
    begun, paid = figures.counts.get(BEGUN, {}), figures.counts.get(PAID, {})
    by_kind = {kind: {"begun": begun[kind], "paid": paid.get(kind, 0)} for kind in sorted(begun)}
    return {"byKind": by_kind, "declinedPayments": figures.count(DECLINED)}


def _products_as_json(figures: Figures) -> dict[str, Any]:
    return {
        figure.name: figures.counts.get(figure.name, {}) for product in all_products() for figure in product.figures
    }


def _webhooks_as_json(figures: Figures) -> dict[str, Any]:
    now = figures.now
    return {
        "received": figures.count(EVENTS), "processed": figures.count(EVENTS_DONE),
        "failed": figures.count(EVENTS_FAILED), "successRate": figures.success_rate,
        "lagSeconds": {"p50": figures.lag(0.5), "p95": figures.lag(0.95)}, "backlog": now.backlog,
        "oldestPendingAt": _moment(now.oldest_due), "lastWebhookAt": _moment(now.last_event),
        "lastPaymentAt": _moment(now.last_payment),
    }  # fmt: skip


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def as_csv(figures: Figures) -> str:
    """One row for each day and currency, amounts as "49.00"."""
    told = StringIO()
    writer = csv.writer(told)
    writer.writerow(CSV_COLUMNS)
    writer.writerows(_csv_rows(figures))
    return told.getvalue()


def _csv_rows(figures: Figures) -> Iterator[tuple[str, ...]]:
    for money in figures.money:
        for day in money.days:
            amounts = (day.received, day.refunded, day.lost, day.won_back, day.net)
            written = (written_amount(amount, money.currency) for amount in amounts)
            yield day.day.isoformat(), no_formula(money.currency), *written, str(day.transactions)


def no_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula; what is a number is none: https://owasp.org/www-community/attacks/CSV_Injection"""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
