"""The exports of the five old systems, a thousand rows each: imported twice they end the same, and old ids go on."""

import json

import pytest
from django.db import connection
from django.db.models import Count, Model, Sum

from accounts.models import User
from modules_access.models import AccessToken, Module, ModuleAccess, Purchase
from modules_access.services.keys import create_key
from payments.billing.models import Customer, Payment, Subscription
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException, Reference
from payments.processing.drain import drain
from payments.stripe_api.lookups import ThrottledStripe
from registrations.models import Activity, Registration
from stripe_emulator.models import StoredObject
from tests.modules_access.api.conftest import GENERATE, Program
from tests.properties.memberships.life import Life
from tests.support import old_systems as old
from tests.support.factories import NOON
from tests.support.subscriber import emulate

pytestmark = pytest.mark.django_db
ROWS = 1000
# So many of the subscriptions live at the emulator, which is asked for each.
AT_STRIPE = 20
STATE: tuple[type[Model], ...] = (
    AccessToken, Activity, CheckoutAttempt, Customer, Effect, Module, ModuleAccess, Order, OrderChange,
    OrderException, Payment, Purchase, Reference, Registration, Subscription, User,
)  # fmt: skip


def state():
    """A fingerprint of every row that an import may touch."""
    found = {}
    with connection.cursor() as cursor:
        for model in STATE:
            cursor.execute(
                f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {model._meta.db_table} t"
            )
            found[model.__name__] = cursor.fetchone()
    return found


def by_status(model, *columns):
    return {tuple(row) for row in model.objects.values_list(*columns).annotate(count=Count("pk"))}


class TestFiveSystems:
    def test_00_people(self, counted, tmp_path):
        path = old.write_csv(tmp_path / "users.csv", old.users(ROWS), delimiter=";", bom=True)

        assert counted("users", path) == {"created": ROWS}
        before = state()

        assert counted("users", path) == {"there": ROWS}
        assert state() == before
        assert User.objects.filter(email_confirmed_at__isnull=False).count() == ROWS * 9 // 10
        assert not User.objects.get(external_id="usr-00017").has_usable_password()

    def test_01_registrations(self, counted):
        assert counted("registrations", old.registrations(ROWS)) == {"created": ROWS}
        before = state()

        assert counted("registrations", old.registrations(ROWS)) == {"there": ROWS}
        assert state() == before
        assert by_status(Registration, "status", "holds_place") == {
            ("PAID", True, 600), ("FAILED", False, 100), ("EXPIRED", False, 100), ("CANCELED", False, 100),
            ("REFUNDED", False, 100),
        }  # fmt: skip
        assert Activity.objects.aggregate(taken=Sum("places_taken")) == {"taken": 600}
        assert by_status(Effect, "status") == {("DONE", 1000)}

    def test_02_orders(self, counted):
        assert counted("orders", ({**row, "user": ""} for row in old.orders(ROWS))) == {"created": ROWS}
        before = state()

        assert counted("orders", ({**row, "user": ""} for row in old.orders(ROWS))) == {"there": ROWS}
        assert state() == before
        paid = Order.objects.called("cs_live_old00000").get()
        assert (paid.status, paid.paid_at.isoformat()) == ("PAID", "2025-01-06T09:04:00+00:00")
        assert Payment.objects.aggregate(received=Sum("received"), refunded=Sum("refunded")) == {
            "received": 700 * 4900, "refunded": 100 * 4900,
        }  # fmt: skip

    def test_03_subscriptions(self, counted, imported, monkeypatch):
        monkeypatch.setitem(ThrottledStripe.__init__.__kwdefaults__, "calls_per_second", 1_000_000.0)
        emulate(monkeypatch)
        counted("users", old.users(AT_STRIPE))
        live_at_stripe(AT_STRIPE)

        report = imported("subscriptions", old.subscriptions(ROWS))

        assert (report["created"], report["refused"]) == (AT_STRIPE, ROWS - AT_STRIPE)
        assert report["rows"][AT_STRIPE] == {
            "row": AT_STRIPE + 2, "id": "sub_old00020", "outcome": "refused", "column": "user",
            "note": "Nobody here is called usr-00020: import the users first.",
        }  # fmt: skip
        before = state()
        assert counted("subscriptions", old.subscriptions(ROWS)) == {"there": AT_STRIPE, "refused": ROWS - AT_STRIPE}
        assert state() == before
        rows = Subscription.objects.filter(status="active", plan__slug="monthly")
        assert rows.filter(customer__user__external_id="usr-00007").get().stripe_id == "sub_old00007"

    def test_04_modules_and_tokens(self, counted, tmp_path):
        counted("users", old.users(ROWS))
        path = old.write_json_lines(tmp_path / "tokens.jsonl", old.tokens(ROWS))

        assert counted("modules", old.modules()) == {"created": old.MODULES}
        assert counted("tokens", path) == {"created": ROWS}
        before = state()

        assert counted("modules", old.modules()) == {"there": old.MODULES}
        assert counted("tokens", path) == {"there": ROWS}
        assert state() == before
        assert by_status(ModuleAccess, "access_type", "is_active") == {("token", True, 950)}


def live_at_stripe(count):
    """Each somebody's, with the price of our plan: one is made as people do, the others are its copies."""
    life = Life()
    life.is_subscribed()
    made = {name: StoredObject.objects.get(stripe_id=name) for name in (life.subscription, life.customer)}
    copies = []
    for n in range(count):
        names = {life.subscription: f"sub_old{n:05d}", life.customer: f"cus_old{n:05d}"}
        for name, row in made.items():
            text = json.dumps(row.data)
            for known, other in names.items():
                text = text.replace(known, other)
            copies.append(StoredObject(
                stripe_id=names[name], kind=row.kind, created=row.created, ahead=row.ahead, data=json.loads(text),
                hidden=row.hidden,
            ))  # fmt: skip
    StoredObject.objects.bulk_create(copies)


def event(event_type, name, **fields):
    """As Stripe sends it about what an old system made: with its metadata, and none of ours."""
    return {
        "id": f"evt_{name}", "object": "event", "type": event_type, "api_version": "2023-10-16", "livemode": False,
        "created": int(NOON.timestamp()), "data": {"object": fields},
    }  # fmt: skip


def kept_event(raw):
    PaymentEvent.objects.create(
        stripe_event_id=raw["id"], type=raw["type"], api_version=raw["api_version"], payload=raw, body_sha256="",
        object_id="", occurred_at=NOON, received_at=NOON, next_attempt_at=NOON,
    )  # fmt: skip
    return PaymentEvent.objects.get(stripe_event_id=raw["id"])


def paid_session(name, **metadata):
    return event(
        "checkout.session.completed", name, id=f"cs_{name}", object="checkout.session", status="complete",
        payment_status="paid", mode="payment", payment_intent=f"pi_{name}", amount_total=4900, currency="eur",
        metadata=metadata,
    )  # fmt: skip


class TestOldIds:
    @pytest.mark.parametrize(
        ("kind", "rows", "metadata"),
        [
            ("registrations", old.registrations, {"registrationId": "reg-00000"}),
            ("orders", old.orders, {"orderId": "cmord00000"}),
        ],
    )
    def test_wake_the_event_that_waited_for_one(self, counted, kind, rows, metadata):
        waiting = kept_event(paid_session("new", **metadata))
        drain(at=NOON)
        waiting.refresh_from_db()
        assert waiting.status in ("FAILED", "IGNORED")
        pending = {
            "status": "PENDING",
            "paid_at": "",
            "stripe_session_id": "",
            "stripe_payment_intent_id": "",
            "user": "",
        }
        columns = next(rows(1))

        counted(kind, [{**columns, **{name: text for name, text in pending.items() if name in columns}}])
        drain()

        waiting.refresh_from_db()
        assert waiting.status == "PROCESSED"
        assert Order.objects.get().status == "PAID"

    def test_are_known_to_the_api_of_the_modules(self, counted):
        counted("users", old.users(1))
        counted("modules", old.modules(1))
        counted("orders", old.orders(1, modules=1))
        program = Program(*create_key(
            name="old module", scopes=["tokens:generate"], module=None, expires_at=None, by=None, at=NOON
        ))  # fmt: skip

        answer = program.post(GENERATE, moduleId="1", userId="usr-00000", paymentId="cmord00000")

        assert answer.status_code == 201
        assert answer.json()["moduleId"] == "stable-diffusion-1"

    def test_of_a_module_lead_to_its_page(self, counted, client):
        counted("modules", old.modules(1))

        answer = client.get("/modules/1/")

        assert (answer.status_code, answer["Location"]) == (301, "/modules/stable-diffusion-1/")

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("usr-00000", "person.0@example.org"), ("tok-00000", "person.0@example.org"), ("1", "Stable Diffusion 1"),
            ("cmord00000", "Pack"), ("reg-00000", "Atelier 0"),
        ],
    )  # fmt: skip
    def test_are_found_from_every_staff_page(self, counted, admin_client, name, found):
        counted("users", old.users(1))
        counted("modules", old.modules(1))
        counted("tokens", old.tokens(1))
        others = {"stripe_session_id": "cs_x", "stripe_payment_intent_id": "pi_x"}
        counted("orders", ({**row, **others} for row in old.orders(1)))
        counted("registrations", old.registrations(1))

        answer = admin_client.get("/admin/find/", {"q": name}, follow=True)

        assert found in answer.content.decode()
