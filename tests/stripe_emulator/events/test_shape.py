"""Events as they are sent and listed."""

import pytest

from stripe_emulator import store
from stripe_emulator.events.emit import Origin, caused_by, emit
from stripe_emulator.events.sending import send_due
from stripe_emulator.events.shape import render
from stripe_emulator.models import Event

OLD = "2023-10-16"
INVOICE = {"id": "in_1", "object": "invoice", "parent": None, "status": "paid"}


def shown(data, version=OLD, *, previous=None):
    """The event of an object, rendered in this version."""
    stored = store.keep({"created": 1, **data})
    return render(emit(f"{data['object']}.updated", stored, at=1, previous=previous), version)


class TestRender:
    def test_has_the_fields_of_an_event(self, db):
        stored = store.keep({"id": "cus_1", "object": "customer", "created": 5})
        with caused_by(Origin("req_1", "key-1")):
            event = emit("customer.created", stored, at=5)

        assert render(event, "2026-10-28.endive") == {
            "id": event.stripe_id,
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": 5,
            "data": {"object": {"id": "cus_1", "object": "customer", "created": 5}},
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": "req_1", "idempotency_key": "key-1"},
            "type": "customer.created",
        }

    def test_says_when_stripe_itself_did_it(self, happen):
        assert render(happen(), OLD)["request"] == {"id": None, "idempotency_key": None}

    def test_tells_what_was_different_for_updates(self, db):
        event = shown({"id": "cus_1", "object": "customer", "email": "b"}, previous={"email": "a"})

        assert event["data"]["previous_attributes"] == {"email": "a"}

    def test_counts_the_endpoints_that_still_wait(self, make_endpoint, receiver, happen):
        make_endpoint()
        make_endpoint()
        event = happen()
        before = render(event, OLD)["pending_webhooks"]

        send_due(1)

        assert (before, render(event, OLD)["pending_webhooks"]) == (2, 1)

    @pytest.mark.parametrize("version", ["2026-10-28.endive", "2099-01-01"])
    def test_shows_any_other_version_in_the_pinned_shape(self, db, version):
        assert shown(INVOICE, version)["data"]["object"] == {"created": 1, **INVOICE}

    def test_leaves_the_kept_event_as_it_is(self, db):
        shown(INVOICE)

        assert Event.objects.get().object == {"created": 1, **INVOICE}
