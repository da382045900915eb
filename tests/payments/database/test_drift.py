import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from payments.database.backup import back_up
from payments.database.drift import compare, find_drift
from payments.database.schema import read_schema
from payments.database.throwaway import PREFIX, NoThrowaway, Throwaway, throwaway_database
from tests.support.database import another_database
from tests.support.deep import DEEP

# What somebody does by hand, what is said of it, and the beginning of what ends it.
BY_HAND = [
    ("ALTER TABLE payments_order ALTER email DROP NOT NULL", "column payments_order.email: changed", "SET NOT NULL;"),
    ("ALTER TABLE payments_order ALTER kind TYPE varchar(99)", "(here: character varying(99)", "varying(30);"),
    ("ALTER TABLE payments_order ADD extra int", "column payments_order.extra: added by hand", 'DROP COLUMN "extra";'),
    ("ALTER TABLE payments_movedday DROP COLUMN day", "column payments_movedday.day: missing", '"day" date NOT NULL;'),
    ("ALTER TABLE payments_paymentevent ALTER mentions DROP DEFAULT", "mentions: changed", "SET DEFAULT '{}'::"),
    ("ALTER TABLE accounts_givenright DROP CONSTRAINT given_once", "given_once: missing", "UNIQUE (group_name, perm"),
    ("DROP INDEX event_due", "index payments_paymentevent.event_due: missing", "CREATE INDEX CONCURRENTLY event_due"),
    ("CREATE INDEX mine ON payments_order (kind)", "mine: added by hand", 'DROP INDEX CONCURRENTLY "mine";'),
    ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'event_due'::regclass", "due: not valid", "REINDEX"),
    ("CREATE VIEW mine AS SELECT 1 AS one", "view mine: added by hand", 'DROP VIEW "mine";'),
    ("DROP VIEW legacy.modules", "view legacy.modules: missing", 'CREATE VIEW "legacy"."modules" AS'),
    ("CREATE TABLE mine (a int)", "table mine: added by hand", 'DROP TABLE "mine";'),
    ("DROP TABLE payments_movedday", "table payments_movedday: missing", "Restore it"),
    (
        "CREATE TRIGGER mine BEFORE UPDATE ON payments_order FOR EACH ROW "
        "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "trigger payments_order.mine: added by hand", 'DROP TRIGGER "mine" ON "payments_order";',
    ),
]  # fmt: skip


def schema():
    with connection.cursor() as cursor:

        def ask(question):
            cursor.execute(question)
            return cursor.fetchall()

        return read_schema(ask, with_emulator=True)


@pytest.mark.django_db
class TestCompare:
    @pytest.mark.parametrize(("sql", "sentence", "remedy"), BY_HAND)
    def test_names_what_was_changed_by_hand_and_what_ends_it(self, sql, sentence, remedy):
        made = schema()
        with connection.cursor() as cursor:
            cursor.execute(sql)

        (found,) = {each.name.split(".")[0]: each for each in compare(schema(), made)}.values()

        assert sentence in found.sentence
        assert remedy in found.remedy

    def test_refuses_to_compare_what_is_not_migrated(self):
        MigrationRecorder.Migration.objects.filter(app="payments").latest("id").delete()

        with pytest.raises(CommandError, match=r"1 migrations are not applied .payments"):
            call_command("check_schema")


class TestThrowaway:
    def test_takes_a_back_up_and_is_built_like_this_database(self, transactional_db, registration, tmp_path):
        back_up(tmp_path / "state.zip")

        with another_database() as name:
            database = Throwaway(name)
            told = database.run("restore_state", str(tmp_path / "state.zip"))
            differences = find_drift(database)
            with pytest.raises(NoThrowaway, match=r"manage.py restore_state has failed: .*is not empty"):
                database.run("restore_state", str(tmp_path / "state.zip"))

        assert "Restored, and every row read back is the same" in told
        assert differences == []

    @pytest.mark.skipif(not DEEP, reason="all migrations take a quarter of a minute")
    def test_is_migrated_and_gone_afterwards(self, transactional_db):
        with throwaway_database() as database:
            assert find_drift(database) == []

        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
            assert cursor.fetchone() == (0,)
