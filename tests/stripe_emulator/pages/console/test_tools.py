"""The console's buttons of deliveries, endpoints, the clock and chaos."""

import pytest

from stripe_emulator import clock
from stripe_emulator.events.chaos import Chaos
from stripe_emulator.models import Delivery, DeliveryState, StoredObject

URLS = {"success_url": "http://127.0.0.1:8000/thanks"}
POTTERY = {"currency": "eur", "unit_amount": 4900, "product_data": {"name": "Pottery"}}


@pytest.fixture
def endpoint(stripe_api):
    return stripe_api.webhook_endpoints.create({"url": "http://127.0.0.1:9/hook", "enabled_events": ["*"]})


def data_of(id):
    return StoredObject.objects.get(stripe_id=id).data


class TestDeliveryButtons:
    def test_send_again_plans_one_more(self, console, endpoint, stripe_api):
        stripe_api.customers.create({})
        delivery = Delivery.objects.get()

        console.press("delivery.send", str(delivery.pk))
        console.press("event.send", delivery.event.stripe_id)

        assert delivery.event.deliveries.count() == 3

    def test_send_all_undelivered_leaves_out_what_was_accepted(self, console, endpoint, stripe_api):
        stripe_api.customers.create({})
        stripe_api.customers.create({})
        accepted, dropped = Delivery.objects.order_by("pk")
        Delivery.objects.filter(pk=accepted.pk).update(state=DeliveryState.DELIVERED)
        Delivery.objects.filter(pk=dropped.pk).update(state=DeliveryState.DROPPED)

        console.press("deliveries.send")

        assert accepted.event.deliveries.count() == 1
        assert dropped.event.deliveries.count() == 2


class TestEndpointButtons:
    def test_disable_and_enable(self, console, endpoint):
        console.press("endpoint.disable", endpoint.id)
        disabled = data_of(endpoint.id)["status"]
        console.press("endpoint.enable", endpoint.id)

        assert disabled == "disabled"
        assert data_of(endpoint.id)["status"] == "enabled"


class TestClockButtons:
    @pytest.mark.parametrize(
        ("id", "given", "seconds"),
        [
            ("2100", {}, 2100),
            ("", {"count": "3", "unit": "days"}, 259_200),
            ("", {"count": "2", "unit": "hours"}, 7200),
        ],
    )
    def test_advance(self, console, id, given, seconds):
        console.press("clock.advance", id, **given)

        assert clock.ahead() == seconds

    def test_advance_does_what_falls_due(self, console, session):
        console.press("clock.advance", "86400")
        console.press("clock.advance", "2100")

        assert data_of(session.id)["status"] == "expired"

    @pytest.mark.parametrize(
        ("id", "given"),
        [
            ("-5", {}),
            ("0", {}),
            ("999999999999", {}),
            ("soon", {}),
            ("", {}),
            ("", {"count": "3", "unit": "moons"}),
            ("", {"count": "9" * 5000, "unit": "days"}),
        ],
    )
    def test_advance_refuses_what_makes_no_sense(self, console, id, given):
        page = console.press("clock.advance", id, **given)

        assert "Refused: " in page
        assert clock.ahead() == 0


class TestChaosButtons:
    def test_save_keeps_every_setting(self, console):
        console.press("chaos.save", seed="7", duplicates="3", drop_percent="10", same_second="on")

        chaos = Chaos.current()
        assert (chaos.seed, chaos.duplicates, chaos.drop_percent) == (7, 3, 10)
        assert (chaos.same_second, chaos.rotation) == (True, False)

    @pytest.mark.parametrize(
        "given", [{"drop_percent": "101"}, {"duplicates": "-1"}, {"seed": "seven"}, {"slow_seconds": "1.5"}]
    )
    def test_save_refuses_what_makes_no_sense(self, console, given):
        page = console.press("chaos.save", **{"shuffle": "5", **given})

        assert "Refused: " in page
        assert not Chaos.current().is_on

    def test_presets_switch_it_on_and_off(self, console):
        console.press("chaos.preset", "storm")
        stormy = Chaos.current().is_on
        console.press("chaos.preset", "off")

        assert stormy is True
        assert not Chaos.current().is_on
        assert "Refused: " in console.press("chaos.preset", "tornado")
