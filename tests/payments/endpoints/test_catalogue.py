"""The words for each type of event: complete, and true where a sample can tell."""

from datetime import timedelta

import pytest
from django.utils import translation

from payments.effects.models import Effect
from payments.endpoints.catalogue import CATALOGUE, as_markdown
from payments.handlers.registry import HANDLERS, handled_types
from payments.samples.events import SAMPLES
from tests.support.factories import RegistrationFactory
from tests.support.road import NOON, event_of, hear

# What has come before. The refund fails, for example, of an order that is paid, and of one that was refunded.
PASTS = ((), ("checkout.session.completed",), ("checkout.session.completed", "refund.created"))


class TestCatalogue:
    def test_has_a_line_for_each_type_that_is_handled_and_for_no_other(self):
        assert set(CATALOGUE) >= set(handled_types())
        assert [name for name in CATALOGUE if HANDLERS.get(name) is None] == []

    @pytest.mark.django_db
    @pytest.mark.parametrize("event_type", SAMPLES)
    def test_names_every_mail_that_follows(self, event_type):
        for past in PASTS:
            row = RegistrationFactory.create()
            hear(*(event_of(row, name) for name in past))
            known = set(Effect.objects.values_list("pk", flat=True))

            hear(event_of(row, event_type, at=NOON + timedelta(minutes=5)))

            mails = Effect.objects.exclude(pk__in=known).values_list("kind", flat=True)
            assert set(mails) <= set(CATALOGUE[event_type].mails)


class TestAsMarkdown:
    def test_is_one_table_in_the_language_that_is_on(self):
        with translation.override("fr"):
            table = [line for line in as_markdown().splitlines() if line.startswith("|")]

        assert len(table) == len(CATALOGUE) + 2
        assert {line.count("|") for line in table} == {6}
        assert "La banque a refusé une tentative." in "".join(table)
