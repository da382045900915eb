import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import IntegrityError
from django.test import RequestFactory
from django.urls import reverse

from payments.admin.kit.actions import apply_to_each
from payments.ledger.models import HeldType


class Refused(ValueError):
    """What a service says when it will not."""


@pytest.fixture
def request_of_staff():
    request = RequestFactory().post("/admin/")
    request._messages = CookieStorage(request)
    return request


def told(request):
    return [str(message) for message in request._messages]


@pytest.mark.django_db
class TestApplyToEach:
    def test_counts_what_was_done_and_groups_refusals_by_reason(self, request_of_staff):
        done = []

        def service(number):
            if number % 2:
                raise Refused("odd")
            done.append(number)

        assert apply_to_each(request_of_staff, range(5), service, done="halved.") == 3

        assert done == [0, 2, 4]
        assert told(request_of_staff) == ["3 halved.", "2 refused: odd"]

    def test_goes_on_after_an_error_of_our_own(self, request_of_staff, caplog):
        def service(number):
            return 1 / number

        assert apply_to_each(request_of_staff, [1, 0, 2], service, done="divided.") == 2

        assert told(request_of_staff) == ["2 divided.", "1 refused: division by zero"]
        assert "ZeroDivisionError" in caplog.text

    def test_undoes_what_a_failing_service_had_written(self, request_of_staff):
        def service(name):
            HeldType.objects.create(type=name, reason="half done")
            if name == "b":
                HeldType.objects.create(type="a", reason="exists")

        apply_to_each(request_of_staff, ["a", "b", "c"], service, done="held.")

        assert set(HeldType.objects.values_list("pk", flat=True)) == {"a", "c"}

    def test_names_the_kind_of_an_error_without_words(self, request_of_staff):
        def service(_row):
            raise IntegrityError

        apply_to_each(request_of_staff, [1], service, done="done.")

        assert told(request_of_staff) == ["1 refused: IntegrityError"]

    def test_says_when_there_are_too_many_reasons_to_tell(self, request_of_staff):
        def service(number):
            raise Refused(f"no {number}")

        apply_to_each(request_of_staff, range(7), service, done="done.")

        assert len(told(request_of_staff)) == 6
        assert "other reasons" in told(request_of_staff)[-1]


class TestScreenAction:
    LIST = reverse("admin:payments_paymentevent_changelist")

    def test_is_in_the_list_and_on_the_page_of_a_row_for_who_has_its_right(self, page, event):
        own_page = reverse("admin:payments_paymentevent_change", args=[event.pk])

        for address in (self.LIST, own_page):
            assert 'value="replay"' in page.get(address).content.decode()

    def test_is_nowhere_for_others(self, client, clerk, event):
        client.force_login(clerk)
        own_page = reverse("admin:payments_paymentevent_change", args=[event.pk])

        for address in (self.LIST, own_page):
            assert 'value="replay"' not in client.get(address).content.decode()


class TestConfirmationPage:
    def test_leads_to_the_rows_that_it_lists(self, page, event):
        data = {"action": "replay", "_selected_action": [event.pk]}

        content = page.post(TestScreenAction.LIST, data).content.decode()

        assert f'<a href="{reverse("admin:payments_paymentevent_change", args=[event.pk])}">' in content
