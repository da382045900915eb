from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation
from django.utils.formats import date_format

from accounts.moments import moment


class TestMoment:
    @pytest.mark.parametrize(
        ("ago", "words"),
        [
            (timedelta(seconds=20), "just now"),
            (timedelta(hours=3, minutes=2), "3\xa0hours ago"),
            (-timedelta(days=2, minutes=1), "in 2\xa0days"),
        ],
    )
    def test_is_told_as_people_say_it(self, ago, words):
        assert f">{words}</time>" in moment(timezone.now() - ago)

    def test_is_a_date_where_it_is_far_away(self):
        assert ">1 Jan 2020</time>" in moment(datetime(2020, 1, 1, 12, tzinfo=UTC))

    def test_says_exactly_when_the_pointer_rests_on_it(self):
        at = timezone.now() - timedelta(hours=3)

        assert f'title="{date_format(timezone.localtime(at), "DATETIME_FORMAT")}"' in moment(at)

    def test_is_told_in_the_readers_language(self):
        with translation.override("fr"):
            assert "il y a 3\xa0heures" in moment(timezone.now() - timedelta(hours=3, minutes=1))

    def test_stands_exactly_on_the_page_of_a_row(self):
        at = timezone.now() - timedelta(hours=3, minutes=1)

        assert "</time> <span" in moment(at, is_exact=True)
        assert "3\xa0hours ago" in moment(at, is_exact=True)
