"""Whoever begins a registration under another person's name and address keeps no way to it."""

import re
from datetime import timedelta

import pytest
from django.core import mail as post
from django.test import Client

from payments.effects.deliver import deliver_due
from registrations.links import page_path
from registrations.models import Registration
from registrations.services.staff_actions import correct_address
from tests.support.pages import text_of
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db
COMPLETED = "checkout.session.completed"
CAMILLE = {"name": "Camille Martin", "email": "camille@example.com"}


def mailed_links() -> list[str]:
    """The links of the newest mail, as paths."""
    deliver_due(at=NOON + timedelta(hours=2))
    return re.findall(r"https?://[^/\s]+(/\S+)", str(post.outbox[-1].body))


@pytest.fixture
def pottery(gateway, make_activity):
    return make_activity(slug="pottery")


@pytest.fixture
def begun(pottery) -> str:
    """The link of somebody who has begun it under a name and an address that are not theirs."""
    Client().post("/activities/pottery/", CAMILLE)
    return page_path(Registration.objects.get())


@pytest.fixture
def mailed(begun, visitor) -> str:
    """The link that the person gets by mail, who begins the same."""
    visitor.post("/activities/pottery/", CAMILLE)
    return next(link for link in mailed_links() if link.startswith("/registrations/"))


class TestLinkOfWhoBegan:
    def test_leads_to_it_as_long_as_nobody_has_gone_on_by_mail(self, visitor, begun, mailed):
        assert mailed != begun
        assert [visitor.get(link).status_code for link in (begun, mailed)] == [200, 200]

    def test_leads_nowhere_once_the_person_has_gone_on_by_mail(self, visitor, begun, mailed):
        visitor.post(f"{mailed}pay")
        hear(event_of(Registration.objects.get(), COMPLETED, subject={"session": "cs_test_1"}))

        stranger = Client()
        told = [stranger.get(begun), stranger.get(f"{begun}receipt/"), stranger.post(f"{begun}pay", follow=True)]
        assert [response.status_code for response in told] == [410, 410, 410]
        assert not any("Camille" in text_of(response) or mailed in response.content.decode() for response in told)
        assert stranger.get(f"/api{begun}").status_code == 404
        assert visitor.get(mailed).status_code == 200

    def test_brings_the_person_back_from_the_payment_page_that_it_opened(self, visitor, begun, mailed):
        visitor.post(f"{mailed}pay")

        back = visitor.get(begun, {"session_id": "cs_test_1"})

        assert back["Location"] == f"{mailed}?session_id=cs_test_1"

    def test_leads_the_browser_that_began_it_nowhere_either(self, begun, mailed, visitor):
        visitor.post(f"{mailed}pay")

        row = Registration.objects.get()
        assert (row.browser, page_path(row)) == ("", mailed)

    def test_ends_when_a_free_place_is_confirmed_by_the_link(self, visitor, make_activity):
        make_activity(slug="open-day", price=0)
        Client().post("/activities/open-day/", CAMILLE)
        begun = page_path(Registration.objects.get())
        [link] = mailed_links()

        confirmed = visitor.post(link, follow=True)

        assert "Your place is confirmed" in text_of(confirmed)
        assert Client().get(begun).status_code == 410


class TestMailedLink:
    def test_stands_in_every_mail_and_opens_what_is_paid(self, visitor, begun):
        hear(event_of(Registration.objects.get(), COMPLETED, subject={"session": "cs_test_1"}))

        own, receipt = sorted(link for link in mailed_links() if "/registrations/" in link)[:2]

        assert {visitor.get(own).status_code, visitor.get(receipt).status_code} == {200}
        assert own != begun

    def test_is_taken_from_a_wrong_address_that_staff_correct(self, visitor, begun, mailed):
        row = Registration.objects.get()

        correct_address(registration=row, email="cam@example.com", reason="typo", by="staff", at=NOON)

        assert visitor.get(mailed).status_code == 404
        assert visitor.get(page_path(Registration.objects.get())).status_code == 200
