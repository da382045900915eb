"""Words about plans and subscriptions for templates."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.translation import ngettext

from payments.billing.models import Plan, Subscription
from payments.billing.subscribers import told_until
from payments.money import format_amount

register = template.Library()


@register.simple_tag
def open_until(row: Subscription | None) -> datetime | None:
    """Until when what is paid for stays open, as its person is told; None where nothing is open."""
    until = told_until(row) if row else None
    return until if until and until > timezone.now() else None


@register.simple_tag
def terms(what: Plan | Subscription) -> str:
    """What it costs and how often: "€4.00 a month". An interval that we have no word for is left out."""
    count = what.interval_count if isinstance(what, Subscription) else 1
    texts = {
        "day": ngettext("%(price)s a day", "%(price)s every %(count)s days", count),
        "week": ngettext("%(price)s a week", "%(price)s every %(count)s weeks", count),
        "month": ngettext("%(price)s a month", "%(price)s every %(count)s months", count),
        "year": ngettext("%(price)s a year", "%(price)s every %(count)s years", count),
    }
    price = format_amount(what.amount, what.currency) if what.currency else ""
    return texts.get(what.interval, "%(price)s") % {"price": price, "count": count}
