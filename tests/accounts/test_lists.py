"""Lists leaf and count as far as people do, and lead on from there."""

import pytest
from django.urls import reverse

from accounts import lists
from registrations.models import Registration
from tests.support.factories import ActivityFactory, RegistrationFactory, make_staff

LIST = "admin:registrations_registration_changelist"


@pytest.fixture
def ask(client, db, monkeypatch):
    """A list of pages of fifty that counts no further than seventy; returns how it was answered."""
    monkeypatch.setattr(lists, "MOST_ROWS", 70)
    client.force_login(make_staff())
    return lambda query="", name=LIST: client.get(reverse(name) + query, headers={"accept-language": "en"})


@pytest.fixture
def registrations(db):
    return RegistrationFactory.create_batch(120, activity=ActivityFactory(capacity=200))


class TestLongList:
    def test_counts_no_further_and_says_so(self, ask, registrations):
        response = ask()

        assert response.context["cl"].result_count == 70
        assert "more than 70" in " ".join(response.content.decode().split())

    def test_leads_to_every_row(self, ask, registrations):
        seen, query = [], ""
        while query is not None:
            changelist = ask(query).context["cl"]
            seen += [row.pk for row in changelist.result_list]
            pages = changelist.paginator.num_pages
            query = f"{query or '?'}&p=2" if pages == 2 and "p=2" not in query else changelist.older or None

        assert seen == list(Registration.objects.order_by("-pk").values_list("pk", flat=True))

    def test_leads_back_and_keeps_what_was_chosen(self, ask, registrations):
        older = ask("?status__exact=PENDING&p=2").context["cl"].older

        newest = ask(older).context["cl"].newest

        assert "status__exact=PENDING" in older
        assert newest == "?status__exact=PENDING"

    def test_does_not_sort_by_what_has_no_index(self, ask, registrations):
        assert list(ask("?o=1").context["cl"].result_list) == list(ask().context["cl"].result_list)

    @pytest.mark.parametrize("query", ["?id__lt=odd", "?p=99"])
    def test_refuses_what_makes_no_sense(self, ask, registrations, query):
        assert ask(query).status_code in (302, 400)


class TestShortList:
    def test_counts_exactly_and_leads_nowhere(self, ask, registrations):
        Registration.objects.filter(pk__in=[row.pk for row in registrations[:60]]).update(status="EXPIRED")

        changelist = ask().context["cl"]

        assert (changelist.result_count, changelist.older, changelist.newest) == (60, "", "")

    def test_in_an_order_of_its_own_says_how_to_find_the_rest(self, ask):
        ActivityFactory.create_batch(71)

        response = ask("?p=2", "admin:registrations_activity_changelist")

        assert response.context["cl"].older == ""
        assert "Filter or search" in response.content.decode()

    def test_with_few_rows_can_be_sorted(self, ask):
        ActivityFactory(title="Zen")
        ActivityFactory(title="Art")

        rows = ask("?o=1", "admin:registrations_activity_changelist").context["cl"].result_list

        assert [row.title for row in rows] == ["Art", "Zen"]
