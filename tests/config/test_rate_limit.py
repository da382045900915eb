from collections import Counter
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path
from rest_framework.response import Response
from rest_framework.views import APIView

from config.rate_limit import PaymentThrottle, TooOften, allow, allow_one, limited
from tests.faults.test_races import at_once
from tests.support.processes import DEAD_REDIS, free_port, has_redis, running_redis, wait_until
from tests.support.road import NOON

SCOPE = "payment"
WINDOW = timedelta(minutes=15)


@limited(SCOPE)
def page(request, name):
    return HttpResponse(f"sold to {name}")


class Api(APIView):
    throttle_classes = (PaymentThrottle,)

    def get(self, request):
        return Response({})

    post = get

    def throttled(self, request, wait):
        raise TooOften(wait)


# With the site's own: the page of a refusal leads on to them.
urlpatterns = [path("buy/<name>", page), path("api/buy", Api.as_view()), path("", include("config.urls"))]
handler404 = "config.errors.not_found"
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def now(time_machine):
    """The clock stands still until it is moved."""
    time_machine.move_to(NOON, tick=False)
    return time_machine


@pytest.fixture
def redis(tmp_path, settings):
    if not has_redis:
        pytest.skip("redis-server is not installed")
    port = free_port()
    with running_redis(tmp_path, port=port):
        settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
        yield


def ask(address="203.0.113.7", *, scope=SCOPE):
    return allow(RequestFactory().post("/", REMOTE_ADDR=address), scope)


def allowed(times, **how):
    return [ask(**how).is_allowed for _ in range(times)]


@pytest.mark.django_db
class TestAllow:
    def test_lets_five_through_and_says_when_the_sixth_may_come_back(self, now):
        assert allowed(5) == [True] * 5

        sixth = ask()

        assert (sixth.is_allowed, sixth.retry_after) == (False, 900)

    def test_counts_down(self, now):
        allowed(5)

        now.shift(timedelta(minutes=10, milliseconds=1))

        assert ask().retry_after == 300

    def test_opens_again_when_the_window_has_passed(self, now):
        allowed(7)

        now.shift(WINDOW)

        assert allowed(6) == [True] * 5 + [False]

    def test_is_still_closed_a_moment_before(self, now):
        allowed(7)

        now.shift(WINDOW - timedelta(milliseconds=1))

        assert (ask().is_allowed, ask().retry_after) == (False, 1)

    def test_counts_each_client_alone(self, now):
        allowed(6)

        assert allowed(6, address="203.0.113.8") == [True] * 5 + [False]
        assert not ask().is_allowed

    def test_counts_each_scope_alone(self, now):
        allowed(6)

        assert ask(scope="other").is_allowed

    def test_counts_a_whole_ipv6_network_as_one(self, now):
        answers = [ask(address=f"2001:db8::{number:x}").is_allowed for number in range(1, 9)]

        assert answers == [True] * 5 + [False] * 3

    def test_follows_the_settings(self, now, settings):
        settings.STRIPE_RATE_LIMIT_MAX, settings.STRIPE_RATE_LIMIT_WINDOW = 2, 10_000

        assert allowed(3) == [True, True, False]
        assert ask().retry_after == 10

    def test_removes_what_has_ended(self, now):
        for number in range(5):
            ask(address=f"198.51.100.{number}")
        now.shift(WINDOW + timedelta(seconds=1))

        ask()

        with connection.cursor() as cursor:
            cursor.execute("SELECT cache_key FROM cache_entry WHERE cache_key LIKE 'rate_limit:%'")
            assert cursor.fetchall() == [("rate_limit:payment:203.0.113.7",)]

    def test_lets_through_who_has_no_address(self, caplog):
        assert allowed(9, address="") == [True] * 9
        assert "rate_limit.no_address" in caplog.text


@pytest.mark.django_db
class TestAllowOne:
    def ask(self, who="program", scope="calls"):
        return allow_one(who, scope, most=2, window=timedelta(seconds=10))

    def test_lets_as_many_through_as_are_said(self, now):
        assert [self.ask().is_allowed for _ in range(3)] == [True, True, False]
        assert self.ask().retry_after == 10

    def test_counts_each_name_and_each_scope_alone(self, now):
        for _ in range(3):
            self.ask()

        assert self.ask("another").is_allowed
        assert self.ask(scope="others").is_allowed

    def test_opens_again_when_the_window_has_passed(self, now):
        for _ in range(3):
            self.ask()

        now.shift(timedelta(seconds=10))

        assert self.ask().is_allowed


@pytest.fixture
def _fresh_counters(transactional_db):
    """The end of a test with real transactions empties the tables of models only."""
    cache.clear()
    yield
    cache.clear()


@pytest.mark.usefixtures("_fresh_counters")
class TestAllowAtOnce:
    def test_lets_exactly_five_of_forty_through(self):
        decisions = at_once(*[ask] * 40)

        assert Counter(decision.is_allowed for decision in decisions) == {True: 5, False: 35}

    def test_opens_an_ended_window_once(self, now):
        allowed(8)
        now.shift(WINDOW)

        decisions = at_once(*[ask] * 20)

        assert Counter(decision.is_allowed for decision in decisions) == {True: 5, False: 15}


class TestAllowWithRedis:
    def test_lets_exactly_five_of_forty_through(self, redis):
        decisions = at_once(*[ask] * 40)

        assert Counter(decision.is_allowed for decision in decisions) == {True: 5, False: 35}
        assert all(890 <= decision.retry_after <= 900 for decision in decisions if not decision.is_allowed)

    def test_opens_again_when_the_window_has_passed(self, redis, settings):
        settings.STRIPE_RATE_LIMIT_WINDOW = 2_000
        assert allowed(6) == [True] * 5 + [False]

        wait_until(lambda: ask().is_allowed)

        assert allowed(5) == [True] * 4 + [False]

    def test_counts_each_client_alone(self, redis):
        allowed(6)

        assert ask(address="203.0.113.8").is_allowed


class TestAllowWithoutCounters:
    def test_lets_everybody_through_when_redis_is_down(self, settings, caplog):
        settings.REDIS_URL = DEAD_REDIS

        assert allowed(9) == [True] * 9
        assert "rate_limit.counters_down" in caplog.text

    @pytest.mark.django_db(transaction=True)
    def test_lets_everybody_through_when_the_table_is_missing(self, monkeypatch, caplog):
        monkeypatch.setattr("config.counters.COUNT", "INSERT INTO nowhere VALUES (%(key)s, %(at)s, %(ends)s)")

        assert allowed(9) == [True] * 9
        assert "rate_limit.counters_down" in caplog.text


@pytest.mark.django_db
class TestLimited:
    def test_shows_a_page_with_the_time_to_wait(self, client, now):
        for _ in range(5):
            assert client.post("/buy/camille").content == b"sold to camille"

        response = client.post("/buy/camille", HTTP_ACCEPT="text/html", HTTP_ACCEPT_LANGUAGE="en")

        assert (response.status_code, response["Retry-After"]) == (429, "900")
        assert response["Content-Type"].startswith("text/html")
        assert "Try again in 15 minutes." in response.content.decode()
        assert 'href="/modules/"' in response.content.decode()

    def test_keeps_what_was_typed_but_no_password(self, client, now):
        for _ in range(5):
            client.post("/buy/camille")

        typed = {"email": 'a"b@example.com', "password": "hunter2", "csrfmiddlewaretoken": "x"}
        page = client.post("/buy/camille?next=/x", typed).content.decode()

        assert '<input type="hidden" name="email" value="a&quot;b@example.com">' in page
        assert 'action="/buy/camille?next=/x"' in page
        assert "hunter2" not in page

    def test_is_json_for_programs(self, client, now, settings):
        settings.STRIPE_RATE_LIMIT_MAX, settings.STRIPE_RATE_LIMIT_WINDOW = 1, 60_000
        client.post("/buy/camille")

        response = client.post("/buy/camille", HTTP_ACCEPT="application/json", HTTP_ACCEPT_LANGUAGE="en")

        error = response.json()["error"]
        assert (response.status_code, response["Retry-After"], error["code"]) == (429, "60", "throttled")
        assert error["message"] == "You have tried too often. Try again in 1 minute."

    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_never_counts_what_only_reads(self, client, method):
        assert {getattr(client, method)("/buy/camille").status_code for _ in range(9)} == {200}
        assert client.post("/buy/camille").status_code == 200

    def test_cannot_be_passed_by_another_name(self, client, now):
        answers = [client.post("/buy/x", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}").status_code for number in range(7)]

        assert answers == [200] * 5 + [429] * 2


@pytest.mark.django_db
class TestPaymentThrottle:
    def test_counts_together_with_the_pages(self, client, now):
        for _ in range(3):
            client.post("/buy/camille")

        answers = [client.post("/api/buy") for _ in range(3)]

        assert [response.status_code for response in answers] == [200, 200, 429]
        assert answers[-1]["Retry-After"] == "900"
        assert answers[-1].json()["error"]["code"] == "throttled"

    def test_never_counts_what_only_reads(self, client):
        assert {client.get("/api/buy").status_code for _ in range(9)} == {200}


@pytest.mark.django_db
class TestTellingWhatIsLeft:
    def limits(self, response):
        return [response.headers.get(f"RateLimit-{name}") for name in ("Limit", "Remaining", "Reset")]

    @pytest.mark.parametrize("address", ["/buy/camille", "/api/buy"])
    def test_tells_what_is_left_allowed_or_not(self, client, now, address):
        answers = [client.post(address) for _ in range(6)]

        assert self.limits(answers[0]) == ["5", "4", "900"]
        assert self.limits(answers[4]) == ["5", "0", "900"]
        assert (answers[5].status_code, self.limits(answers[5])) == (429, ["5", "0", "900"])
        assert answers[5]["Retry-After"] == "900"

    def test_says_nothing_where_nobody_counted(self, client):
        assert self.limits(client.get("/api/buy")) == [None, None, None]

    def test_refuses_programs_in_english(self, client, now):
        answers = [client.post("/api/buy", headers={"accept-language": "fr"}) for _ in range(6)]

        message = answers[-1].json()["error"]["message"]
        assert message == "You have tried too often. Try again in 15 minutes."


@pytest.mark.urls("config.urls")
@pytest.mark.django_db
class TestWhatIsNeverLimited:
    @pytest.mark.parametrize("address", ["/stripe/webhooks", "/stripe/webhook", "/api/webhooks/stripe"])
    def test_are_webhooks(self, address):
        client = Client()

        assert {client.post(address, b"{}", content_type="application/json").status_code for _ in range(20)} == {400}

    def test_is_health(self, client):
        assert {client.get("/healthz/live").status_code for _ in range(20)} == {200}
