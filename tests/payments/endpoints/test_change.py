"""Planning and changing our endpoints at Stripe: twice the same is once, and a secret is never lost nor shown."""

import pytest
from structlog.testing import capture_logs

from payments.endpoints.change import (
    CannotChange,
    SecretNotKept,
    carry_out,
    ours,
    plan_end_of_rotation,
    plan_endpoints,
    plan_rotation,
    plan_switch,
)
from payments.endpoints.compare import differences
from payments.handlers.registry import handled_types
from tests.payments.diagnosis.conftest import make_event
from tests.support.set_up import account_for, our_endpoint

SITE = "https://shop.example"


@pytest.fixture
def stripe(settings, monkeypatch):
    settings.SITE_URL = SITE
    return account_for(monkeypatch)


@pytest.fixture
def registered(stripe):
    """One endpoint as it should be; a test changes it."""
    stripe.endpoints = [our_endpoint(SITE), {"id": "we_foreign", "url": "https://other.example/hooks"}]
    return stripe.endpoints[0]


def do(plan):
    """What was done, and the secrets that were handed over."""
    secrets = []
    return carry_out(plan, keep=secrets.append), secrets


class TestPlanEndpoints:
    def test_makes_the_one_that_is_missing_as_it_should_be(self, stripe):
        done, secrets = do(plan_endpoints(ours()))

        assert done == [f"create an endpoint at {SITE}/stripe/webhooks: we_101"]
        assert secrets == ["whsec_101"]
        assert differences(ours()) == []

    def test_does_nothing_the_second_time(self, stripe):
        do(plan_endpoints(ours()))

        assert plan_endpoints(ours()).steps == []

    def test_brings_its_events_and_its_scheme_in_line_and_keeps_its_secret(self, registered):
        registered["enabled_events"] = [*handled_types()[1:], "account.updated"]
        registered["url"] = "http://shop.example/stripe/webhooks"
        plan = plan_endpoints(ours())

        _done, secrets = do(plan)

        [step] = plan.steps
        assert step.told == "update we_1, http://shop.example/stripe/webhooks → https://shop.example/stripe/webhooks"
        assert step.types == [f"+ {handled_types()[0]} (recommended)", "- account.updated"]
        assert (secrets, plan.makes_a_secret, differences(ours())) == ([], False, [])

    def test_asks_for_what_is_understood_instead_of_everything(self, registered):
        registered["enabled_events"] = ["*"]

        do(plan_endpoints(ours()))

        assert registered["enabled_events"] == handled_types()

    @pytest.mark.parametrize("version", ["2023-10-16", None])
    def test_makes_a_second_one_for_another_version_and_only_one(self, registered, stripe, version):
        registered["api_version"] = version

        _done, secrets = do(plan_endpoints(ours()))

        assert len(secrets) == 1
        assert stripe.endpoints[0]["metadata"] == {"replaces": "we_1"}
        again = plan_endpoints(ours())
        assert (again.steps, "rotate --finish" in again.notes[0]) == ([], True)

    def test_leaves_duplicates_and_disabled_ones_to_people(self, registered, stripe):
        stripe.endpoints.append(our_endpoint(SITE, id="we_2", status="disabled"))

        plan = plan_endpoints(ours())

        assert plan.steps == []
        assert plan.notes[0].startswith("we_1, we_2 all lead here: in the Stripe Dashboard delete all but the one ")
        assert plan.notes[1:] == ["we_2 is disabled; `stripe_webhooks enable` switches it on."]

    def test_touches_nobody_else_s(self, registered, stripe):
        foreign = dict(stripe.endpoints[1])
        registered["enabled_events"] = []

        do(plan_endpoints(ours()))

        assert stripe.endpoints[1] == foreign


class TestPlanSwitch:
    def test_switches_off_and_on_and_does_nothing_twice(self, registered):
        do(plan_switch(ours(), on=False))
        assert registered["status"] == "disabled"
        assert plan_switch(ours(), on=False).steps == []

        do(plan_switch(ours(), on=True))
        assert registered["status"] == "enabled"

    def test_says_that_there_is_none(self, stripe):
        with pytest.raises(CannotChange, match="apply"):
            plan_switch(ours(), on=True)


@pytest.mark.django_db
class TestRotation:
    @pytest.fixture
    def begun(self, registered, stripe):
        do(plan_rotation(ours()))
        return stripe.endpoints[0]

    def happened(self, stripe, begun, *, pending=0, after=60, type="invoice.paid", is_here=True):
        """An event after the second endpoint was made."""
        stripe.events = [
            {"id": "evt_new", "type": type, "created": begun["created"] + after, "pending_webhooks": pending}
        ]
        if is_here:
            make_event(stripe_event_id="evt_new", type=type)

    def test_begins_with_a_second_endpoint_alike(self, begun, registered):
        assert (begun["url"], begun["enabled_events"]) == (registered["url"], registered["enabled_events"])
        assert [each.kind for each in differences(ours())] == ["rotating"]

    def test_begins_once(self, begun):
        with pytest.raises(CannotChange, match="we_101 is taking the place of another already"):
            plan_rotation(ours())

    def test_begins_only_where_there_is_one(self, stripe):
        with pytest.raises(CannotChange, match="0 webhook endpoints"):
            plan_rotation(ours())

    def test_ends_when_both_have_confirmed_an_event_that_is_here(self, begun, stripe):
        self.happened(stripe, begun)

        done, _secrets = do(plan_end_of_rotation(ours()))

        assert done == ["delete we_1, whose place we_101 has taken"]
        assert differences(ours()) == []

    @pytest.mark.parametrize(
        "different", [{"pending": 1}, {"after": 0}, {"type": "account.updated"}, {"is_here": False}]
    )
    def test_does_not_end_before(self, begun, stripe, different):
        self.happened(stripe, begun, **different)

        with pytest.raises(CannotChange, match="is its secret set here"):
            plan_end_of_rotation(ours())

    def test_does_not_end_while_the_new_one_is_off(self, begun, stripe):
        self.happened(stripe, begun)
        begun["status"] = "disabled"

        with pytest.raises(CannotChange, match="we_101 is disabled"):
            plan_end_of_rotation(ours())

    def test_does_not_end_what_has_not_begun(self, registered):
        with pytest.raises(CannotChange, match="rotate` begins"):
            plan_end_of_rotation(ours())


class TestCarryOut:
    def test_leaves_no_endpoint_whose_secret_nobody_has(self, stripe):
        def fail(_secret):
            raise OSError(28, "No space left on device")

        with pytest.raises(SecretNotKept, match="No space left on device"):
            carry_out(plan_endpoints(ours()), keep=fail)

        assert stripe.endpoints == []

    def test_logs_what_it_did_and_no_secret(self, stripe):
        with capture_logs() as lines:
            do(plan_endpoints(ours()))

        assert [line["event"] for line in lines] == ["webhooks.endpoint_changed"]
        assert "whsec_" not in str(lines)
