from datetime import timedelta

import pytest
from django.db import connection

from payments.incidents import closing
from payments.incidents.closing import ClosingCutShort, begin_closing, go_on_closing
from payments.incidents.models import ClosingStep, Incident, IncidentState
from payments.incidents.opening import IncidentRefused
from payments.incidents.report import lines
from payments.incidents.switches import sales_pause
from payments.ledger.models import HeldType, PaymentEvent
from payments.locks import KEY_OF_NAME
from payments.orders.models import Order
from payments.tasks import go_on_closing_job
from tests.support.fake_gateway import unavailable
from tests.support.incidents import closed, opened
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=2)
PAID = "checkout.session.completed"


@pytest.fixture(autouse=True)
def _account(stripe):
    """Its own endpoints, and nothing in Stripe's list."""


def go_on(*, tell=closing.tell_nobody):
    go_on_closing(clock=lambda: LATER, tell=tell)
    return Incident.objects.get()


class TestClosing:
    def test_releases_what_was_held_processes_it_and_sells_again(self, make_registration):
        rows = [make_registration(name) for name in ("Ada Byron", "Grace Hopper", "Mary Shelley")]
        opened(hold=("*",), pause_sales=True)
        hear(*(event_of(row, PAID) for row in rows))

        incident = closed(at=LATER)

        assert set(Order.objects.values_list("status", flat=True)) == {"PAID"}
        assert (HeldType.objects.count(), sales_pause()) == (0, None)
        assert (incident.to_drain, incident.drained, incident.sales_resumed_at) == (3, 3, LATER)

    def test_processes_the_oldest_first(self, make_registration, monkeypatch):
        opened(hold=("*",))
        late = event_of(make_registration("Ada Byron"), PAID, at=NOON + timedelta(minutes=30))
        early = event_of(make_registration("Grace Hopper"), PAID, at=NOON)
        hear(late, early)
        monkeypatch.setattr("django.conf.settings.DRAIN_BATCH_SIZE", 1)

        closed(at=LATER)

        order = PaymentEvent.objects.order_by("attempt_rows__id").filter(attempt_rows__outcome="PROCESSED")
        assert list(order.values_list("stripe_event_id", flat=True)) == [early["id"], late["id"]]

    def test_leaves_what_is_held_for_another_reason(self, registration):
        opened(hold=("*",))
        HeldType.objects.create(type=PAID, reason="odd")
        hear(event_of(registration, PAID))

        closed(at=LATER)

        assert (HeldType.objects.get().pk, PaymentEvent.objects.get().status) == (PAID, "HELD")

    def test_enables_the_endpoints_that_it_has_disabled_first_of_all(self, stripe, monkeypatch):
        opened(disable_endpoints=True, hold=("*",))
        monkeypatch.setattr(closing, "backfill", _broken)

        with pytest.raises(ClosingCutShort):
            closed(at=LATER)

        assert stripe.endpoints[0]["status"] == "enabled"
        assert HeldType.objects.exists()

    def test_leaves_an_endpoint_disabled_that_somebody_else_has_disabled(self, stripe):
        stripe.endpoints[0]["status"] = "disabled"
        opened(disable_endpoints=True)

        closed(at=LATER)

        assert stripe.endpoints[0]["status"] == "disabled"

    def test_that_was_cut_short_goes_on_where_it_stopped(self, registration, monkeypatch):
        opened(hold=("*",), pause_sales=True)
        hear(event_of(registration, PAID))
        with monkeypatch.context() as patch:
            patch.setattr(closing, "backfill", _broken)
            with pytest.raises(ClosingCutShort):
                closed(at=LATER)
        stopped = Incident.objects.get()
        steps = []

        incident = go_on(tell=lambda progress: steps.append(progress.step))

        assert (stopped.state, stopped.step) == (IncidentState.CLOSING, ClosingStep.BACKFILL)
        assert (stopped.trouble, stopped.is_selling) == (str(unavailable()), False)
        assert (incident.state, incident.trouble) == (IncidentState.CLOSED, "")
        assert steps[0] == ClosingStep.BACKFILL
        assert Order.objects.get().status == "PAID"

    @pytest.mark.parametrize("step", ClosingStep.values)
    def test_that_dies_in_any_step_is_finished_by_the_next(self, registration, monkeypatch, step):
        opened(hold=("*",), pause_sales=True, disable_endpoints=True)
        hear(event_of(registration, PAID))
        begin_closing(reason="", by="ada", at=LATER)
        names = dict(zip(ClosingStep.values, _STEPS, strict=True))
        with monkeypatch.context() as patch:
            patch.setattr(closing._Closing, names[step], _killed)
            with pytest.raises(KeyboardInterrupt):
                go_on()

        incident = go_on()

        assert (incident.state, Order.objects.get().status) == (IncidentState.CLOSED, "PAID")
        assert incident.report["meanwhile"]["processed"] == 1

    def test_is_said_once_however_often_it_is_said(self):
        opened()
        first = begin_closing(reason="repaired", by="ada", at=LATER)

        second = begin_closing(reason="again", by="grace", at=LATER + timedelta(minutes=1))

        assert (second.pk, second.closed_by, second.closed_reason) == (first.pk, "ada", "repaired")

    def test_is_gone_on_with_by_the_timetable_and_left_alone_while_it_cannot(self, monkeypatch):
        opened()
        begin_closing(reason="", by="ada", at=LATER)
        with monkeypatch.context() as patch:
            patch.setattr(closing, "backfill", _broken)
            go_on_closing_job()
        state = Incident.objects.get().state

        go_on_closing_job()

        assert (state, Incident.objects.get().state) == (IncidentState.CLOSING, IncidentState.CLOSED)

    def test_is_done_by_one_at_a_time(self):
        opened()
        begin_closing(reason="", by="ada", at=LATER)

        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_lock({KEY_OF_NAME})", [closing.LOCK])
            with pytest.raises(ClosingCutShort, match="Somebody else"):
                go_on()
        other.close()

        assert Incident.objects.get().trouble == ""

    def test_needs_an_incident(self):
        with pytest.raises(IncidentRefused, match="No incident is open"):
            begin_closing(reason="", by="ada", at=LATER)
        assert go_on_closing(clock=lambda: LATER) is None

    def test_makes_room_for_the_next(self):
        opened()
        closed(at=LATER)

        assert opened(at=LATER).pk

    def test_shows_before_and_after(self, registration):
        opened(hold=("*",))
        hear(event_of(registration, PAID))

        incident = closed(at=LATER)

        table = {label: (then, now) for label, then, now in lines(incident)}
        assert table["Events processed, last 24 hours"] == ("0", "1")
        assert table["Payments, last 24 hours"] == ("0", "1")
        assert table["Places taken"] == ("1", "1")
        assert table["Revenue of the day"] == ("0", "€49.00")


_STEPS = ("enable_endpoints", "fetch_missed", "release", "drain", "sell_again", "write_report")


def _broken(**_options):
    raise unavailable()


def _killed(_closing):
    raise KeyboardInterrupt
