"""Amounts, days and hours as the reader's country writes them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from config.reader import locale_named
from payments.money import format_amount, zone_in_words
from tests.support.factories import ActivityFactory
from tests.support.pages import text_of


class TestLocaleNamed:
    @pytest.mark.parametrize(
        ("header", "language", "name"),
        [
            ("en-GB,en;q=0.9", "en", "en_GB"),
            ("fr-CH, en-US;q=0.7", "en", "en_US"),
            ("fr,en-US;q=0.7", "fr", ""),
            ("en;q=0.9,fr-CA;q=0.3", "fr", "fr_CA"),
            ("en-XX", "en", ""),
            ("fr-latn-fr", "fr", ""),
            ("", "fr", ""),
            ("*;q=x, \0", "fr", ""),
        ],
    )
    def test_is_the_country_that_goes_with_the_language_of_the_page(self, header, language, name):
        assert locale_named(header, language=language) == name


@pytest.mark.django_db
class TestPage:
    @pytest.mark.parametrize(
        ("header", "words"),
        [
            ("en-GB", "Wednesday, 1 December 2077 at 14:00 CHF 49.00"),
            ("en-US", "Wednesday, December 1, 2077 at 2:00 PM CHF 49.00"),
            ("en", "Wednesday, Dec. 1, 2077 at 2 p.m. CHF 49.00"),
            ("fr-CH", "Mercredi 1 décembre 2077 à 14:00 49,00 CHF"),
            ("fr-FR", "Mercredi 1 décembre 2077 à 14:00 49,00 CHF"),
            ("fr-CA,fr;q=0.8", "Mercredi 1 décembre 2077 à 14 h 00 49,00 CHF"),
        ],
    )
    def test_writes_as_there(self, client, header, words):
        ActivityFactory(starts_at=datetime(2077, 12, 1, 13, tzinfo=UTC), currency="chf")

        page = text_of(client.get("/", HTTP_ACCEPT_LANGUAGE=header))

        assert words in page
        with translation.override("en"):
            assert format_amount(4900, "eur") == "€49.00"

    def test_says_whose_time_it_is(self, client, settings):
        ActivityFactory(starts_at=timezone.now() + timedelta(days=2))

        assert "All times are Paris time." in text_of(client.get("/", HTTP_ACCEPT_LANGUAGE="en"))
        settings.TIME_ZONE = "UTC"
        assert zone_in_words() == "UTC"
