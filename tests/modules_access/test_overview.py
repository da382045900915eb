import pytest
from django.template.loader import render_to_string

from modules_access.product import MAX_LINES, ModuleProduct
from tests.support.factories import NOON
from tests.support.modules import give_back, make_buyer, make_grant, make_learner, make_module, make_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return make_learner()


def shown(user) -> str:
    section = ModuleProduct().account_section(user, at=NOON)
    return render_to_string(section.template, {"section": section.context})


class TestModules:
    def test_shows_what_is_open_and_leads_to_all_of_it(self, ada):
        make_buyer(ada, make_module(title="Light & lines"))

        page = shown(ada)

        assert "Light &amp; lines" in page
        assert "Lifetime access" in page
        assert 'href="/encours/"' in page

    def test_shows_a_few_and_how_many_more_there_are(self, ada):
        for number in range(MAX_LINES + 2):
            make_grant(ada, make_module(f"m{number}"))

        page = shown(ada)

        assert page.count("<li>") == MAX_LINES
        assert "and 2 more" in page

    def test_leaves_out_what_has_ended_and_says_what_to_do_next(self, ada):
        give_back(make_buyer(ada, make_module()).order)

        page = shown(ada)

        assert "Drawing" not in page
        assert "No module is open for you at the moment." in page
        assert 'href="/modules/"' in page
        assert 'href="/encours/"' in page

    def test_asks_the_database_once_however_much_there_is(self, ada, django_assert_num_queries):
        for number in range(3):
            make_token(ada, make_module(f"m{number}"))

        with django_assert_num_queries(1):
            shown(ada)

    def test_stands_in_the_account(self, client, ada):
        client.force_login(ada)

        assert "/encours/" in client.get("/account/").content.decode()
