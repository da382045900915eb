from datetime import timedelta

import pytest

from config.api import LARGEST_BODY
from payments.effects.models import Effect
from payments.orders.models import Order
from registrations.models import Activity, Registration, WaitingEntry
from registrations.services.register import confirm_address
from tests.registrations.api.conftest import PERSON, code_of
from tests.support.fake_gateway import refused
from tests.support.road import NOON

ADDRESS = "/api/activities/pottery/registrations/"


def places_taken():
    return Activity.objects.get().places_taken


@pytest.mark.usefixtures("activity")
class TestRegister:
    def test_holds_a_place_and_tells_where_to_pay(self, api, stripe):
        response = api.register(language="en")

        told = response.json()
        row = Registration.objects.get()
        assert response.status_code == 201
        assert told == {
            "token": told["token"],
            "status": "PENDING",
            "place_held_until": "2026-03-02T13:31:00+01:00",
            "amount": 4900,
            "currency": "eur",
            "checkout_url": "https://pay.example/cs_test_1",
        }
        assert (row.name, row.email, row.language, row.holds_place) == (*PERSON.values(), "en", True)
        assert api.get(f"/api/registrations/{told['token']}/").status_code == 200
        assert not response.cookies

    def test_takes_the_language_of_the_request(self, api, stripe):
        api.post(ADDRESS, PERSON, HTTP_ACCEPT_LANGUAGE="fr")

        assert Registration.objects.get().language == "fr"

    def test_tells_who_knows_name_and_address_neither_the_token_nor_where_to_pay(self, api, stripe):
        first = api.register()

        again = api.register(name="camille martin", email="Camille@Example.com")

        assert (again.status_code, again.json()["token"], again.json()["checkout_url"]) == (200, None, None)
        for secret in (first.json()["token"], first.json()["checkout_url"]):
            assert secret not in again.content.decode()
        assert Effect.objects.get().kind == "registration.resume"
        assert (len(stripe.asked), Registration.objects.count(), places_taken()) == (1, 1, 1)

    def test_takes_who_gave_a_place_up_once_more(self, api, given_up):
        response = api.register("open-day", name=given_up.name, email=given_up.email)

        assert (response.status_code, response.json()["status"]) == (201, "PENDING")

    def test_holds_what_is_free_until_the_address_is_confirmed(self, api, stripe):
        Activity.objects.update(price=0)

        response = api.register()

        told = response.json()
        assert (response.status_code, told["status"]) == (201, "PENDING")
        assert (told["checkout_url"], told["place_held_until"]) == (None, "2026-03-02T13:30:00+01:00")
        assert stripe.asked == []
        paying = api.post(f"/api/registrations/{told['token']}/checkout/")
        assert (paying.status_code, code_of(paying)) == (409, "not_payable")
        text = api.get(f"/api/registrations/{told['token']}/").json()["status_text"]
        assert text == "Waiting for confirmation"

    def test_refuses_too_many_unpaid_places_for_one_address(self, api, stripe, settings):
        settings.HOLDS_PER_ADDRESS = 1
        api.register()

        response = api.register(name="Alex Martin")

        assert (response.status_code, code_of(response)) == (409, "too_many_holds")

    def test_counts_neither_bad_input_nor_what_is_free_as_a_try_to_pay(self, api, stripe, make_activity, settings):
        settings.STRIPE_RATE_LIMIT_MAX = 1
        make_activity(slug="open-day", price=0)

        assert [api.register(email="x").status_code, api.register("open-day").status_code] == [400, 201]
        assert api.register().status_code == 201

    @pytest.mark.parametrize(
        "change", [{"is_on_sale": False}, {"starts_at": NOON}, {"called_off_at": NOON - timedelta(days=1)}]
    )
    def test_refuses_when_sales_are_closed(self, api, stripe, change):
        Activity.objects.update(**change)

        response = api.register()

        assert (response.status_code, code_of(response)) == (409, "sales_closed")
        assert not Registration.objects.exists()

    def test_refuses_when_no_place_is_left(self, api, stripe):
        Activity.objects.update(capacity=1)
        api.register(email="first@example.com")

        response = api.register()

        assert (response.status_code, code_of(response)) == (409, "activity_full")
        assert (len(stripe.asked), Order.objects.count()) == (1, 1)

    def test_refuses_when_somebody_waits(self, api, stripe):
        WaitingEntry.objects.create(
            activity=Activity.objects.get(), name="A", email="a@example.com", language="fr", created_at=NOON
        )

        assert code_of(api.register()) == "activity_full"

    def test_refuses_who_has_a_place(self, api, stripe):
        Activity.objects.update(price=0)
        api.register()
        confirm_address(registration=Registration.objects.get(), at=NOON)

        response = api.register()

        assert (response.status_code, code_of(response)) == (409, "already_registered")

    def test_gives_the_place_back_when_stripe_refuses(self, api, stripe):
        stripe.will(refused())

        response = api.register()

        assert (response.status_code, code_of(response)) == (503, "checkout_unavailable")
        assert response["Retry-After"] == "30"
        assert "place is free again" in response.json()["error"]["message"]
        assert places_taken() == 0
        assert api.register().status_code == 201

    def test_is_404_where_there_is_no_activity(self, api):
        assert api.register("nothing").status_code == 404

    def test_is_limited_together_with_paying(self, api, stripe, settings):
        settings.STRIPE_RATE_LIMIT_MAX = 2
        token = api.register().json()["token"]
        api.post(f"/api/registrations/{token}/checkout/")

        response = api.register(email="other@example.com")

        assert (response.status_code, code_of(response), response["Retry-After"]) == (429, "throttled", "900")
        assert response.json()["error"]["message"] == "You have tried too often. Try again in 15 minutes."
        assert api.get("/api/activities/").status_code == 200


@pytest.mark.usefixtures("activity")
class TestBadInput:
    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"name": ""}, ["name"]),
            ({"name": None}, ["name"]),
            ({"name": " "}, ["name"]),
            ({"name": "x" * 201}, ["name"]),
            ({"name": "a\nb"}, ["name"]),
            ({"name": "a\x00b"}, ["name"]),
            ({"name": "\ud800x"}, ["name"]),
            ({"name": ["x"]}, ["name"]),
            ({"name": {}}, ["name"]),
            ({"name": True}, ["name"]),
            ({"email": "x"}, ["email"]),
            ({"email": "a@example.com\nBcc: b@example.com"}, ["email"]),
            ({"email": f"{'x' * 250}@example.com"}, ["email"]),
            ({"language": "de"}, ["language"]),
            ({"language": None}, ["language"]),
            ({"name": "", "email": "x", "languge": "fr"}, ["email", "languge", "name"]),
            ({"price": 0}, ["price"]),
        ],
    )
    def test_is_told_field_by_field(self, api, fields, wrong):
        response = api.register(**fields)

        error = response.json()["error"]
        assert (response.status_code, error["code"], sorted(error["fields"])) == (400, "invalid", wrong)
        assert all(isinstance(text, str) and text for texts in error["fields"].values() for text in texts)
        assert not Registration.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"\xff", b"[]", b"1", b"null", b'"x"', b"NaN", b"[" * 10_000, b"9" * 10_000, b'{"name": NaN}'],
    )
    def test_that_is_no_object_is_400(self, api, body):
        assert api.post(ADDRESS, body).status_code == 400

    def test_that_is_too_long_is_413(self, api):
        response = api.register(name="x" * LARGEST_BODY)

        assert (response.status_code, code_of(response)) == (413, "body_too_large")

    @pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"])
    def test_that_is_no_json_is_415(self, api, kind):
        response = api.client.post(ADDRESS, b"name=x", content_type=kind)

        assert (response.status_code, code_of(response)) == (415, "unsupported_media_type")

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_by_another_method_is_405(self, api, method):
        assert getattr(api.client, method)(ADDRESS).status_code == 405
