"""The story of a disputed payment: what changed, which events told of it, and what was sent because of it."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from payments.effects.models import Effect
from payments.operations.evidence.case import Case, Entry
from payments.orders.labels import name_of, value_of
from payments.orders.models import OrderChange


def timeline(case: Case) -> list[Entry]:
    """Everything, in the order in which it happened."""
    entries = [*_changes(case), *_events(case), *_effects(case)]
    return sorted(entries, key=lambda entry: entry.at)


def effects_of(case: Case) -> list[Effect]:
    """Every mail, alert and refund that it brought about."""
    rows = Effect.objects.none()
    if case.order:
        rows = rows | Effect.objects.filter(order=case.order)
    if case.subscription:
        rows = rows | Effect.objects.filter(subscription=case.subscription)
    return list(rows.order_by("pk"))


def _changes(case: Case) -> Iterator[Entry]:
    rows = OrderChange.objects.none()
    if case.order:
        rows = rows | OrderChange.objects.filter(order=case.order)
    if case.subscription:
        rows = rows | OrderChange.objects.filter(subscription=case.subscription)
    for row in rows.order_by("pk"):
        before, after = (value_of(row.field, text, currency=case.currency) for text in (row.before, row.after))
        yield Entry(row.occurred_at, name_of(row.field), before=before, after=after, source=row.source)


def _events(case: Case) -> Iterator[Entry]:
    for event in case.events():
        yield Entry(event.occurred_at, event.type, event.object_id, source=event.stripe_event_id)


def _effects(case: Case) -> Iterator[Entry]:
    for effect in effects_of(case):
        state = str(effect.get_status_display())
        yield Entry(effect.delivered_at or effect.created_at, effect.kind, _("Message or refund: %s") % state)
