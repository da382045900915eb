import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client
from django.urls import path
from django.views.decorators.csrf import csrf_protect
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied as ApiPermissionDenied
from rest_framework.exceptions import Throttled
from rest_framework.response import Response
from rest_framework.views import APIView

from config import errors


class Form(serializers.Serializer):
    email = serializers.EmailField()


REFUSALS = {
    "throttled": lambda: Throttled(wait=30),
    "forbidden": PermissionDenied,
    "denied": ApiPermissionDenied,
    "missing": Http404,
    "bug": lambda: RuntimeError("inside"),
}


class Api(APIView):
    def get(self, request):
        raise REFUSALS[request.GET["what"]]()

    def post(self, request):
        Form(data=request.data).is_valid(raise_exception=True)
        return Response({})


def forbidden(request):
    raise PermissionDenied


def bug(request):
    raise RuntimeError("inside")


urlpatterns = [
    path("api/thing", Api.as_view()),
    path("page/forbidden", forbidden),
    path("page/bug", bug),
    path("page/form", csrf_protect(bug)),
]
handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def visitor():
    """Sees what a browser sees, an error page instead of an exception; the database is not needed for any of it."""
    return Client(raise_request_exception=False)


class TestApiError:
    @pytest.mark.parametrize(
        ("what", "status", "code"),
        [
            ("throttled", 429, "throttled"),
            ("forbidden", 403, "forbidden"),
            ("denied", 403, "forbidden"),
            ("missing", 404, "not_found"),
            ("bug", 500, "server_error"),
        ],
    )
    def test_is_json_with_a_code_a_sentence_and_the_request_id(self, visitor, settings, what, status, code):
        settings.VERSION = "2026.9.1"

        response = visitor.get("/api/thing", {"what": what}, HTTP_X_REQUEST_ID="request-1")

        error = response.json()["error"]
        assert response.status_code == status
        assert (error["code"], error["request_id"], error["requestId"]) == (code, "request-1", "request-1")
        assert (error["version"], response.json()["requestId"]) == ("2026.9.1", "request-1")
        assert error["message"]
        assert "inside" not in response.content.decode()

    @pytest.mark.parametrize(
        ("what", "message"),
        [
            ("throttled", "Request was throttled. Expected available in 30 seconds."),
            ("denied", "You do not have permission to perform this action."),
            ("missing", "Not found."),
            ("bug", "Something went wrong on our side. Nothing that you paid is lost."),
        ],
    )
    def test_is_english_whatever_the_caller_speaks(self, visitor, what, message):
        response = visitor.get("/api/thing", {"what": what}, HTTP_ACCEPT_LANGUAGE="fr")

        assert response.json()["error"]["message"] == message
        assert response["Content-Language"] == "en"

    def test_names_wrong_fields_in_english(self, visitor):
        response = visitor.post(
            "/api/thing", {"email": "x"}, content_type="application/json", HTTP_ACCEPT_LANGUAGE="fr"
        )

        error = response.json()["error"]
        assert error["message"] == "Some fields are missing or wrong."
        assert error["fields"] == {"email": ["Enter a valid email address."]}

    def test_tells_when_to_come_back(self, visitor):
        assert visitor.get("/api/thing", {"what": "throttled"})["Retry-After"] == "30"

    def test_names_the_fields_that_are_wrong(self, visitor):
        response = visitor.post("/api/thing", {"email": "x"}, content_type="application/json")

        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (400, "invalid")
        assert list(error["fields"]) == ["email"]

    @pytest.mark.parametrize("body", [b"{", b"\xff", b"[1]"])
    def test_answers_odd_bodies_with_400(self, visitor, body):
        response = visitor.post("/api/thing", body, content_type="application/json")

        assert response.status_code == 400
        assert response.json()["error"]["message"]

    def test_answers_methods_that_do_not_exist_with_405(self, visitor):
        response = visitor.delete("/api/thing")

        assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")


class TestPages:
    @pytest.mark.parametrize(("address", "status"), [("/nowhere", 404), ("/page/forbidden", 403), ("/page/bug", 500)])
    def test_are_plain_pages_with_the_id_to_quote(self, visitor, settings, address, status):
        settings.VERSION, settings.ENVIRONMENT = "2026.9.1", "test"

        response = visitor.get(address, HTTP_X_REQUEST_ID="request-1", HTTP_ACCEPT="text/html,*/*")

        page = response.content.decode()
        assert response.status_code == status
        assert response["Content-Type"].startswith("text/html")
        assert all(words in page for words in ("request-1", "2026.9.1", "test"))
        assert not any(words in page for words in ("inside", "Traceback", "Error"))

    @pytest.mark.parametrize("language", ["fr", "en"])
    def test_say_which_language_they_are_in(self, visitor, language):
        response = visitor.get("/nowhere", HTTP_ACCEPT_LANGUAGE=language)

        assert f'<html lang="{language}">' in response.content.decode()

    @pytest.mark.parametrize(
        ("address", "accept"),
        [
            ("/nowhere", "application/json"),
            ("/api/nowhere", "text/html"),
            ("/stripe/nowhere", "text/html"),
            ("/api/nowhere", "\x00;;q=é,,"),
        ],
    )
    def test_are_json_for_programs(self, visitor, address, accept):
        response = visitor.get(address, HTTP_ACCEPT=accept, HTTP_X_REQUEST_ID="request-1")

        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (404, "not_found")
        assert error["request_id"] == "request-1"

    def test_are_english_for_programs(self, visitor):
        response = visitor.get("/nowhere", HTTP_ACCEPT="application/json", HTTP_ACCEPT_LANGUAGE="fr")

        assert response.json()["error"]["message"] == "There is nothing at this address."

    @pytest.mark.parametrize("address", ["/nowhere", "/api/thing"])
    def test_of_a_host_that_is_not_ours_say_400_and_why(self, visitor, address):
        response = visitor.get(address, HTTP_HOST="evil.example", HTTP_ACCEPT="application/json")

        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (400, "wrong_host")
        assert "“evil.example”" in error["message"]

    def test_of_an_expired_form_say_what_to_do(self, settings):
        settings.CSRF_FAILURE_VIEW = "config.errors.csrf_failure"

        response = Client(enforce_csrf_checks=True).post("/page/form")

        assert response.status_code == 403
        assert response["Content-Type"].startswith("text/html")


class TestRequestId:
    def test_is_empty_for_a_request_that_never_came_by_the_middleware(self, rf):
        assert errors.request_id(rf.get("/")) == ""


@pytest.mark.urls("config.urls")
class TestWaysOn:
    """A page that refuses something keeps the ways to everything else, and asks no database for them."""

    def test_stand_under_what_is_refused(self):
        page = Client().post("/account/sign-up/", {}, headers={"host": "another.example"}).content.decode()

        assert 'href="/plans/"' in page
        assert 'href="/account/"' in page

    def test_lead_from_a_form_that_has_expired_back_to_it(self):
        response = Client(enforce_csrf_checks=True).post("/account/sign-up/", {"name": "Zoë"})

        page = response.content.decode()
        assert response.status_code == 403
        assert '<a class="button" href="/account/sign-up/">' in page
        # Another site may have written it.
        assert "Zoë" not in page
