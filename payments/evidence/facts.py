"""The facts of a dispute as one JSON object: amounts in minor units and in words, moments in UTC."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings

from payments.billing.models import Dispute, Payment, Refund
from payments.evidence.case import Case
from payments.ledger.models import PaymentEvent
from payments.money import format_amount
from payments.stripe_api.snapshots import Json
from payments.stripe_api.snapshots.reading import find_object, find_text

Facts = dict[str, Any]


def facts_of(case: Case, *, by: str, at: datetime) -> Facts:
    """Everything that is neither a log nor a text. Of the card its brand and last four digits, nothing else."""
    objects = list(_objects(case))
    return {
        "made": {"at": _moment(at), "by": by, "site": settings.SITE_NAME},
        "dispute": _dispute(case.dispute),
        "order": _order(case),
        "subscription": _subscription(case),
        "buyer": _buyer(case, objects),
        "payment": _payment(case.payment, objects),
        "refunds": [_refund(row) for row in _refunds(case)],
    }


def _objects(case: Case) -> Iterable[Json]:
    """The Stripe objects of the disputed payment that say how it was paid."""
    keys = {case.dispute.payment, case.payment.charge if case.payment else ""} - {""}
    wanted = PaymentEvent.objects.filter(pk__in=[event.pk for event in case.events()])
    told = wanted.filter(payload__data__object__has_key="payment_method_details").order_by("occurred_at", "pk")
    for event in told:
        found = event.payload["data"]["object"]
        names = {found.get("id"), found.get("payment_intent"), found.get("charge"), found.get("invoice")}
        if names & keys:
            yield found


def _dispute(row: Dispute) -> Facts:
    return {
        "id": row.stripe_id,
        "payment": row.payment,
        **_money(row.amount, row.currency),
        "reason": row.reason,
        "status": row.status,
        "status_in_words": str(row.get_status_display()),
        "phase": str(row.get_phase_display()),
        "since": _moment(row.status_at),
        "answer_by": _moment(row.due_by),
    }


def _order(case: Case) -> Facts | None:
    order = case.order
    if order is None:
        return None
    return {
        "number": order.number,
        "id": str(order.public_id),
        "what": order.label,
        **_money(order.amount, order.currency),
        "status": str(order.get_status_display()),
        "created_at": _moment(order.created_at),
        "paid_at": _moment(order.paid_at),
        "livemode": order.livemode,
    }


def _subscription(case: Case) -> Facts | None:
    row = case.subscription
    if row is None:
        return None
    return {
        "id": row.stripe_id,
        "plan": str(row.plan or ""),
        "status": row.status_text,
        **_money(row.amount, row.currency),
        "interval": row.interval,
        "began_at": _moment(row.started_at),
        "period": [_moment(row.period_start), _moment(row.period_end)],
        "cancel_at": _moment(row.cancel_at),
        "canceled_at": _moment(row.canceled_at),
        "ended_at": _moment(row.ended_at),
    }


def _buyer(case: Case, objects: Iterable[Json]) -> Facts:
    customer, order = case.customer, case.order
    billing = next((found for each in objects if (found := find_object(each, "billing_details"))), {})
    names = (customer.name if customer else "", case.user.name if case.user else "", find_text(billing, "name"))
    places = [place for place in (order, customer) if place and (place.city or place.country)]
    return {
        "name": next(filter(None, names), ""),
        "email": case.email,
        "city": places[0].city if places else "",
        "country": places[0].country if places else "",
        "billing_address": {name: text for name, text in find_object(billing, "address").items() if text},
        "stripe_customer": customer.stripe_id if customer else "",
    }


def _payment(row: Payment | None, objects: Iterable[Json]) -> Facts | None:
    if row is None:
        return None
    return {
        "id": row.key,
        "charge": row.charge,
        "session": row.session,
        **_money(row.received, row.currency),
        "refunded": _money(row.refunded, row.currency),
        "lost_to_disputes": _money(row.lost, row.currency),
        "paid_at": _moment(row.paid_at),
        "card": card_of(objects),
    }


def card_of(objects: Iterable[Json]) -> dict[str, str]:
    """Brand and last four digits, as far as somebody told them."""
    told: dict[str, str] = {}
    for each in objects:
        card = find_object(find_object(each, "payment_method_details"), "card")
        for name in ("brand", "last4"):
            if text := find_text(card, name):
                told[name] = text
    return told


def _refunds(case: Case) -> Iterable[Refund]:
    return Refund.objects.filter(payment=case.dispute.payment).order_by("status_at", "pk")


def _refund(row: Refund) -> Facts:
    return {
        "id": row.stripe_id,
        "payment": row.payment,
        **_money(row.amount, row.currency),
        "status": str(row.get_status_display()),
        "since": _moment(row.status_at),
        "reason": row.reason,
    }


def _money(amount: int, currency: str) -> Facts:
    words = format_amount(amount, currency) if currency else ""
    return {"amount": amount, "currency": currency, "amount_in_words": words}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
