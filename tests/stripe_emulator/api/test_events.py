"""Events through the official client."""

import pytest
import stripe

from stripe_emulator import clock, store
from stripe_emulator.events.emit import emit
from stripe_emulator.models import Emulation, Event
from stripe_emulator.objects.account import new_customer
from tests.support.emulator import official_client, refusal_of

DAY = 24 * 3600


@pytest.fixture
def happen(db):
    def happen(event_type="customer.created"):
        customer = store.keep(new_customer(clock.real_now()))
        return emit(event_type, customer, at=clock.now_for(customer))

    return happen


@pytest.fixture
def endpoint(stripe_api):
    return stripe_api.webhook_endpoints.create({"url": "http://127.0.0.1:1/", "enabled_events": ["*"]})


def ids(found):
    return [event.id for event in found.data]


class TestList:
    def test_comes_in_pages(self, stripe_api, happen):
        made = [happen().stripe_id for _ in range(5)]

        forwards = stripe_api.events.list({"limit": 2}).auto_paging_iter()

        assert [event.id for event in forwards] == made[::-1]

    def test_goes_back_before_one_within_its_types(self, stripe_api, happen):
        first, _paid, second = happen(), happen("invoice.paid"), happen()

        found = stripe_api.events.list({"types": ["customer.created"], "ending_before": first.stripe_id})

        assert ids(found) == [second.stripe_id]

    def test_finds_one_type_or_a_group(self, stripe_api, happen):
        created, _updated, paid = happen(), happen("customer.updated"), happen("invoice.paid")

        assert ids(stripe_api.events.list({"type": "customer.created"})) == [created.stripe_id]
        assert ids(stripe_api.events.list({"type": "invoice.*"})) == [paid.stripe_id]

    def test_finds_several_types(self, stripe_api, happen):
        created, _updated, paid = happen(), happen("customer.updated"), happen("invoice.paid")

        found = stripe_api.events.list({"types": ["customer.created", "invoice.paid"]})

        assert ids(found) == [paid.stripe_id, created.stripe_id]

    @pytest.mark.parametrize(
        "params",
        [
            {"type": "invoice.paid", "types": ["invoice.paid"]},
            {"types": ["invoice.paid"] * 21},
            {"types": []},
            {"created": {"gte": "yesterday"}},
            {"limit": 101},
            {"starting_after": "evt_of_nobody"},
            {"delivery_success": "perhaps"},
        ],
    )
    def test_refuses_what_makes_no_sense(self, stripe_api, happen, params):
        happen()

        if params == {"types": []}:  # the client sends nothing of an empty list
            assert len(stripe_api.events.list(params).data) == 1
        else:
            assert isinstance(refusal_of(stripe_api.events.list, params), stripe.InvalidRequestError)

    def test_finds_what_was_created_in_between(self, stripe_api, happen):
        events = [happen() for _ in range(3)]
        for number, event in enumerate(events):
            Event.objects.filter(pk=event.pk).update(created=clock.real_now() - 100 + number)
        middle = clock.real_now() - 99

        found = stripe_api.events.list({"created": {"gte": middle - 1, "lt": middle + 1}})

        assert events[1].stripe_id in ids(found)
        assert len(found.data) < 3

    def test_forgets_after_thirty_days(self, stripe_api, happen):
        old = happen()
        Emulation.current()
        Emulation.objects.update(ahead=31 * DAY)
        new = happen()

        assert ids(stripe_api.events.list({})) == [new.stripe_id]
        assert refusal_of(stripe_api.events.retrieve, old.stripe_id).http_status == 404

    def test_keeps_what_an_old_object_has_just_lived_through(self, stripe_api, happen):
        customer = store.get("customer", happen().object_id)
        Emulation.objects.update(ahead=31 * DAY)

        renewed = emit("customer.updated", customer, at=clock.now_for(customer))

        assert ids(stripe_api.events.list({})) == [renewed.stripe_id]


class TestRetrieve:
    def test_shows_the_accounts_version_whatever_version_asks(self, happen):
        event = happen()
        Event.objects.update(api_version="2023-10-16")

        asked = official_client().v1.events.retrieve(event.stripe_id)

        assert asked.api_version == "2023-10-16"
        assert asked.request.id is None

    def test_knows_which_call_it_was(self, stripe_api):
        made = stripe_api.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})

        (event,) = stripe_api.events.list({"type": "customer.created"}).data

        assert event.data.object.id == made.id
        assert event.request.id == made.last_response.headers["Request-Id"]
        assert event.request.idempotency_key == "k1"

    def test_does_not_find_what_is_not_there(self, stripe_api):
        refusal = refusal_of(stripe_api.events.retrieve, "evt_of_nobody")

        assert (refusal.http_status, refusal.code) == (404, "resource_missing")


class TestSendingAgain:
    """What the official CLI calls for `stripe events resend`."""

    def retry(self, event, **params):
        return official_client().raw_request("post", f"/v1/events/{event.stripe_id}/retry", **params)

    def test_plans_another_delivery(self, stripe_api, endpoint, happen):
        event = happen()

        self.retry(event, webhook_endpoint=endpoint.id)
        self.retry(event)

        assert event.deliveries.count() == 3

    def test_refuses_an_endpoint_that_is_disabled_or_unknown(self, stripe_api, endpoint, happen):
        event = happen()
        stripe_api.webhook_endpoints.update(endpoint.id, {"disabled": True})

        disabled = refusal_of(self.retry, event, webhook_endpoint=endpoint.id)
        unknown = refusal_of(self.retry, event, webhook_endpoint="we_of_nobody")

        assert (disabled.param, unknown.param) == ("webhook_endpoint", "webhook_endpoint")
        assert event.deliveries.count() == 1
