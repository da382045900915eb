import json
from datetime import UTC, datetime
from typing import Any

import pytest

from payments.facts import NoFacts, references_to_wait_for
from payments.handlers.registry import HANDLERS, EventView
from payments.ledger.read_event import MalformedEvent, mentions_of, read_event
from payments.samples.events import SAMPLES, sample_event
from payments.samples.story import CURRENT_SHAPE, OLD_SHAPE, SampleSubject
from tests.support.signing import event_not_made, make_event, thin_event

WRONG: dict[str, list[Any]] = {
    "id": [None, 1, "", "evt", "cs_1", "EVT_1", "evt_\n", "evt_" + "x" * 252, ["evt_1"]],
    "type": [None, "", 1, "x" * 121, {}],
    "data": [None, [], "x", {}, {"object": None}, {"object": []}],
    "created": [None, True, 1_790_000_000.0, "1790000000", 0, -1, 946_684_799, 4_133_980_800, 10**30],
    "livemode": [None, 1, "true"],
    "account": [1, "a" * 256],
    "api_version": [2024, "x" * 61],
    "object": [{"id": 1}, {"id": "x" * 256}],
}


def read(event, *, livemode=False, account=""):
    return read_event(event, body_sha256="0" * 64, expected_livemode=livemode, expected_account=account)


def refusal_of(event):
    with pytest.raises(MalformedEvent) as refused:
        read(event)
    return refused.value


class TestReadEvent:
    def test_reads_what_stripe_sends(self):
        event = make_event(id="evt_1", created=1_790_000_000, api_version="2024-04-10", account=None)

        incoming = read(event)

        assert (incoming.id, incoming.type) == ("evt_1", "checkout.session.completed")
        assert (incoming.api_version, incoming.object_id) == ("2024-04-10", "cs_test_a1")
        assert incoming.occurred_at == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
        assert (incoming.livemode, incoming.account, incoming.ignored_reason) == (False, "", "")
        assert incoming.payload == event

    def test_keeps_neither_secrets_nor_odd_text(self):
        incoming = read(make_event(object={"id": "cs_\x00", "client_secret": "x", "url": "https://x"}))

        assert incoming.object_id == "cs_�"
        assert {"client_secret", "url"}.isdisjoint(incoming.payload["data"]["object"])

    @pytest.mark.parametrize("missing", [{"id": None}, {"id": ""}])
    def test_takes_an_object_without_id(self, missing):
        assert read(make_event(object=missing)).object_id == ""

    @pytest.mark.parametrize("name", ["api_version", "livemode", "account", "request"])
    def test_takes_an_event_without_what_older_versions_did_not_send(self, name):
        event = make_event(account="")
        del event[name if name in event else "account"]

        assert read(event).id == event["id"]

    @pytest.mark.parametrize("body", [None, [], "evt_1", 1, True])
    def test_refuses_what_is_no_object(self, body):
        assert refusal_of(body).code == "not_an_object"

    @pytest.mark.parametrize("kind", [None, "charge", 1, ["event"], {}])
    def test_refuses_other_objects(self, kind):
        assert refusal_of({**make_event(), "object": kind}).code == "not_an_event"

    def test_refuses_what_is_too_deep(self):
        deep: dict = {}
        for _ in range(70):
            deep = {"a": deep}

        assert refusal_of(make_event(object=deep)).code == "too_deep"

    @pytest.mark.parametrize(("field", "value"), [(field, value) for field in WRONG for value in WRONG[field]])
    def test_refuses_a_field_that_would_surprise_later(self, field, value):
        refused = refusal_of(make_event(**{field: value}))

        assert refused.code == "invalid_event"

    def test_says_which_field_but_not_what_is_in_it(self):
        refused = refusal_of(make_event(type="secret-" * 40))

        assert "`type`" in str(refused)
        assert "secret-" not in str(refused)

    @pytest.mark.parametrize("created", [946_684_800, 4_133_980_799])
    def test_takes_the_years_from_2000_to_2100(self, created):
        assert read(make_event(created=created)).occurred_at.year in (2000, 2100)

    @pytest.mark.parametrize("expected", [True, False])
    def test_ignores_the_other_mode(self, expected):
        incoming = read(make_event(livemode=not expected), livemode=expected)

        assert incoming.ignored_reason == "wrong livemode"

    @pytest.mark.parametrize("expected", ["", "acct_ours"])
    def test_ignores_an_account_that_is_not_ours(self, expected):
        incoming = read(make_event(account="acct_theirs"), account=expected)

        assert incoming.ignored_reason == "unexpected account"

    @pytest.mark.parametrize("named", ["acct_ours", None])
    def test_takes_our_account_named_or_not(self, named):
        assert read(make_event(account=named), account="acct_ours").ignored_reason == ""

    def test_gives_a_payload_that_any_database_can_hold(self):
        incoming = read(make_event(object={"name": "\ud800", "\x00": "\x00"}))

        assert "\x00" not in json.dumps(incoming.payload, ensure_ascii=False).encode().decode()


class TestThinEvent:
    def test_is_read_by_what_it_names(self):
        event = thin_event(
            "v1.charge.failed", related_object={"id": "ch_1", "type": "charge", "url": "/v1/charges/ch_1"}
        )

        incoming = read(event)

        assert (incoming.id, incoming.type, incoming.object_id) == (event["id"], "v1.charge.failed", "ch_1")
        assert (list(incoming.mentions), incoming.api_version, incoming.account) == (["ch_1"], "", "")
        assert incoming.occurred_at == datetime(2026, 3, 2, 12, 0, 0, 500_000, tzinfo=UTC)
        assert incoming.payload == event

    @pytest.mark.parametrize(
        "impact",
        [{"related_object": {"id": "pi_1", "type": "payment_intent", "url": "x"}}, {"related_object_id": "pi_1"}],
    )
    def test_names_what_an_event_could_not_be_made_of(self, impact):
        assert read(event_not_made(impact)).object_id == "pi_1"

    @pytest.mark.parametrize("data", [None, "x", [], {}, {"impact": None}, {"impact": {"related_object": []}}])
    def test_may_name_nothing(self, data):
        incoming = read(thin_event(data=data))

        assert (incoming.object_id, incoming.mentions) == ("", [])

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("created", None), ("created", 1_790_000_000), ("created", "yesterday"), ("created", "2026-03-02"),
            ("created", "2026-03-02T12:00:00"), ("created", "1999-03-02T12:00:00Z"),
            ("created", "0001-01-01T00:00:00Z"),
            ("id", "thin_1"), ("type", None), ("livemode", "true"), ("context", 1), ("related_object", {"id": 1}),
        ],
    )  # fmt: skip
    def test_is_refused_where_it_would_surprise_later(self, field, value):
        assert refusal_of(thin_event(**{field: value})).code == "invalid_event"

    def test_is_ignored_in_another_mode_or_account(self):
        assert read(thin_event(livemode=True)).ignored_reason == "wrong livemode"
        assert read(thin_event(context="acct_theirs")).ignored_reason == "unexpected account"
        theirs = event_not_made({"related_object_id": "pi_1", "context": "acct_theirs"})
        assert read(theirs).ignored_reason == "unexpected account"
        assert read(thin_event(context="acct_ours"), account="acct_ours").ignored_reason == ""


class TestMentionsOf:
    @pytest.mark.parametrize("shape", [CURRENT_SHAPE, OLD_SHAPE])
    @pytest.mark.parametrize("event_type", SAMPLES)
    def test_are_all_that_an_event_may_wait_for(self, event_type, shape):
        subject = SampleSubject(
            order="7B0C3F0E-43C1-4C53-9A5E-0D2F4F1F7A11", registration="old-42", site="payments", attempt=1,
            amount=4900, currency="eur", email="a@example.com", name="A",
        )  # fmt: skip
        event = sample_event(event_type, subject=subject, shape=shape, at=datetime(2026, 3, 2, tzinfo=UTC))

        facts = [
            fact
            for fact in HANDLERS.get(event_type)(
                EventView("evt_1", event_type, datetime(2026, 3, 2, tzinfo=UTC), event["data"]["object"])
            )
            if not isinstance(fact, NoFacts)
        ]

        wanted = {name for fact in facts for name in references_to_wait_for(fact) if not name.startswith("price_")}
        assert wanted <= set(mentions_of(event))

    def test_leave_out_words_and_texts(self):
        source = {"object": "charge", "status": "requires_action", "description": "for ch_1 and ch_2", "amount": 4900}

        assert mentions_of({"data": {"object": source}}) == []
