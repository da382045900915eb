from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from modules_access.figures import count_check
from modules_access.services.grants import revoke_access
from tests.support.modules import make_grant, make_token
from tests.support.pages import text_of

FIGURES = reverse("admin:modules_access_figures")
DAY = timedelta(days=1)


@pytest.fixture
def now():
    return timezone.now()


class TestFigures:
    def test_tell_what_was_created_and_withdrawn_and_lead_to_it(self, page, module, learner, now):
        make_grant(learner, module, at=now - 31 * DAY)
        for _ in range(3):
            make_grant(learner, module, at=now - DAY)
        taken = make_grant(learner, module, at=now - DAY)
        revoke_access(access=taken, reason="a test", by="staff", at=now)
        make_token(learner, module, at=now - DAY)

        response = page.get(FIGURES)

        text = text_of(response)
        assert "Given by staff 4" in text
        assert "Token 1" in text
        assert "Given by staff Taken back by staff. 1" in text
        behind = {name: address for name, _number, address in response.context["created"]}
        assert page.get(behind["Given by staff"]).context["cl"].result_count == 4
        (*_words, address) = response.context["withdrawn"][0]
        assert [row.pk for row in page.get(address).context["cl"].result_list] == [taken.pk]
        assert address in unescape(response.content.decode())

    @pytest.mark.parametrize(("days", "count"), [("7", 1), ("30", 2), ("90", 3), ("", 2), ("8", 2), ("x", 2)])
    def test_are_of_the_period_that_was_chosen(self, page, module, learner, now, days, count):
        for age in (1, 20, 60):
            make_grant(learner, module, at=now - age * DAY)

        response = page.get(FIGURES, {"days": days})

        assert dict((name, number) for name, number, _ in response.context["created"])["Given by staff"] == count
        assert response.content.decode().count('aria-current="page">') >= 1

    def test_tell_how_verifications_went(self, page, now):
        for outcome, micros in (("ok", 1500), ("ok", 1500), ("token_expired", 1500), ("not_known_here", 1500)):
            count_check(outcome=outcome, micros=micros, at=now)

        text = text_of(page.get(FIGURES))

        assert "Let in 2" in text
        assert "Refused 2" in text
        assert "The token has expired. token_expired 1" in text
        assert "not_known_here not_known_here 1" in text
        assert "Half took at most 1.5 ms" in text

    def test_say_so_where_there_is_nothing(self, page, db):
        text = text_of(page.get(FIGURES))

        assert "None withdrawn." in text
        assert "Half took at most –" in text

    def test_are_linked_from_the_list_of_modules(self, page, module):
        assert FIGURES in page.get(reverse("admin:modules_access_module_changelist")).content.decode()

    def test_are_for_who_may_see_modules(self, page_of):
        assert page_of("view_moduleaccess").get(FIGURES).status_code == 403
        assert page_of("view_module").get(FIGURES).status_code == 200

    def test_have_no_script_and_no_style_of_their_own(self, page, db):
        content = page.get(FIGURES).content.decode()

        assert "style=" not in content
        assert "<style" not in content

    def test_take_few_queries(self, queries_of):
        assert queries_of(FIGURES) <= 10
