"""COPY keeps every value that a row may have, and every constraint."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, models, transaction

from payments.billing.models import Plan
from payments.ledger.models import HeldType, PaymentEvent
from payments.orders.models import Order, Reference
from payments.samples.bulk import copy_rows, reserve_ids

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
# Whatever could end a column, a line, a text in JSON or an element of an array.
ODD = 'tab\t, "quoted", back\\slash, \\N, {brace}, line\nand\r\nline, 100 %, l’été'


def order(**fields: object) -> Order:
    return Order(**{"kind": "test", "amount": 4900, "currency": "eur", "created_at": MOMENT, **fields})


def values_of(row: models.Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


class TestCopyRows:
    def test_keeps_texts_numbers_moments_and_what_is_not_known(self):
        row = order(label=ODD, public_id=UUID(int=7), livemode=True, paid_at=MOMENT, amount=10**12, email="")

        copy_rows([row])

        kept = Order.objects.get()
        assert values_of(kept) == {**values_of(row), "id": kept.pk}

    def test_keeps_json_and_arrays(self):
        row = PaymentEvent(
            stripe_event_id="evt_1", type="a.b", payload={ODD: [1, None, True, {"x": ODD}]}, body_sha256="",
            occurred_at=MOMENT, received_at=MOMENT, next_attempt_at=MOMENT, references=[ODD, "", "NULL"], mentions=[],
        )  # fmt: skip

        copy_rows([row])

        kept = PaymentEvent.objects.get()
        assert values_of(kept) == {**values_of(row), "id": kept.pk}

    def test_writes_addresses_in_their_one_spelling(self):
        copy_rows([order(email="Ada@Example.com")])

        assert Order.objects.get().email == "ada@example.com"

    def test_keeps_ids_that_are_given(self):
        copy_rows([order(pk=70), order(pk=30)])

        assert set(Order.objects.values_list("pk", flat=True)) == {30, 70}

    def test_sets_a_moment_that_django_sets_only_where_none_is_given(self):
        copy_rows([HeldType(type="a", reason="", held_at=MOMENT), HeldType(type="b", reason="")])

        earlier, now = HeldType.objects.order_by("type")
        assert earlier.held_at == MOMENT < now.held_at

    def test_writes_nothing_of_rows_of_which_one_is_refused(self):
        with pytest.raises(IntegrityError, match="order_is_paid_with_a_date"), transaction.atomic():
            copy_rows([order(), order(status="PAID")])

        assert not Order.objects.exists()

    def test_refuses_a_row_that_belongs_to_none_as_soon_as_that_is_looked_at(self):
        copy_rows([Reference(name="order:1", order_id=1)])

        with pytest.raises(IntegrityError, match="foreign key"):
            connection.check_constraints()

    def test_refuses_a_value_that_it_would_not_keep(self):
        with pytest.raises(TypeError, match="amount"):
            copy_rows([order(amount=0.5)])

    def test_does_nothing_with_nothing(self):
        assert copy_rows([]) == 0


class TestReserveIds:
    def test_gives_each_id_once_even_to_who_asks_for_none(self):
        reserved = reserve_ids(Plan, 3)

        later = Plan.objects.create(slug="later", name="Later", amount=400, interval="month")

        assert len({*reserved, later.pk}) == 4
