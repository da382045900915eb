import json
import time
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from payments import bell
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.statuses import EventStatus
from payments.stripe_api import clock
from tests.support.signing import URL, body_of, make_event, signature_of, signed_post

URLS = [
    f"{path}{slash}" for path in ("/stripe/webhooks", "/stripe/webhook", "/api/webhooks/stripe") for slash in ("", "/")
]


def refusal(response):
    """(status, code) of a refusal, after a look at the rest of it."""
    body = response.json()
    error = body["error"]
    assert set(error) == {"code", "message", "request_id", "requestId", "version"}
    assert {error["request_id"], error["requestId"], body["requestId"]} == {response["X-Request-ID"]}
    assert response["Content-Type"] == "application/json"
    return response.status_code, error["code"]


def post(client, body, signature, **extra):
    headers = {} if signature is None else {"HTTP_STRIPE_SIGNATURE": signature}
    return client.post(URL, body, content_type="application/json", **headers, **extra)


class TestWrongHost:
    @pytest.mark.parametrize("url", URLS)
    def test_is_told_in_english_and_logged_by_its_name(self, url):
        client = Client(headers={"accept-language": "fr", "host": "old.example:8443"})

        with capture_logs() as logs:
            response = client.post(url, b"{}", content_type="application/json")

        assert refusal(response) == (400, "wrong_host")
        assert response.json()["error"]["message"] == "This site is not called “old.example:8443” (ALLOWED_HOSTS)."
        assert [(each["host"], each["path"]) for each in logs if each["event"] == "http.wrong_host"] == [
            ("old.example:8443", url)
        ]


@pytest.mark.django_db
class TestDelivery:
    @pytest.mark.parametrize("url", URLS)
    def test_is_kept_and_acknowledged_at_every_address(self, client, url):
        event = make_event()

        response = signed_post(client, event, url=url, HTTP_X_REQUEST_ID="caller-id-1")

        row = PaymentEvent.objects.get()
        assert response.status_code == 200
        assert response.json() == {"received": True, "event": event["id"], "duplicate": False}
        assert (row.stripe_event_id, row.payload) == (event["id"], event)
        assert (row.source, row.request_id) == ("webhook", "caller-id-1")

    @pytest.mark.parametrize("secret", ["whsec_test_current", "whsec_test_previous"])
    def test_may_be_signed_with_any_secret_in_use(self, client, secret):
        assert signed_post(client, make_event(), secret=secret).status_code == 200

    def test_is_kept_once_however_often_it_comes(self, client):
        event = make_event()
        signed_post(client, event)

        again = signed_post(client, event)

        assert (again.status_code, again.json()["duplicate"]) == (200, True)
        assert PaymentEvent.objects.count() == 1

    def test_of_an_event_that_failed_here_queues_it_again(self, client):
        event = make_event()
        signed_post(client, event)
        PaymentEvent.objects.update(status=EventStatus.DEAD)

        response = signed_post(client, event)

        assert response.status_code == 200
        assert PaymentEvent.objects.get().status == EventStatus.FAILED

    @pytest.mark.parametrize(
        ("foreign", "reason"),
        [({"livemode": True}, "wrong livemode"), ({"account": "acct_1"}, "unexpected account")],
    )
    def test_of_a_foreign_event_is_kept_and_ignored(self, client, foreign, reason):
        response = signed_post(client, make_event(**foreign))

        row = PaymentEvent.objects.get()
        assert response.status_code == 200
        assert (row.status, row.ignored_reason) == (EventStatus.IGNORED, reason)

    def test_keeps_what_people_really_type(self, client):
        body = body_of(make_event(object={"name": "Zoé 😀"}))
        body = body.replace(b'"currency"', rb'"nul": "a\u0000b", "half": "\ud800", "\u0000": 1, "currency"')

        response = signed_post(client, body)

        kept = PaymentEvent.objects.get().payload["data"]["object"]
        assert response.status_code == 200
        assert (kept["name"], kept["nul"], kept["half"], kept["�"]) == ("Zoé 😀", "a�b", "�", 1)

    def test_costs_one_statement(self, client, django_assert_num_queries):
        with django_assert_num_queries(1):
            signed_post(client, make_event())

    def test_is_taken_by_a_client_that_must_pass_the_csrf_check(self):
        assert signed_post(Client(enforce_csrf_checks=True), make_event()).status_code == 200

    def test_is_never_redirected(self, client, settings):
        settings.SECURE_SSL_REDIRECT = True

        assert {signed_post(client, make_event(), url=url).status_code for url in URLS} == {200}

    @pytest.mark.parametrize("odd", [{"HTTP_ACCEPT": "text/xml"}, {"QUERY_STRING": "format=xml&x=%ff"}])
    def test_does_not_depend_on_what_the_caller_accepts(self, client, odd):
        assert signed_post(client, make_event(), **odd).status_code == 200

    @pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded", "", "x"])
    def test_does_not_depend_on_the_content_type(self, client, kind):
        body = body_of(make_event())

        response = client.post(URL, body, content_type=kind, HTTP_STRIPE_SIGNATURE=signature_of(body))

        assert response.status_code == 200

    def test_rings_the_bell_for_work_only(self, client, django_capture_on_commit_callbacks):
        event = make_event()

        with django_capture_on_commit_callbacks() as for_work:
            signed_post(client, event)
        with django_capture_on_commit_callbacks() as for_nothing:
            signed_post(client, event)
            signed_post(client, make_event(livemode=True))

        assert [callback.__name__ for callback in for_work] == ["ring"]
        assert for_nothing == []

    def test_leaves_one_line_without_secrets(self, client):
        event = make_event(object={"client_secret": "pi_1_secret_2", "email": "zoe@example.com"})

        with capture_logs() as lines:
            signed_post(client, event)
            signed_post(client, event)

        told = [line for line in lines if line["event"].startswith("event.")]
        assert [line["event"] for line in told] == ["event.received", "event.duplicate"]
        assert told[0]["stripe_event"] == event["id"]
        assert not any(word in repr(lines) for word in ("secret", "whsec", "v1=", "zoe"))

    def test_is_found_by_the_request_that_brought_it_again(self, client):
        event = make_event(object={"metadata": {"registrationId": "reg-7"}})
        signed_post(client, event, HTTP_X_REQUEST_ID="caller-id-1")

        with capture_logs(processors=[merge_contextvars]) as lines:
            signed_post(client, event, HTTP_X_REQUEST_ID="caller-id-2")

        told = next(line for line in lines if line["event"] == "event.duplicate")
        assert (told["request_id"], told["stripe_event"], told["registration"]) == ("caller-id-2", event["id"], "reg-7")
        assert {line["stripe_event"] for line in lines} == {event["id"]}
        assert PaymentEvent.objects.get().redeliveries.get().request_id == "caller-id-2"


class TestRefusal:
    """None of these tests may use the database, so none of these answers did."""

    @pytest.mark.parametrize("url", URLS)
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
    def test_of_other_methods(self, client, url, method):
        response = client.generic(method, url)

        assert response.status_code == 405
        assert response["Allow"] == "POST"
        assert "X-Request-ID" in response

    @pytest.mark.parametrize(
        ("signature", "code"),
        [
            (None, "missing_signature"),
            ("", "missing_signature"),
            ("nonsense", "invalid_signature"),
            ("t=1,v1=é", "invalid_signature"),
            ("t=1,v1=\xff", "invalid_signature"),
            ("t=99999999999999999999,v1=00", "invalid_signature"),
        ],
    )
    def test_of_a_bad_signature(self, client, signature, code):
        assert refusal(post(client, body_of(make_event()), signature)) == (400, code)

    def test_of_a_secret_that_is_not_ours(self, client):
        assert refusal(signed_post(client, make_event(), secret="whsec_x")) == (400, "invalid_signature")

    @pytest.mark.django_db
    @pytest.mark.parametrize(("seconds", "code"), [(-301, "timestamp_too_old"), (310, "timestamp_in_future")])
    def test_of_a_signature_from_another_time(self, client, seconds, code):
        body = body_of(make_event())

        response = post(client, body, signature_of(body, timestamp=int(time.time()) + seconds))

        assert refusal(response) == (400, code)
        [alert] = Effect.objects.filter(kind="alert.clock")
        assert abs(alert.data["seconds"] - seconds) <= 2

    @pytest.mark.django_db
    @pytest.mark.parametrize("seconds", [-90, 90])
    def test_of_no_signature_within_the_tolerance_though_staff_hear_of_the_clock(self, client, seconds):
        body = body_of(make_event())

        response = post(client, body, signature_of(body, timestamp=int(time.time()) + seconds))

        assert (response.status_code, Effect.objects.filter(kind="alert.clock").count()) == (200, 1)
        # A recording may be played back: of it nothing is learned.
        assert clock.offset(at=timezone.now()) == timedelta(0)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"", "not_json"),
            (b"{", "not_json"),
            (b"[]", "not_an_object"),
            (b"null", "not_an_object"),
            (b"{}", "not_an_event"),
            (b'{"object": "event"}', "invalid_event"),
            (b'{"object": "v2.core.event", "id": "evt_1"}', "invalid_event"),
            (b"[" * 100_000, "too_deep"),
            (b'{"a": ' * 500 + b"1" + b"}" * 500, "too_deep"),
            (b'{"a": NaN}', "not_json"),
        ],
    )
    def test_of_a_body_that_is_signed_but_no_event(self, client, body, code):
        assert refusal(signed_post(client, body)) == (400, code)

    def test_of_a_body_that_is_not_utf8(self, client):
        assert refusal(post(client, b"\xff\xfe", "t=1,v1=00")) == (400, "invalid_signature")

    def test_of_a_body_over_the_limit_before_it_is_read(self, client, settings):
        unread = BytesIO(b"x" * 10)
        length = settings.STRIPE_WEBHOOK_MAX_BYTES + 1

        response = post(client, b"", "t=1,v1=0", CONTENT_LENGTH=str(length), **{"wsgi.input": unread})

        assert refusal(response) == (413, "body_too_large")
        assert unread.tell() == 0

    def test_leaves_one_line_that_says_why(self, client):
        with capture_logs() as lines:
            post(client, b'{"card": "4242"}', "t=1,v1=abcdef")

        told = [line for line in lines if line["event"] == "webhook.refused"]
        assert told == [
            {
                "event": "webhook.refused", "code": "invalid_signature", "status": 400, "log_level": "warning",
                "reason": "The signature matches none of the webhook secrets of this site.",
            }
        ]  # fmt: skip
        assert "4242" not in repr(lines)
        assert "abcdef" not in repr(lines)

    def test_tells_nothing_of_what_came(self, client):
        response = signed_post(client, make_event(type="very-private" * 20))

        assert b"very-private" not in response.content


class TestUnverified:
    def test_deliveries_wait_at_stripe_while_no_secret_is_configured(self, client, settings):
        settings.STRIPE_WEBHOOK_SECRETS = []

        response = post(client, body_of(make_event()), "t=1,v1=0")

        assert refusal(response) == (503, "no_webhook_secret")
        assert int(response["Retry-After"]) > 0

    @pytest.mark.django_db
    def test_deliveries_are_taken_where_development_says_so(self, client, settings):
        settings.STRIPE_WEBHOOK_SECRETS = []
        settings.STRIPE_WEBHOOK_UNSIGNED = True

        response = post(client, body_of(make_event()), None)

        assert response.status_code == 200

    def test_deliveries_are_never_taken_in_production(self, client, settings):
        settings.STRIPE_WEBHOOK_SECRETS = []
        settings.STRIPE_WEBHOOK_UNSIGNED = True
        settings.PRODUCTION = True

        assert refusal(post(client, body_of(make_event()), None)) == (503, "no_webhook_secret")

    def test_deliveries_are_refused_where_there_is_a_secret_after_all(self, client, settings):
        settings.STRIPE_WEBHOOK_UNSIGNED = True

        assert refusal(post(client, body_of(make_event()), None)) == (400, "missing_signature")


@pytest.mark.django_db(transaction=True)
class TestTroubleWithTheDatabase:
    def test_of_one_connection_goes_unnoticed(self, client):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend = cursor.fetchone()
        with bell.connect() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", backend)

        response = signed_post(client, make_event())

        assert response.status_code == 200
        assert PaymentEvent.objects.count() == 1

    def test_that_lasts_sends_the_event_back_to_stripe(self, client, unreachable_database):
        with capture_logs() as lines:
            response = signed_post(client, make_event())

        assert refusal(response) == (503, "not_stored")
        assert int(response["Retry-After"]) > 0
        assert [line["error"] for line in lines if line["event"] == "webhook.not_stored"] == ["OperationalError"]

    def test_does_not_change_the_answer_to_strangers(self, client, unreachable_database):
        assert refusal(post(client, body_of(make_event()), "t=1,v1=0")) == (400, "invalid_signature")


@pytest.fixture
def unreachable_database(transactional_db):
    where = connection.settings_dict
    host, port = where["HOST"], where["PORT"]
    connection.close()
    where["HOST"], where["PORT"] = "127.0.0.1", "1"
    yield
    connection.close()
    where["HOST"], where["PORT"] = host, port


class TestBodyOf:
    def test_is_what_the_signature_is_about(self, client):
        pretty = body_of(make_event())
        compact = json.dumps(json.loads(pretty)).encode()

        assert refusal(post(client, compact, signature_of(pretty))) == (400, "invalid_signature")
