import re

import pytest
from django.core import mail as post

from payments.effects.deliver import deliver_due
from registrations.links import page_path, token_of
from registrations.models import Registration, WaitingEntry
from tests.support.pages import text_of
from tests.support.road import NOON

pytestmark = pytest.mark.django_db
CAMILLE = {"name": "Camille Martin", "email": "camille@example.com"}


def link_in_mail() -> str:
    """The only link in the only mail, as a path."""
    deliver_due(at=NOON)
    [message] = post.outbox
    [link] = re.findall(r"https?://[^/\s]+(/\S+)", str(message.body))
    return str(link)


class TestConfirmPage:
    @pytest.fixture
    def link(self, visitor, make_activity) -> str:
        make_activity(slug="open-day", price=0)
        visitor.post("/activities/open-day/", CAMILLE)
        return link_in_mail()

    def test_takes_the_place_with_its_button(self, visitor, link):
        opened = visitor.get(link)
        pressed = visitor.post(link, follow=True)

        assert "Confirm my place" in text_of(opened)
        assert pressed.redirect_chain == [(page_path(Registration.objects.get()), 303)]
        assert "Your place is confirmed" in text_of(pressed)

    def test_does_nothing_when_it_is_only_opened(self, visitor, link):
        visitor.get(link)

        assert Registration.objects.get().status == "PENDING"

    def test_leads_to_the_own_page_once_it_is_done(self, visitor, link):
        visitor.post(link)

        assert visitor.get(link)["Location"] == page_path(Registration.objects.get())
        assert visitor.post(link).status_code == 303

    def test_is_another_secret_than_that_of_the_own_page(self, visitor, link):
        row = Registration.objects.get()

        assert token_of(row) not in link
        assert visitor.post(f"/registrations/confirm/{token_of(row)}/").status_code == 404
        visitor.post(f"{page_path(row)}pay")
        assert Registration.objects.get().status == "PENDING"


class TestConfirmWaitingPage:
    @pytest.fixture
    def link(self, visitor, make_activity) -> str:
        make_activity(slug="tiny", capacity=1, places_taken=1)
        visitor.post("/activities/tiny/waiting-list", CAMILLE)
        return link_in_mail()

    def test_puts_who_presses_its_button_on_the_list(self, visitor, link):
        opened = visitor.get(link)
        before = WaitingEntry.objects.get().is_unconfirmed
        pressed = visitor.post(link, follow=True)

        assert "Camille Martin" in text_of(opened)
        assert (before, WaitingEntry.objects.get().is_unconfirmed) == (True, False)
        assert "You are on the waiting list" in text_of(pressed)

    @pytest.mark.parametrize("token", ["1:x", "x"])
    def test_is_nobodys_without_the_right_token(self, visitor, link, token):
        assert visitor.get(f"/waiting/confirm/{token}/").status_code == 404
