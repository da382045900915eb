"""Whatever somebody writes into an address: no screen of the admin and no public page or API breaks of it."""

import pytest
from django.contrib import admin
from django.db import transaction
from django.db.models import DateTimeField
from django.urls import reverse

from registrations.links import token_of
from tests.support.deep import DEEP
from tests.support.factories import NOON, RegistrationFactory, UserFactory, make_staff

pytestmark = pytest.mark.django_db
HUGE = "9" * 30
VALUES = ["x", "-1", "0", HUGE, "1e400", "%00", "a%00b", "%FF", "1.5", f"-{HUGE}", "%25", "%F0%9F%92%A9", "", "x" * 300]
MOMENTS = ["abc", "%00", "9999-99-99", "0001-01-01 00:00:00%2B14:00", "9999-12-31 23:59:59-12:00", HUGE]
OWN = ["p", "o", "q", "e", "all", "_to_field", "_popup", "_facets", "_changelist_filters"]


def fields_of(model):
    """One of each kind, which decides what a value is taken for; all of them where everything is tried."""
    fields = model._meta.fields
    return fields if DEEP else list({type(field): field for field in fields}.values())


def queries(model):
    """What a list can be asked for, with values that make no sense."""
    yield from (f"{name}={value}" for name in OWN for value in ("x", "-1", "0", HUGE))
    yield from (
        "o=1.1.1.-1",
        "o=-99.99",
        "q=" + "+".join("abcdefgh"),
        "q=O-" + HUGE,
        "q=%FF",
        "%00=1",
        "nope=1",
        "pk__in=a",
    )
    for field in fields_of(model):
        yield from (f"{field.name}__exact={value}" for value in ("x", HUGE))
        if isinstance(field, DateTimeField):
            yield from (f"{field.name}__gte={moment}" for moment in MOMENTS)
            yield from (f"{field.name}__year={year}" for year in ("-1", HUGE))
    filters = admin.site._registry[model].get_list_filter(None)
    names = [each.parameter_name for each in filters if hasattr(each, "parameter_name")]
    yield from (f"{name}={value}" for name in names for value in ("x", HUGE))


@pytest.fixture
def staff(client, monkeypatch):
    """A member of staff who may see everything, in lists that go on for more than one page."""
    RegistrationFactory.create_batch(2)
    UserFactory(email_confirmed_at=NOON)
    for screen in admin.site._registry.values():
        monkeypatch.setattr(screen, "list_per_page", 1)
    client.force_login(make_staff(email="boss@example.com"))
    client.raise_request_exception = False
    return client


def broken(client, address, queries):
    """The queries that the address does not answer, or refuse, as it should."""
    answers = ((query, look(client, f"{address}?{query}")) for query in queries)
    return [(query, status) for query, status in answers if status not in (200, 302, 400, 404)]


def look(client, address):
    """The status of the answer; what the database has refused does not stand in the way of the next request."""
    before = transaction.savepoint()
    try:
        return client.get(address).status_code
    finally:
        transaction.savepoint_rollback(before)


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label_lower)
class TestScreens:
    def test_list_or_say_what_is_wrong(self, staff, model):
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")

        assert broken(staff, address, queries(model)) == []

    @pytest.mark.parametrize("page", ["change", "history", "delete"])
    def test_know_no_row_by_an_odd_name(self, staff, model, page):
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")

        statuses = {look(staff, f"{address}{value}/{page}/") for value in VALUES if value}

        assert statuses <= {302, 400, 403, 404}

    def test_take_no_odd_row_for_an_action(self, staff, model):
        screen = admin.site._registry[model]
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        actions = [getattr(action, "__name__", action) for action in screen.actions or ()] + ["nope", "\0"]

        sent = [(action, rows, "0") for action in actions for rows in (["\0"], ["x"], [HUGE], ["1", "\0"])]
        sent += [(actions[0], ["1"], index) for index in ("x", "7", HUGE, "\0")]
        statuses = {
            staff.post(address, {"action": action, "_selected_action": rows, "index": index}).status_code
            for action, rows, index in sent
        }

        assert statuses <= {200, 302, 400, 403}

    def test_begin_with_no_odd_value(self, staff, model):
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
        fields = [field.name for field in fields_of(model)]

        found = broken(staff, address, (f"{name}={value}" for name in fields for value in ("x", HUGE, "%00")))

        assert [each for each in found if each[1] != 403] == []


class TestPages:
    @pytest.mark.parametrize(
        "address",
        ["/", "/activities/pottery/", "/modules/", "/encours/", "/plans/", "/subscription/", "/account/",
         "/account/sign-in/", "/admin/login/", "/admin/autocomplete/", "/api/activities/", "/api/me/modules/",
         "/api/plans/", "/demo/module/x/"],
    )  # fmt: skip
    def test_answer_whatever_stands_behind_the_question_mark(self, staff, address):
        names = [
            "page",
            "session_id",
            "looks",
            "next",
            "token",
            "ended",
            "term",
            "app_label",
            "format",
            "saved",
            "language",
        ]

        found = broken(staff, address, (f"{name}={value}" for name in names for value in VALUES[:8]))

        assert [each for each in found if each[1] not in (401, 403)] == []

    @pytest.mark.parametrize("page", ["", "pay", "receipt/"])
    def test_of_a_registration_answer_too(self, staff, page):
        token = token_of(RegistrationFactory())

        found = broken(staff, f"/registrations/{token}/{page}", (f"session_id={value}" for value in VALUES))

        assert [each for each in found if each[1] != 405] == []

    @pytest.mark.parametrize(
        "address",
        ["/activities/{}/", "/modules/{}/", "/registrations/{}/", "/api/activities/{}/", "/api/registrations/{}/",
         "/encours/{}/open", "/encours/{}/receipt/", "/subscription/change/{}", "/plans/{}/subscribe",
         "/account/password/{0}/{0}/", "/admin/r/{0}/{0}/", "/admin/accounts/user/{}/password/", "/{}"],
    )  # fmt: skip
    def test_know_nothing_by_an_odd_name(self, staff, address):
        statuses = {look(staff, address.format(value)) for value in VALUES if value}

        assert statuses <= {302, 400, 404, 405, 410}
