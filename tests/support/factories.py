"""Rows that tests start from, consistent as the product itself would leave them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from django.db.models import F
from factory.django import DjangoModelFactory

from accounts.models import User
from payments.orders.models import CheckoutAttempt, Order, Reference
from payments.statuses import OrderStatus
from registrations.models import ORDER_KIND, Activity, Registration
from registrations.product import keeps_no_place, status_for

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MONEY_CAME = (OrderStatus.PAID, OrderStatus.REFUNDED)


class UserFactory(DjangoModelFactory[User]):
    """A customer whose password is "password"; staff by `is_staff=True`, everything allowed by `is_superuser=True`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    name = factory.Sequence(lambda n: f"Person {n}")
    password = factory.LazyFunction(lambda: make_password("password"))


class ActivityFactory(DjangoModelFactory[Activity]):
    """An activity with ten places for €49.00, a month from noon; nobody is registered."""

    class Meta:
        model = Activity
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda n: f"activity-{n}")
    title = factory.Sequence(lambda n: f"Atelier {n}")
    starts_at = NOON + timedelta(days=30)
    price = 4900
    capacity = 10


class OrderFactory(DjangoModelFactory[Order]):
    """An order that waits for its first session to be paid. `status=PAID` or `REFUNDED` brings the money with it."""

    class Meta:
        model = Order
        skip_postgeneration_save = True

    kind = ORDER_KIND
    email = factory.Sequence(lambda n: f"buyer{n}@example.com")
    label = "Atelier"
    amount = 4900
    currency = "eur"
    created_at = NOON - timedelta(minutes=5)
    paid_at = factory.LazyAttribute(lambda order: NOON if order.status in MONEY_CAME else None)
    amount_received = factory.LazyAttribute(lambda order: order.amount if order.status in MONEY_CAME else 0)
    amount_refunded = factory.LazyAttribute(lambda order: order.amount if order.status == OrderStatus.REFUNDED else 0)
    status = OrderStatus.PENDING

    @factory.post_generation
    def names(order: Order, create: bool, _extracted: object, **_kwargs: object) -> None:
        if create:
            CheckoutAttempt.objects.create(order=order, number=1, created_at=order.created_at)
            Reference.objects.create(name=f"order:{order.public_id}", order=order)


class RegistrationFactory(DjangoModelFactory[Registration]):
    """A registration with its order, whose fields are `order__…`; it holds a place unless its order says otherwise."""

    class Meta:
        model = Registration
        skip_postgeneration_save = True

    activity = factory.SubFactory(ActivityFactory)
    name = "Camille Martin"
    email = factory.Sequence(lambda n: f"buyer{n}@example.com")
    language = "fr"
    order = factory.SubFactory(
        OrderFactory,
        email=factory.SelfAttribute("..email"),
        label=factory.SelfAttribute("..activity.title"),
        amount=factory.SelfAttribute("..activity.price"),
        currency=factory.SelfAttribute("..activity.currency"),
    )
    status = factory.LazyAttribute(lambda row: status_for(row.order))
    holds_place = factory.LazyAttribute(lambda row: not keeps_no_place(row.order))
    created_at = NOON - timedelta(minutes=5)

    @factory.post_generation
    def names(row: Registration, create: bool, _extracted: object, **_kwargs: object) -> None:
        if create:
            Reference.objects.create(name=f"registration:{row.public_id}", order=row.order)

    @factory.post_generation
    def place(row: Registration, create: bool, _extracted: object, **_kwargs: object) -> None:
        if create and row.holds_place:
            Activity.objects.filter(pk=row.activity_id).update(places_taken=F("places_taken") + 1)
            row.activity.refresh_from_db(fields=["places_taken"])


def make_staff(**fields: Any) -> User:
    """Somebody who may do everything in the admin."""
    return UserFactory.create(is_staff=True, is_superuser=True, **fields)
