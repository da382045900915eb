"""`manage.py evidence`: the same pack as a file that only its owner can read."""

from io import StringIO
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command

from payments.billing.models import Dispute
from tests.support.road import event_of, hear


@pytest.fixture
def dispute(registration):
    hear(event_of(registration, "checkout.session.completed"), event_of(registration, "charge.dispute.created"))
    return Dispute.objects.get()


class TestEvidence:
    def test_writes_the_file(self, dispute, tmp_path):
        target, out = tmp_path / "pack.zip", StringIO()

        call_command("evidence", dispute.stripe_id, "--output", str(target), stdout=out)

        with ZipFile(target) as archive:
            assert f"{dispute.stripe_id}/README.txt" in archive.namelist()
        assert target.stat().st_mode & 0o777 == 0o600
        assert str(target) in out.getvalue()

    def test_names_the_file_after_the_dispute(self, dispute, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

        call_command("evidence", dispute.stripe_id, stdout=StringIO())

        assert (tmp_path / f"{dispute.stripe_id}.zip").exists()

    def test_refuses_a_dispute_that_is_unknown(self, db):
        with pytest.raises(CommandError, match="du_none"):
            call_command("evidence", "du_none")

    def test_says_where_it_cannot_write(self, dispute, tmp_path):
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("evidence", dispute.stripe_id, "--output", str(tmp_path / "none" / "x.zip"))
