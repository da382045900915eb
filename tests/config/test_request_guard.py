"""What RequestGuardMiddleware refuses, on pages and on the API; in front of the real addresses."""

import pytest
from django.conf import settings

PAGE, API = "/account/link/", "/api/activities/pottery/registrations/"
TOO_LONG = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
FORM = "application/x-www-form-urlencoded"
HEAD = b'Content-Disposition: form-data; name="f"; filename="x"\r\nContent-Type: text/plain'
FILE = b"--b\r\n" + HEAD + b"\r\n\r\nhello\r\n--b--\r\n"


def refusal(response):
    return response.status_code, response.json()["error"]["code"]


@pytest.fixture
def send(client):
    """As a program that speaks French sends it."""

    def send(path, body=b"", content_type=FORM, **headers):
        told = {"HTTP_ACCEPT": "application/json", "HTTP_ACCEPT_LANGUAGE": "fr", **headers}
        return client.generic("POST", path, body, content_type=content_type, **told)

    return send


class TestRequestGuard:
    @pytest.mark.parametrize("path", [PAGE, API])
    def test_refuses_a_body_without_a_length_instead_of_taking_it_for_an_empty_one(self, send, path):
        response = send(path, HTTP_TRANSFER_ENCODING="chunked")

        assert refusal(response) == (411, "length_required")

    @pytest.mark.parametrize("path", [PAGE, API])
    def test_refuses_a_long_body_unread(self, send, path):
        response = send(path, b"x" * TOO_LONG, "application/json")

        assert refusal(response) == (413, "body_too_large")

    def test_refuses_a_file(self, send):
        response = send(PAGE, FILE, "multipart/form-data; boundary=b")

        assert refusal(response) == (415, "unsupported_media_type")

    @pytest.mark.parametrize(
        ("body", "content_type", "headers", "told"),
        [
            (b"", FORM, {"HTTP_TRANSFER_ENCODING": "chunked"}, "The request must say how long it is."),
            (b"x" * TOO_LONG, FORM, {}, "The body is too long."),
            (FILE, "multipart/form-data; boundary=b", {}, "This page takes no files."),
        ],
    )
    def test_tells_programs_in_english_on_pages_too(self, send, body, content_type, headers, told):
        response = send(PAGE, body, content_type, **headers)

        assert (response.json()["error"]["message"], response["Content-Language"]) == (told, "en")

    def test_tells_people_in_their_language(self, send):
        response = send(PAGE, b"x" * TOO_LONG, HTTP_ACCEPT="text/html")

        assert response.status_code == 413
        assert "Le corps de la requête est trop long." in response.content.decode()
