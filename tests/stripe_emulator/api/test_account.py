"""Webhook endpoints through the official client."""

import pytest
import stripe

from stripe_emulator.models import Event, StoredObject
from tests.support.emulator import official_client, refusal_of

USUAL = {"url": "https://shop.example/stripe/webhooks", "enabled_events": ["invoice.paid"]}


class TestCreate:
    def test_tells_the_secret_this_once(self, stripe_api):
        made = stripe_api.webhook_endpoints.create({**USUAL, "metadata": {"site": "a"}, "description": "ours"})

        found = stripe_api.webhook_endpoints.retrieve(made.id)
        (listed,) = stripe_api.webhook_endpoints.list({}).data

        assert made.secret.startswith("whsec_")
        assert "secret" not in found
        assert "secret" not in listed
        assert StoredObject.objects.get().hidden["secrets"] == [{"secret": made.secret, "expires_at": None}]
        assert (found.status, found.description, found.metadata["site"]) == ("enabled", "ours", "a")
        assert (found.url, found.enabled_events, found.livemode) == (USUAL["url"], ["invoice.paid"], False)

    def test_tells_the_same_secret_under_the_same_key(self, stripe_api):
        first = stripe_api.webhook_endpoints.create(USUAL, {"idempotency_key": "k"})

        assert stripe_api.webhook_endpoints.create(USUAL, {"idempotency_key": "k"}).secret == first.secret

    @pytest.mark.parametrize("version", ["2023-10-16", "2026-10-28.endive"])
    def test_keeps_the_version(self, stripe_api, version):
        made = stripe_api.webhook_endpoints.create({**USUAL, "api_version": version})

        assert made.api_version == version

    def test_takes_the_accounts_version_otherwise(self, stripe_api):
        assert stripe_api.webhook_endpoints.create(USUAL).api_version is None

    @pytest.mark.parametrize(
        ("wrong", "param"),
        [
            ({"url": "shop.example"}, "url"),
            ({"url": "ftp://shop.example/"}, "url"),
            ({"url": "http://"}, "url"),
            ({"url": "http://shop.example:99999/"}, "url"),
            ({"url": "http://[shop/"}, "url"),
            ({"url": "http://shop.example/a b"}, "url"),
            ({"url": "https://shop.example/" + "x" * 2048}, "url"),
            ({"url": ""}, "url"),
            ({"enabled_events": ["no.such_event"]}, "enabled_events[0]"),
            ({"enabled_events": ""}, "enabled_events"),
            ({"api_version": "2019-01-01"}, "api_version"),
            ({"disabled": True}, "disabled"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, stripe_api, wrong, param):
        refusal = refusal_of(stripe_api.webhook_endpoints.create, {**USUAL, **wrong})

        assert isinstance(refusal, stripe.InvalidRequestError)
        assert refusal.param == param
        assert not StoredObject.objects.exists()

    @pytest.mark.parametrize("missing", ["url", "enabled_events"])
    def test_asks_for_what_is_missing_under_every_version(self, db, missing):
        params = {name: value for name, value in USUAL.items() if name != missing}

        refusal = refusal_of(official_client(version="2023-10-16").v1.webhook_endpoints.create, params)

        assert (refusal.code, refusal.param) == ("parameter_missing", missing)

    def test_refuses_the_seventeenth(self, stripe_api):
        made = [stripe_api.webhook_endpoints.create(USUAL) for _ in range(16)]

        refused = refusal_of(stripe_api.webhook_endpoints.create, USUAL)
        stripe_api.webhook_endpoints.delete(made[0].id)
        stripe_api.webhook_endpoints.create(USUAL)

        assert "16" in str(refused)
        assert len(stripe_api.webhook_endpoints.list({"limit": 100}).data) == 16

    def test_is_no_event(self, stripe_api):
        stripe_api.webhook_endpoints.create({**USUAL, "enabled_events": ["*"]})

        assert not Event.objects.exists()


class TestUpdate:
    def test_changes_only_what_is_given(self, stripe_api):
        made = stripe_api.webhook_endpoints.create({**USUAL, "description": "ours", "metadata": {"a": "1"}})

        changed = stripe_api.webhook_endpoints.update(made.id, {"url": "https://b.example/", "metadata": {"b": "2"}})

        assert (changed.url, changed.description) == ("https://b.example/", "ours")
        assert (changed.enabled_events, changed.metadata.to_dict()) == (["invoice.paid"], {"a": "1", "b": "2"})
        assert "secret" not in changed

    def test_disables_and_enables(self, stripe_api):
        made = stripe_api.webhook_endpoints.create(USUAL)

        off = stripe_api.webhook_endpoints.update(made.id, {"disabled": True})
        on = stripe_api.webhook_endpoints.update(made.id, {"disabled": False})

        assert (off.status, on.status) == ("disabled", "enabled")

    def test_changes_types_and_description(self, stripe_api):
        made = stripe_api.webhook_endpoints.create({**USUAL, "description": "ours"})

        changed = stripe_api.webhook_endpoints.update(made.id, {"enabled_events": ["*"], "description": ""})

        assert (changed.enabled_events, changed.description) == (["*"], None)

    @pytest.mark.parametrize(
        ("wrong", "param"),
        [({"url": "nowhere"}, "url"), ({"api_version": "2023-10-16"}, "api_version"), ({"disabled": "x"}, "disabled")],
    )
    def test_refuses_what_makes_no_sense(self, stripe_api, wrong, param):
        made = stripe_api.webhook_endpoints.create(USUAL)

        refusal = refusal_of(stripe_api.webhook_endpoints.update, made.id, {"description": "new", **wrong})

        assert refusal.param == param
        assert stripe_api.webhook_endpoints.retrieve(made.id).description is None


class TestDelete:
    def test_is_for_good(self, stripe_api):
        made = stripe_api.webhook_endpoints.create(USUAL)

        gone = stripe_api.webhook_endpoints.delete(made.id)

        assert (gone.id, gone.deleted) == (made.id, True)
        assert stripe_api.webhook_endpoints.list({}).data == []
        for call in (stripe_api.webhook_endpoints.retrieve, stripe_api.webhook_endpoints.delete):
            assert refusal_of(call, made.id).http_status == 404
