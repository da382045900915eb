"""`manage.py stripe_emulator endpoint`, `rotate`, `disable` and `enable`."""

import pytest

from stripe_emulator import clock, store
from stripe_emulator.events.signature import valid_secrets
from stripe_emulator.models import StoredObject
from tests.stripe_emulator.test_command import URL, refused, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint():
    run("endpoint", "--url", URL, "--secret", "whsec_first")
    return store.find("webhook_endpoint").get()


class TestEndpoint:
    def test_is_made_once_and_then_changed(self):
        run("endpoint", "--url", URL, "--secret", "whsec_a")
        run("endpoint", "--url", URL, "--secret", "whsec_b", "--events", "invoice.paid, invoice.voided")

        stored = StoredObject.objects.get()
        assert stored.data["enabled_events"] == ["invoice.paid", "invoice.voided"]
        assert valid_secrets(stored.hidden, now=0) == ["whsec_b"]

    def test_stays_what_it_is_when_nothing_else_is_said(self, endpoint):
        run("endpoint", "--url", URL, "--api-version", "2023-10-16", "--events", "invoice.paid")
        run("disable", endpoint.stripe_id)

        said = run("endpoint", "--url", URL)

        endpoint.refresh_from_db()
        assert (endpoint.data["enabled_events"], endpoint.data["status"]) == (["invoice.paid"], "disabled")
        assert endpoint.data["api_version"] == "2023-10-16"
        assert valid_secrets(endpoint.hidden, now=0) == ["whsec_first"]
        assert "disabled" in said

    def test_with_a_name_moves_to_another_address(self):
        run("endpoint", "--url", URL, "--name", "site", "--secret", "whsec_a")
        run("endpoint", "--url", f"{URL}/elsewhere", "--name", "site")

        stored = StoredObject.objects.get()
        assert stored.data["url"] == f"{URL}/elsewhere"
        assert valid_secrets(stored.hidden, now=0) == ["whsec_a"]

    def test_gets_a_secret_that_is_shown_once(self):
        first, second = run("endpoint", "--url", URL), run("endpoint", "--url", URL)

        (secret,) = valid_secrets(StoredObject.objects.get().hidden, now=0)
        assert secret in first
        assert "whsec_" not in second

    @pytest.mark.parametrize(
        "wrong",
        [
            (),
            ("--url", "nowhere"),
            ("--url", URL, "--secret", "abc"),
            ("--url", URL, "--secret", "whsec_a b"),
            ("--url", URL, "--events", "a,,b"),
            ("--url", URL, "--api-version", "2019-01-01"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, wrong):
        assert refused("endpoint", *wrong)
        assert not StoredObject.objects.exists()


class TestRotate:
    def test_shows_the_new_secret_and_keeps_the_old_one_for_a_while(self, endpoint):
        said = run("rotate", endpoint.stripe_id, "--hours", "2")

        endpoint.refresh_from_db()
        now = clock.emulated_now()
        new, old = valid_secrets(endpoint.hidden, now=now)
        assert new in said
        assert old == "whsec_first"
        assert valid_secrets(endpoint.hidden, now=now + 2 * 3600) == [new]

    def test_does_not_lengthen_what_was_about_to_end(self, endpoint):
        run("rotate", endpoint.stripe_id, "--hours", "1")
        run("rotate", endpoint.stripe_id, "--hours", "24")

        endpoint.refresh_from_db()
        assert len(valid_secrets(endpoint.hidden, now=clock.emulated_now())) == 3
        assert len(valid_secrets(endpoint.hidden, now=clock.emulated_now() + 3600)) == 2

    @pytest.mark.parametrize("name", ["rotate", "disable", "enable"])
    def test_needs_an_endpoint_that_exists(self, name):
        assert "we_of_nobody" in refused(name, "we_of_nobody")


class TestDisableAndEnable:
    def test_switch_the_endpoint(self, endpoint):
        run("disable", endpoint.stripe_id)
        disabled = store.find("webhook_endpoint", status="disabled").exists()
        run("enable", endpoint.stripe_id)

        assert disabled
        assert store.find("webhook_endpoint", status="enabled").exists()
