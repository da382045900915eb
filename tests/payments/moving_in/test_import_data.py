"""`manage.py import_data`: what is a wrong file, what a bad row, and what becomes of the others."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from accounts.services import purge_accounts
from modules_access.models import ModuleAccess
from payments.effects.models import Effect
from payments.moving_in import run
from payments.orders.models import Order, OrderException
from payments.stripe_api.lookups import ThrottledStripe
from registrations.models import Activity, Registration
from tests.support import old_systems as old
from tests.support.factories import NOON, ActivityFactory, RegistrationFactory, UserFactory
from tests.support.modules import make_grant, make_learner, make_module, make_token
from tests.support.subscriber import emulate, unreachable

pytestmark = pytest.mark.django_db
HEAD = "id,email"


def one(rows, **others):
    """The first row, with something else in it."""
    return [{**next(rows), **others}]


class TestWrongFile:
    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("", "users.csv is empty."),
            (HEAD, "users.csv has no rows."),
            (
                f"{HEAD},shoe size\n1,a@example.org,44",
                "columns that are not known here: 'shoe size'. Known are: id, em",
            ),
            ("id;name\n1;Ada", "users.csv lacks columns that are needed: email."),
            (f"{HEAD},id\n1,a@example.org,2", "The column 'id' stands there twice."),
            (f'{HEAD}\n1,"a@example.org', "is no CSV"),
            ('{"id": 1, "email": "a@example.org"}\n{"id"', "Line 2 is no JSON"),
        ],
    )
    def test_is_one_sentence_and_changes_nothing(self, imported, content, sentence):
        with pytest.raises(CommandError) as refusal:
            imported("users", content)

        assert sentence in str(refusal.value)
        assert str(refusal.value).endswith("Nothing was imported.")
        assert not User.objects.exists()

    def test_says_where_it_is_not_utf8(self, imported, tmp_path):
        path = tmp_path / "users.csv"
        path.write_bytes(f"{HEAD},name\n1,a@example.org,Zo".encode() + b"\xe9")

        with pytest.raises(CommandError, match=r"users\.csv is not UTF-8 \(line 2\)"):
            imported("users", path)

    def test_that_is_not_there(self, imported, tmp_path):
        with pytest.raises(CommandError, match="No such file"):
            imported("users", tmp_path / "none.csv")


class TestBadRow:
    @pytest.mark.parametrize(
        ("kind", "rows", "others", "column"),
        [
            ("users", old.users, {"email": "nobody"}, "email"),
            ("users", old.users, {"id": ""}, "id"),
            ("users", old.users, {"name": "x" * 201}, "name"),
            ("users", old.users, {"name": "a\0b"}, "name"),
            ("users", old.users, {"language": "tlh"}, "language"),
            ("users", old.users, {"created_at": "yesterday"}, "created_at"),
            ("registrations", old.registrations, {"amount": "49.00"}, "amount"),
            ("registrations", old.registrations, {"currency": "cents"}, "currency"),
            ("registrations", old.registrations, {"status": "won"}, "status"),
            ("registrations", old.registrations, {"paid_at": ""}, "paid_at"),
            ("registrations", old.registrations, {"paid_at": "2099-01-01"}, "paid_at"),
            ("registrations", old.registrations, {"stripe_session_id": "pi_1"}, "stripe_session_id"),
            (
                "registrations", old.registrations,
                {"stripe_session_id": "", "stripe_payment_intent_id": ""}, "stripe_session_id",
            ),
            ("registrations", old.registrations, {"activity_capacity": ""}, "activity"),
            ("registrations", old.registrations, {"amount_refunded": "4901"}, "amount_refunded"),
            ("orders", old.orders, {"user": "who"}, "user"),
            ("orders", old.orders, {"user": "", "module": "9"}, "module"),
            ("modules", old.modules, {"url": "nowhere"}, "url"),
            ("modules", old.modules, {"access_days": "0"}, "access_days"),
            ("tokens", old.tokens, {"current_usage": "101"}, "current_usage"),
            ("tokens", old.tokens, {"user": "who"}, "user"),
            ("subscriptions", old.subscriptions, {"id": "1"}, "id"),
        ],
    )  # fmt: skip
    def test_is_refused_with_its_column_and_leaves_nothing(self, imported, kind, rows, others, column):
        report = imported(kind, one(rows(1), **others))

        (told,) = report["rows"]
        assert (told["row"], told["outcome"], told["column"]) == (2, "refused", column)
        assert told["note"].endswith(".")
        assert not Order.objects.exists()
        assert not User.objects.exists()

    def test_costs_only_itself(self, counted):
        rows = [*old.users(3)]
        rows[1]["email"] = "nobody"

        assert counted("users", rows) == {"created": 2, "refused": 1}

    def test_keeps_the_others_out_where_all_or_nothing_is_wanted(self, counted):
        rows = [*old.users(3)]
        rows[1]["email"] = "nobody"

        assert counted("users", rows, "--strict") == {"created": 2, "refused": 1}
        assert not User.objects.exists()
        assert counted("users", rows[::2], "--strict") == {"created": 2}

    def test_that_says_what_another_has_said(self, imported):
        report = imported("users", [*old.users(1), *old.users(1)])

        assert report["rows"][1]["note"] == "usr-00000 stands in row 2 already."

    def test_has_too_few_cells(self, imported):
        report = imported("users", f"{HEAD}\n1,a@example.org\n2\n")

        assert [row["outcome"] for row in report["rows"]] == ["created", "refused"]

    def test_that_only_the_database_refuses_costs_only_itself(self, counted):
        # An id of the old system that is a UUID is the token's own, and here it is somebody's already.
        learner, module = make_learner(external_id="usr-00000"), make_module(external_id="1")
        taken = str(make_token(learner, module, grant=make_grant(learner, module)).jti)
        rows = [*old.tokens(1), *one(old.tokens(1), id=taken)]

        assert counted("tokens", rows) == {"created": 1, "refused": 1}


class TestDryRun:
    def test_tells_of_every_row_and_changes_nothing(self, tmp_path):
        path, out = old.write_csv(tmp_path / "r.csv", old.registrations(3)), io.StringIO()

        call_command("import_data", "registrations", str(path), "--dry-run", stdout=out)

        lines = out.getvalue().splitlines()
        assert [line.strip() for line in lines[:3]] == [f"row {n + 2}, reg-0000{n}: would be created" for n in range(3)]
        assert lines[-1] == "Dry run: nothing was changed."
        assert not Registration.objects.exists()
        assert not Activity.objects.exists()


class TestResume:
    def test_ends_the_same_after_it_was_killed(self, counted, monkeypatch):
        def die(done, _total):
            if done >= 100:
                raise SystemExit

        with monkeypatch.context() as patched:
            take_all = run._take_all
            patched.setattr(run, "_take_all", lambda *given, **named: take_all(*given, **{**named, "show": die}))
            with pytest.raises(SystemExit):
                counted("users", old.users(150))
        assert User.objects.count() == 100

        assert counted("users", old.users(150)) == {"created": 50, "there": 100}


class TestMails:
    def test_are_not_sent_nor_later(self, counted):
        counted("registrations", one(old.registrations(1)))

        assert [*Effect.objects.values_list("kind", "status")] == [("registration.confirmed", "DONE")]

    def test_are_sent_where_that_is_wanted(self, counted):
        counted("registrations", one(old.registrations(1)), "--notify")

        assert [*Effect.objects.values_list("kind", "status")] == [("registration.confirmed", "PENDING")]


class TestUsers:
    def test_that_are_here_learn_their_old_id_and_keep_what_they_have(self, imported):
        UserFactory.create(email="person.0@example.org", name="Zoé")

        report = imported("users", old.users(1))

        assert report["rows"][0]["note"] == "Filled in: external_id."
        assert User.objects.values_list("name", "external_id").get() == ("Zoé", "usr-00000")

    def test_of_two_old_ids_are_not_one(self, counted):
        UserFactory.create(email="person.0@example.org", external_id="other")

        assert counted("users", old.users(1)) == {"refused": 1}

    def test_find_what_they_did_as_guests(self, counted):
        row = RegistrationFactory.create(email="person.0@example.org")

        counted("users", old.users(1))

        row.refresh_from_db()
        assert row.user.external_id == "usr-00000"

    def test_are_not_purged_as_if_they_had_just_signed_up(self, counted):
        counted("users", one(old.users(1), email_confirmed="false"))

        assert purge_accounts(at=NOON) == 0


class TestRegistrations:
    def test_that_may_still_be_paid_hold_their_place_or_are_refused(self, imported):
        begun = {"status": "PENDING", "paid_at": "", "expires_at": "2099-01-01", "activity_capacity": "1"}
        rows = [{**row, **begun, "activity": "evt-0"} for row in old.registrations(2)]

        report = imported("registrations", rows)

        assert [row["outcome"] for row in report["rows"]] == ["created", "refused"]
        assert Registration.objects.values_list("holds_place", "status").get() == (True, "PENDING")
        assert Activity.objects.get().places_taken == 1

    def test_that_are_paid_without_a_place_are_taken_and_staff_are_asked(self, imported):
        rows = [{**row, "activity": "evt-0", "activity_capacity": "1"} for row in old.registrations(2)]

        report = imported("registrations", rows)

        assert report["rows"][1]["note"] == "Paid, and no place is left: staff are asked."
        assert OrderException.objects.get().kind == "NO_PLACE"

    def test_give_nobody_their_money_back_by_themselves(self, counted):
        ActivityFactory.create(slug="evt-0", capacity=1, late_money="refund")

        assert counted("registrations", ({**r, "activity": "evt-0"} for r in old.registrations(2))) == {
            "created": 1, "refused": 1,
        }  # fmt: skip
        assert not Effect.objects.filter(kind="refund").exists()

    def test_take_what_a_later_export_tells(self, imported):
        pending = {"status": "PENDING", "paid_at": "", "stripe_payment_intent_id": ""}
        imported("registrations", one(old.registrations(1), **pending))

        report = imported("registrations", old.registrations(1))

        assert report["changed"] == 1
        assert "status: PENDING → PAID" in report["rows"][0]["note"]

    def test_are_refused_where_something_else_has_their_session(self, imported):
        imported("registrations", old.registrations(1))

        report = imported("registrations", one(old.registrations(1), id="reg-other"))

        assert report["rows"][0]["column"] == "stripe_session_id"
        assert Order.objects.count() == 1

    def test_do_not_change_what_was_sold(self, counted):
        counted("registrations", old.registrations(1))

        assert counted("registrations", one(old.registrations(1), amount="5000")) == {"refused": 1}


class TestOrders:
    def test_of_a_module_open_it_from_the_old_payment_on(self, counted):
        counted("users", old.users(1))
        counted("modules", one(old.modules(1), access_days="30"))

        counted("orders", old.orders(1, modules=1))

        access = ModuleAccess.objects.get()
        assert (access.user.external_id, access.module.external_id) == ("usr-00000", "1")
        assert access.expires_at.isoformat() == "2025-02-05T09:04:00+00:00"


class TestTokens:
    def test_move_with_a_later_export_and_only_forward(self, counted):
        counted("users", old.users(1))
        counted("modules", old.modules(1))
        counted("tokens", one(old.tokens(1), current_usage=5))

        assert counted("tokens", one(old.tokens(1), current_usage=3)) == {"there": 1}
        assert counted("tokens", one(old.tokens(1), current_usage=9, is_active="false")) == {"changed": 1}
        access = ModuleAccess.objects.get()
        assert (access.token.used, access.is_active, access.ended_reason) == (9, False, "token_revoked")


class TestSubscriptions:
    def test_that_stripe_does_not_know_are_refused(self, imported, monkeypatch):
        emulate(monkeypatch)

        report = imported("subscriptions", [{"id": "sub_none"}])

        assert report["rows"][0]["note"] == "Neither here nor at Stripe does anything go by that name."

    def test_stop_where_stripe_does_not_answer(self, imported, monkeypatch):
        monkeypatch.setitem(ThrottledStripe.__init__.__kwdefaults__, "calls_per_second", 1_000_000.0)
        emulate(monkeypatch)

        with unreachable(monkeypatch):
            report = imported("subscriptions", [{"id": "sub_1"}, {"id": "sub_2"}])

        assert report["rows"] == []
        assert report["stopped"].startswith("Stripe does not answer as it should, so the rest was not asked for")


class TestDocument04:
    """What its people type goes on working: https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PATH"""

    MISSING = """
        SELECT at.created_by, at.module_id, 'token' AS access_type, at.id AS token_id, at.expires_at, at.is_active
        FROM access_tokens at
        WHERE at.is_active = true
        AND NOT EXISTS (
            SELECT 1 FROM module_access ma
            WHERE ma.user_id = at.created_by AND ma.module_id = at.module_id AND ma.is_active = true
        )
    """

    def test_its_tables_are_read_under_their_old_names(self, counted):
        counted("users", old.users(3))
        counted("modules", old.modules())
        counted("tokens", old.tokens(3))

        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL search_path = legacy, public")
            cursor.execute("SELECT user_id, module_id, access_type, token_id, is_active FROM module_access ORDER BY 1")
            rows = cursor.fetchall()
            cursor.execute(self.MISSING)
            missing = cursor.fetchall()

        assert rows == [(f"usr-0000{n}", n + 1, "token", f"tok-0000{n}", True) for n in range(3)]
        assert missing == []

    def test_its_tables_are_written_by_hand_without_what_has_a_default(self):
        learner, module = make_learner(), make_module()

        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO module_access (user_id, module_id, access_type) VALUES (%s, %s, 'grant')",
                [learner.pk, module.pk],
            )
            cursor.execute(
                "INSERT INTO access_tokens (user_id, module_id, expires_at) VALUES (%s, %s, now())",
                [learner.pk, module.pk],
            )

        access = ModuleAccess.objects.get()
        assert (access.is_active, access.metadata) == (True, {})
        assert learner.access_tokens.get().max_usage == 100
