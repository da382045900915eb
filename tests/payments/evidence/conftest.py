"""Disputed payments: one of a registration that used its place, one of a subscription."""

import io
import json
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.utils import timezone

from payments.billing.models import Dispute
from payments.effects.deliver import deliver_all
from payments.evidence import pack_evidence
from tests.support.road import NOON, event_of, hear
from tests.support.subscriptions import make_customer, make_plan, make_subscription, paid, refs, tell, told

AT = NOON + timedelta(days=2)


@pytest.fixture
def english(settings):
    """The site's language is English."""
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def dispute(registration, english):
    """Of a registration whose confirmation was sent."""
    hear(event_of(registration, "checkout.session.completed"), event_of(registration, "payment_intent.succeeded"))
    deliver_all(clock=lambda: NOON + timedelta(hours=1))
    hear(event_of(registration, "charge.dispute.created", at=NOON + timedelta(days=1)), at=AT)
    return Dispute.objects.get(order=registration.order)


@pytest.fixture
def subscription_dispute(english):
    """Of a renewal, by somebody with no order here."""
    customer = make_customer(email="ada@example.com", name="Ada Lovelace", city="Lyon", country="FR")
    row = make_subscription(customer=customer)
    make_plan("gold", price="price_monthly")
    tell(told(), paid(refs=refs(invoice="in_1", payment_intent="pi_1", charge="ch_1")))
    row.refresh_from_db()
    return Dispute.objects.create(
        stripe_id="du_2", subscription=row, payment="in_1", amount=400, currency="eur", status="needs_response",
        phase=0, status_at=NOON, due_by=AT + timedelta(days=7), reason="subscription_canceled",
    )  # fmt: skip


@pytest.fixture
def files_of():
    """`files_of(dispute)`: the files of its pack, by name."""

    def unpack(row, *, at=AT):
        with timezone.override("UTC"), ZipFile(io.BytesIO(pack_evidence(row, by="ada", at=at))) as archive:
            return {name.partition("/")[2]: archive.read(name).decode() for name in archive.namelist()}

    return unpack


@pytest.fixture
def facts(files_of):
    """`facts(dispute)`: its facts."""
    return lambda row: json.loads(files_of(row)["facts.json"])
