import re

import pytest
import structlog
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from config.middleware import RequestIdMiddleware

seen: list[dict] = []


def show(request, token=""):
    seen.append(get_contextvars())
    structlog.contextvars.bind_contextvars(left_behind="yes")
    return HttpResponse(request.request_id)


def burst(request):
    raise RuntimeError("not foreseen")


urlpatterns = [
    path("show", show),
    path("reset/<token>/done", show),
    path("api/burst", burst),
    path("static/style.css", show),
    path("healthz/live", show),
    path("metrics", show),
]
pytestmark = pytest.mark.urls(__name__)
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"


@pytest.fixture(autouse=True)
def _nothing_seen_yet():
    seen.clear()


class TestRequestId:
    @pytest.mark.parametrize("given", ["abcd-1234", "A.b_c-12", "x" * 64])
    def test_is_the_callers_when_well_formed(self, client, given):
        response = client.get("/show", HTTP_X_REQUEST_ID=given)

        assert response["X-Request-ID"] == response.content.decode() == given
        assert seen == [{"request_id": given}]

    @pytest.mark.parametrize(
        "given", ["", "short", "x" * 65, "a b c d e f", "abcdefgh\n", "é" * 10, "<script>1", "a;b=c;d=e"]
    )
    def test_is_a_new_one_otherwise(self, client, given):
        response = client.get("/show", HTTP_X_REQUEST_ID=given)

        assert re.fullmatch("[0-9a-f]{32}", response["X-Request-ID"])
        assert response.content.decode() == response["X-Request-ID"]

    def test_differs_from_request_to_request(self, client):
        assert client.get("/show")["X-Request-ID"] != client.get("/show")["X-Request-ID"]

    def test_is_on_errors_too(self, client):
        client.raise_request_exception = False

        missing, broken = client.get("/nowhere"), client.get("/api/burst", HTTP_X_REQUEST_ID="request-1")

        assert (missing.status_code, broken.status_code) == (404, 500)
        assert "X-Request-ID" in missing
        assert broken["X-Request-ID"] == broken.json()["error"]["request_id"] == "request-1"

    def test_leaves_nothing_behind_for_the_next_request(self, client):
        client.get("/show")

        assert get_contextvars() == {}

    def test_leaves_nothing_behind_when_even_the_answer_fails(self):
        def fail(request):
            raise SystemExit

        with pytest.raises(SystemExit):
            RequestIdMiddleware(fail)(RequestFactory().get("/show"))

        assert get_contextvars() == {}


class TestAccessLine:
    def test_is_one_for_each_request_and_has_no_query(self, client):
        with capture_logs() as lines:
            client.get("/show?email=zoe@example.com")

        (line,) = [line for line in lines if line["event"] == "http.request"]
        assert (line["method"], line["path"], line["status"]) == ("GET", "/show", 200)
        assert line["duration_ms"] >= 0
        assert "zoe" not in repr(lines)

    def test_hides_one_time_codes_in_the_path(self, client):
        with capture_logs() as lines:
            client.get("/reset/c0de-123/done")

        assert [line["path"] for line in lines if line["event"] == "http.request"] == ["/reset/***/done"]

    def test_does_not_grow_with_what_strangers_send(self, client):
        with capture_logs() as lines:
            client.generic("X" * 5000, "/" + "x" * 5000)

        assert len(repr(lines)) < 1000


class TestQuietLog:
    """What a terminal of development shows without VERBOSE=1."""

    @pytest.fixture(autouse=True)
    def _quiet(self, settings):
        settings.VERBOSE = False

    @pytest.mark.parametrize("path", ["/static/style.css", "/healthz/live", "/metrics"])
    def test_has_no_line_for_what_nobody_asked_for(self, client, path):
        with capture_logs() as lines:
            client.get(path)

        assert lines == []

    @pytest.mark.parametrize("path", ["/show", "/static/missing.css"])
    def test_has_one_for_a_page_and_for_what_is_refused(self, client, path):
        with capture_logs() as lines:
            client.get(path)

        assert [(line["event"], line["path"]) for line in lines] == [("http.request", path)]

    def test_has_them_all_when_it_is_asked_to(self, client, settings):
        settings.VERBOSE = True

        with capture_logs() as lines:
            client.get("/healthz/live")

        assert [line["path"] for line in lines] == ["/healthz/live"]
