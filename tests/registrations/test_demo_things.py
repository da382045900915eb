"""What the demo shop offers can be shown: in both languages, with a picture, at hours at which people come."""

from datetime import time, timedelta

import pytest
from django.conf import settings
from django.utils.timezone import localtime
from PIL import Image

from registrations.demo_pictures.draw import HERE, SCENES
from registrations.demo_things import OFTEN, OPEN_DAY, POTTERY, SATURDAY
from registrations.models import Activity
from tests.support.road import NOON

THINGS = (*OFTEN, OPEN_DAY)


class TestThing:
    @pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.slug)
    def test_is_told_in_every_language_of_the_site(self, thing):
        told = [thing.told[language] for language, _name in settings.LANGUAGES]

        for text in ("title", "summary", "description"):
            words = {getattr(each, text) for each in told}
            assert len(words - {""}) == len(settings.LANGUAGES)

    @pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.slug)
    def test_begins_in_the_evening_or_on_a_saturday_after_the_day_that_is_asked_for(self, thing):
        begins = localtime(thing.starts_after(NOON))

        assert begins.date() > localtime(NOON).date()
        assert begins.weekday() in SATURDAY or begins.time() >= time(18)

    def test_keeps_its_hour_in_summer(self):
        summer = localtime(POTTERY.starts_after(NOON + timedelta(days=120)))

        assert summer.time() == POTTERY.begins

    @pytest.mark.parametrize("language", ["en", "fr"])
    def test_speaks_both_languages_whichever_is_the_sites(self, settings, language):
        settings.LANGUAGE_CODE = language

        activity = Activity(**POTTERY.columns(starts_at=NOON, picture=None))

        assert activity.told("title", language="en") == "Pottery workshop"
        assert activity.told("title", language="fr") == "Atelier poterie"
        assert activity.title == POTTERY.told[language].title
        assert "bowl" in activity.search_text
        assert "emailler" in activity.search_text


class TestPictures:
    def test_are_those_that_are_drawn_and_small(self):
        files = sorted(HERE.glob("*.webp"))

        assert {file.stem for file in files} == set(SCENES) == {thing.picture for thing in THINGS}
        assert [file.name for file in files if file.stat().st_size > 15_000] == []
        for file in files:
            with Image.open(file) as picture:
                assert picture.size == (800, 500)
