from datetime import timedelta

import pytest
from django.template.loader import render_to_string

from payments.statuses import OrderStatus
from registrations.links import page_path
from registrations.pages.display_state import RegistrationDisplayState
from registrations.product import LABELS, RegistrationProduct
from tests.support.factories import NOON, RegistrationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def camille():
    return UserFactory(name="Camille", email_confirmed_at=NOON)


def shown(user) -> str:
    section = RegistrationProduct().account_section(user, at=NOON)
    return render_to_string(section.template, {"section": section.context, "user": user})


class TestRegistrations:
    @pytest.mark.parametrize(
        ("status", "words", "has_receipt"),
        [
            (OrderStatus.PENDING, "waiting for payment", False),
            (OrderStatus.FAILED, "payment declined", False),
            (OrderStatus.PAID, "confirmed", True),
            (OrderStatus.REFUNDED, "refunded", True),
        ],
    )
    def test_says_where_each_stands_and_leads_there(self, camille, status, words, has_receipt):
        row = RegistrationFactory(user=camille, order__status=status, activity__title="Poterie & thé")

        page = shown(camille)

        assert f">{words}</span>" in page
        assert f'href="{page_path(row)}">Poterie &amp; thé</a>' in page
        assert (f'href="{page_path(row)}receipt/"' in page) is has_receipt

    def test_offers_no_receipt_for_what_cost_nothing(self, camille):
        RegistrationFactory(user=camille, order__status=OrderStatus.PAID, activity__price=0)

        assert "receipt" not in shown(camille)

    @pytest.mark.parametrize("status", [OrderStatus.EXPIRED, OrderStatus.CANCELED])
    def test_leaves_out_what_ended_unpaid_and_says_what_to_do_next(self, camille, status):
        RegistrationFactory(user=camille, order__status=status)

        page = shown(camille)

        assert "You have not registered for anything yet." in page
        assert 'href="/"' in page

    def test_shows_nothing_of_others_even_with_the_same_address(self, camille):
        RegistrationFactory(email=camille.email, activity__title="Not joined")
        RegistrationFactory(user=UserFactory(), activity__title="Of somebody else")

        page = shown(camille)

        assert "Not joined" not in page
        assert "Of somebody else" not in page

    def test_names_who_goes_where_it_is_not_the_person(self, camille):
        RegistrationFactory(user=camille, name="Little Inès")
        RegistrationFactory(user=camille, name="Camille")

        page = shown(camille)

        assert "Little Inès" in page
        assert "Camille" not in page

    def test_puts_the_latest_date_first(self, camille):
        for title, days in (("Second", 1), ("First", 2)):
            RegistrationFactory(
                user=camille, activity__title=title, activity__starts_at=NOON + timedelta(days=days)
            )  # fmt: skip

        page = shown(camille)

        assert page.index("First") < page.index("Second")

    def test_asks_the_database_once_however_much_there_is(self, camille, django_assert_num_queries):
        RegistrationFactory.create_batch(5, user=camille, order__status=OrderStatus.PAID)

        with django_assert_num_queries(1):
            shown(camille)


class TestLabels:
    def test_has_a_word_for_everything_that_the_own_page_can_say(self):
        assert LABELS.keys() == set(RegistrationDisplayState)
