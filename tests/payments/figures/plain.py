"""The figures of money worked out row by row in plain Python: what the roll-ups must say."""

from collections import Counter
from zoneinfo import ZoneInfo

from payments.billing.models import Dispute, Payment, Refund
from payments.figures.daily import MONEY
from payments.figures.models import DailyFigure

PARIS = ZoneInfo("Europe/Paris")
COUNTS = ("pending", "requires_action", "succeeded")


def plain_money() -> dict[tuple[str, str, str], int]:
    """Day, figure and currency: the amount."""
    sums = Counter[tuple[str, str, str]]()

    def add(moment, figure, currency, amount):
        sums[moment.astimezone(PARIS).date().isoformat(), figure, currency] += amount

    for payment in Payment.objects.filter(received__gt=0):
        add(payment.paid_at, "received", payment.currency, payment.received)
        rows = Refund.objects.filter(payment=payment.key, currency=payment.currency, status__in=COUNTS)
        beside = payment.refunded - sum(row.amount for row in rows)
        if beside > 0:
            add(payment.paid_at, "refunded", payment.currency, beside)
    for refund in Refund.objects.filter(status__in=COUNTS):
        add(refund.made_at, "refunded", refund.currency, refund.amount)
    for dispute in Dispute.objects.all():
        if dispute.status == "lost" or (dispute.status == "won" and dispute.lost_at):
            add(dispute.lost_at, "lost", dispute.currency, dispute.amount)
        if dispute.status == "won" and dispute.lost_at:
            add(dispute.won_at, "won_back", dispute.currency, dispute.amount)
    return dict(sums)


def rolled_up_money() -> dict[tuple[str, str, str], int]:
    """The same as the roll-ups tell it."""
    rows = DailyFigure.objects.filter(figure__in=MONEY)
    return {(row.day.isoformat(), row.figure, row.currency): row.amount for row in rows}


def told(figure: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Of one figure, by day and currency or part: count and amount."""
    rows = DailyFigure.objects.filter(figure=figure)
    return {(row.day.isoformat(), row.currency or row.part): (row.count, row.amount) for row in rows}
