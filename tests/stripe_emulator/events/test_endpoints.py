"""What is sent to an endpoint that is disabled, enabled, deleted, or whose secret is changed."""

from stripe_emulator.events.deliver import RETRIES
from stripe_emulator.events.endpoints import delete_endpoint, rotate
from stripe_emulator.models import Delivery, DeliveryState
from tests.stripe_emulator.events.conftest import SECRET
from tests.support.emulator import send_due

HOUR = 3600


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


class TestAnEndpoint:
    def test_gets_only_what_it_wants(self, make_endpoint, receiver, happen):
        make_endpoint(events=("customer.deleted", "customer.updated"))
        happen("customer.created")
        happen("customer.updated")

        send_due(10)

        assert [event["type"] for event in receiver.events] == ["customer.updated"]

    def test_that_is_disabled_never_gets_what_happens_meanwhile(self, endpoint, receiver, happen):
        endpoint.change(status="disabled")
        happen()
        endpoint.change(status="enabled")

        assert send_due(10) == 0
        assert states() == []

    def test_that_is_disabled_when_a_retry_is_due_gets_no_more_of_it(self, endpoint, receiver, happen, pass_time):
        receiver.answers = [500]
        happen()
        send_due(10)

        endpoint.change(status="disabled")
        pass_time(RETRIES[0])
        send_due(10)
        endpoint.change(status="enabled")
        send_due(10)

        assert states() == [DeliveryState.STOPPED]
        assert len(receiver.received) == 1

    def test_that_is_enabled_again_before_the_retry_gets_it(self, endpoint, receiver, happen, pass_time):
        receiver.answers = [500]
        happen()
        send_due(10)

        endpoint.change(status="disabled")
        send_due(10)
        endpoint.change(status="enabled")
        pass_time(RETRIES[0])
        send_due(10)

        assert states() == [DeliveryState.DELIVERED]

    def test_that_is_deleted_gets_nothing_more(self, endpoint, receiver, happen):
        happen()

        delete_endpoint(endpoint)

        assert send_due(10) == 0
        assert states() == [DeliveryState.STOPPED]

    def test_in_rotation_verifies_with_either_secret(self, endpoint, receiver, happen, pass_time):
        new = rotate(endpoint, hours=2)
        happen()
        send_due(10)
        pass_time(2 * HOUR)
        happen()
        send_due(10)

        during, after = receiver.received
        assert during.is_signed_with(SECRET)
        assert during.is_signed_with(new)
        assert after.is_signed_with(new)
        assert not after.is_signed_with(SECRET)

    def test_rotated_at_once_forgets_the_old_secret(self, endpoint, receiver, happen):
        new = rotate(endpoint, hours=0)
        happen()

        send_due(10)

        assert receiver.received[0].is_signed_with(new)
        assert not receiver.received[0].is_signed_with(SECRET)
