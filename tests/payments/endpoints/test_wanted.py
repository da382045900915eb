"""What an endpoint of ours must be sent: by the handlers, in the ranks of Stripe's guides."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from payments.endpoints.wanted import CRITICAL, OPTIONAL, is_ours, missing_types, rank_of, registered
from payments.handlers.registry import handled_types

TYPE = re.compile(r"`(\w+\.[\w.]+)`")


def paragraphs(path):
    return (Path(settings.BASE_DIR) / path).read_text().split("\n\n")


class TestRanks:
    def test_are_of_types_that_are_handled(self):
        assert set(handled_types()) >= CRITICAL | OPTIONAL
        assert not CRITICAL & OPTIONAL

    def test_stand_in_the_documents(self):
        [told] = [line for line in paragraphs("docs/operations.md") if line.startswith("Types of events have ranks.")]
        critical, _split, optional = told.partition("*Optional*")

        assert set(TYPE.findall(critical)) == CRITICAL
        assert set(TYPE.findall(optional)) == OPTIONAL

    @pytest.mark.parametrize(
        ("event_type", "rank"),
        [
            ("checkout.session.completed", "critical"), ("checkout.session.expired", "critical"),
            ("payment_intent.payment_failed", "critical"), ("payment_intent.canceled", "recommended"),
            ("payment_intent.requires_action", "recommended"), ("charge.dispute.created", "recommended"),
            ("payment_intent.succeeded", "optional"),
        ],
    )  # fmt: skip
    def test_are_those_of_the_guide(self, event_type, rank):
        assert rank_of(event_type) == rank


class TestRegistered:
    @pytest.mark.parametrize(
        ("url", "is_so"),
        [
            ("https://shop.example/stripe/webhooks", True), ("https://shop.example/api/webhooks/stripe/", True),
            ("http://shop.example/stripe/webhook", True), ("https://www.shop.example/stripe/webhooks", False),
            ("https://shop.example/elsewhere", False), ("", False),
        ],
    )  # fmt: skip
    def test_knows_ours_by_host_and_path(self, settings, url, is_so):
        settings.SITE_URL = "https://shop.example"

        assert is_ours({"url": url}) is is_so

    def test_puts_those_that_work_first(self, settings):
        settings.SITE_URL = "https://shop.example"
        usual = {"url": "https://shop.example/stripe/webhooks", "metadata": {}}
        off, on = {**usual, "id": "we_1", "status": "disabled"}, {**usual, "id": "we_2", "status": "enabled"}

        found = registered([off, on, {"id": "we_3", "url": "https://other.example/"}])

        assert ([each["id"] for each in found.ours], [each["id"] for each in found.working]) == (
            ["we_2", "we_1"],
            ["we_2"],
        )

    def test_takes_everything_for_every_type(self):
        assert missing_types([{"enabled_events": ["*"]}]) == []
        assert missing_types([{"enabled_events": handled_types()[1:]}]) == handled_types()[:1]
