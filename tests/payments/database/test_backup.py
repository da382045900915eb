import io
import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zipfile import ZipFile

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from modules_access.models import ModuleAccess
from modules_access.repair import repair
from payments.database.archive import MANIFEST, BackupRefused
from payments.database.backup import back_up
from payments.database.restore import restore
from payments.database.tables import FILLED_BY_MIGRATE, PASSING, kept_tables
from payments.reconcile.reconcile import reconcile
from payments.reconcile.window import Window
from payments.resync import ResyncOptions
from payments.stripe_api.lookups import ThrottledStripe
from registrations.models import Registration
from registrations.services.check_places import check_places
from tests.properties.memberships.life import Life
from tests.support import buyers
from tests.support.everything import make_everything
from tests.support.factories import RegistrationFactory
from tests.support.resync import heard, sold
from tests.support.subscriber import emulate

CHECK = ("restore_state", "--check")


def empty_database():
    """As `migrate` leaves it; Stripe, who is the emulator, knows what it knew."""
    with transaction.atomic(), connection.cursor() as cursor:
        names = [table.name for table in kept_tables(cursor) if table.name not in FILLED_BY_MIGRATE]
        cursor.execute(f"TRUNCATE {', '.join([*names, *PASSING])} RESTART IDENTITY")


def sums(manifest):
    return {entry.name: (entry.rows, entry.sha256) for entry in manifest.tables}


def told(*arguments):
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def stories(transactional_db, monkeypatch, make_registration):
    """One of everything, and some who have bought at a Stripe that knows them."""
    emulate(monkeypatch)
    make_everything()
    now = datetime.now(UTC)
    with time_machine.travel(now, tick=False):
        for number, fate in enumerate((buyers.pays, buyers.is_refunded_in_parts, buyers.leaves, buyers.disputes)):
            fate(sold(make_registration(f"Buyer {number}")))
        life = Life()
        life.checks_out()
        life.renews()
        heard()
        yield now


def findings(now):
    """What a reconciliation over all of it, years later, has to say: of what Stripe does not know, or what is held."""
    later = now + timedelta(days=2000)
    options = ResyncOptions(at=later, by="a test", stripe=ThrottledStripe(calls_per_second=1_000_000), dry_run=True)
    with time_machine.travel(later, tick=False):
        run = reconcile(window=Window(now - timedelta(days=400), later), options=options, clock=lambda: later)
    assert run.finished_at
    return sorted(map(str, run.findings)), run.counts


class TestBackupAndRestore:
    def test_bring_back_every_row_so_that_nothing_more_is_left_to_do(self, stories, tmp_path):
        before, newest = findings(stories), Registration.objects.latest("pk").pk
        made = back_up(tmp_path / "state.zip")
        empty_database()

        restored = restore(tmp_path / "state.zip")

        assert restored.left_out == []
        assert sums(back_up(tmp_path / "again.zip")) == sums(made)
        assert findings(stories) == before
        assert check_places(at=stories) == []
        assert repair(at=stories, dry_run=True, by="a test").total == 0
        assert ModuleAccess.objects.count() > 3
        # Numbers go on where they were.
        assert RegistrationFactory.create().pk > newest


@pytest.fixture
def small(transactional_db, registration, tmp_path):
    """A back-up of a database in which one person has registered, which only its owner can read."""
    path = tmp_path / "small.zip"
    back_up(path)
    assert path.stat().st_mode & 0o777 == 0o600
    return path


def changed(path, name, new):
    """The same back-up with another content of one of its files."""
    other = path.with_name(f"changed-{path.name}")
    with ZipFile(path) as old, ZipFile(other, "w") as file:
        for each in old.namelist():
            file.writestr(each, new(old.read(each)) if each == name else old.read(each))
    return other


def of_format_2(manifest):
    return json.dumps({**json.loads(manifest), "format": 2})


def from_tomorrow(manifest):
    told = json.loads(manifest)
    return json.dumps({**told, "migrations": {**told["migrations"], "payments": ["9999_tomorrow"]}})


def from_yesterday(manifest):
    told = json.loads(manifest)
    return json.dumps({**told, "migrations": {**told["migrations"], "payments": ["0001_initial"]}})


def that_tells_of_no_orders(manifest):
    told = json.loads(manifest)
    for each in told["tables"]:
        if each["name"] == "payments_order":
            each |= {"rows": 0, "sha256": sha256(b"").hexdigest()}
    return json.dumps(told)


REGISTRATIONS, ORDERS = "registrations_registration.copy", "payments_order.copy"


class TestRestore:
    def test_overwrites_nothing(self, small):
        refusal = r"registration has 1 rows \(its last event was received never, the back-up is of 20.*Nothing is ever"

        with pytest.raises(CommandError, match=refusal):
            told("restore_state", str(small))

        assert Registration.objects.count() == 1

    @pytest.mark.parametrize(
        ("name", "change", "refusal"),
        [
            (REGISTRATIONS, lambda rows: rows.replace(b"camille", b"CAMILLE"), "registrations_registration is not"),
            (REGISTRATIONS, lambda rows: rows + rows, "2 rows, 1 told"),
            (MANIFEST, lambda _: b"{", "manifest cannot be read"),
            (MANIFEST, of_format_2, "format 2, and this version reads format 1 only"),
            (MANIFEST, from_tomorrow, "9999_tomorrow.* run manage.py migrate with version 'development'"),
            (MANIFEST, from_yesterday, "migrations that the back-up does not know .payments.0002_desk"),
        ],
    )
    def test_refuses_what_is_not_as_it_was_written(self, small, name, change, refusal):
        empty_database()
        with pytest.raises(CommandError, match=refusal):
            told("restore_state", str(changed(small, name, change)))

        assert not Registration.objects.exists()

    def test_refuses_what_the_database_does_not_take_and_leaves_nothing_behind(self, small):
        empty_database()
        without_orders = changed(changed(small, ORDERS, lambda _: b""), MANIFEST, that_tells_of_no_orders)

        with pytest.raises(BackupRefused, match=r"The database refuses it, and nothing was changed: .*foreign key"):
            restore(without_orders)

        assert not Registration.objects.exists()


class TestCheck:
    def test_proves_a_file_and_says_of_which_moment_it_is(self, small):
        assert re.search(r"small.zip is whole: \d+ rows of \d+ tables as of 20.* by version", told(*CHECK, str(small)))

    @pytest.mark.parametrize(
        ("spoil", "refusal"),
        [
            (lambda path: path.write_bytes(path.read_bytes()[:5000]), "no whole back-up"),
            (lambda path: path.write_bytes(b""), "no whole back-up"),
            (lambda path: path.unlink(), "cannot be read: No such file"),
        ],
    )
    def test_refuses_what_is_cut_off_or_not_there(self, small, spoil, refusal):
        spoil(small)

        with pytest.raises(CommandError, match=refusal):
            told(*CHECK, str(small))


class TestBackup:
    def test_is_named_by_its_moment_in_a_directory(self, transactional_db, tmp_path):
        assert re.search(r"state-\d{8}T\d{6}Z.zip: \d+ rows", told("backup_state", str(tmp_path)))

    def test_overwrites_no_file_and_leaves_none_half_written(self, small):
        before = small.read_bytes()

        for target, refusal in ((small, "is there already"), (small / "x", "cannot be written: Not a directory")):
            with pytest.raises(CommandError, match=refusal):
                told("backup_state", str(target))

        assert small.read_bytes() == before
        assert [each.name for each in small.parent.iterdir()] == ["small.zip"]
