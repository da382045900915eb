"""What Stripe knows, what we have heard of it, and how every row looks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from payments.billing.models import Customer, Dispute, Payment, Refund, Subscription
from payments.checkout.open_checkout import open_checkout
from payments.effects.models import Effect
from payments.handlers.registry import handled_types
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException, Reference
from payments.processing.drain import drain, sweep
from registrations.models import Activity, Registration
from stripe_emulator.events.payload import render
from stripe_emulator.models import Event
from tests.support.buyers import Buyer
from tests.support.emulator import official_client
from tests.support.road import keep

MODELS: tuple[type[Model], ...] = (
    Activity, CheckoutAttempt, Customer, Dispute, Effect, Order, OrderChange, OrderException, Payment, Reference,
    Refund, Registration, Subscription,
)  # fmt: skip


def sold(registration: Registration) -> Buyer:
    """The buyer of this registration, with an open session at the emulator."""
    opened = open_checkout(order_id=registration.order_id, at=timezone.now())
    return Buyer(registration, opened.session, official_client())


def heard(*, later: timedelta = timedelta(days=1000)) -> None:
    """All events that the emulator has told, received and worked off."""
    rows = Event.objects.filter(type__in=handled_types()).order_by("number")
    at = datetime.now(UTC) + later
    keep(*[render(row, settings.STRIPE_API_VERSION) for row in rows], at=at)
    while drain(at=at) or sweep(at=at):
        pass


def all_rows(
    *, exclude: type[Model] | None = None, exclude_columns: Mapping[type[Model], Sequence[str]] | None = None
) -> dict[str, list[Any]]:
    """Every row of our side; `exclude`, `exclude_columns`: what is left out."""
    return {
        model.__name__: list(
            model._default_manager.order_by("pk").values(
                *[
                    each.attname
                    for each in model._meta.concrete_fields
                    if each.attname not in (exclude_columns or {}).get(model, ())
                ]
            )
        )
        for model in MODELS
        if model is not exclude
    }


def differences(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> list[str]:
    """What differs between two pictures of all rows, one line for each value."""
    return [
        f"{model} {row.get('pk', row.get('id'))}.{column}: {row[column]} -> {now[column]}"
        for model in before
        for row, now in zip(before[model], after[model], strict=False)
        for column in row
        if row[column] != now[column]
    ] + [
        f"{model}: {len(before[model])} -> {len(after[model])} rows"
        for model in before
        if len(before[model]) != len(after[model])
    ]
