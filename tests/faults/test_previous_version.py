"""While an update runs, the code of before works on the schema of now: it takes a delivery, processes it, shows a page.

Of before: the last release; without one, what was there before the newest migration.
"""

import os
import subprocess
import sys
import tarfile

import pytest

from config.env import ROOT
from payments.ledger.models import PaymentEvent
from payments.statuses import EventStatus, OrderStatus
from tests.support.processes import for_test_database
from tests.support.road import event_of
from tests.support.signing import body_of, signature_of

pytestmark = pytest.mark.slow
# Speaks only of what every version has: the address for events, the drain, the first page.
WORK = """
import sys, django
django.setup()
from django.test import Client
from django.utils import timezone
from payments.processing.drain import drain
body, header = sys.stdin.buffer.read(), {"HTTP_STRIPE_SIGNATURE": sys.argv[1]}
taken = Client().post("/stripe/webhooks", body, content_type="application/json", **header)
drain(at=timezone.now())
print(taken.status_code, Client().get("/").status_code)
"""


def said_by(*command, **options):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **options).stdout.strip()


def previous_version():
    """Its commit; "" where git does not know so much."""
    if tag := said_by("git", "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^"):
        return tag
    newest = said_by("git", "log", "-1", "--diff-filter=A", "--format=%H", "--", "*/migrations/0*.py")
    return newest and said_by("git", "rev-parse", "--verify", "--quiet", f"{newest}^")


@pytest.fixture
def old_code(tmp_path):
    commit = previous_version()
    if not commit:
        pytest.skip("the history of git does not reach to the version of before (a shallow clone)")
    archive = tmp_path / "code.tar"
    subprocess.run(["git", "archive", "--output", archive, commit], cwd=ROOT, check=True)
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "code", filter="data")
    return tmp_path / "code"


@pytest.mark.django_db(transaction=True)
def test_goes_on_working_on_the_schema_of_now(old_code, registration):
    event = event_of(registration, "checkout.session.completed")
    body = body_of(event)

    done = subprocess.run(
        [sys.executable, "-c", WORK, signature_of(body)], cwd=old_code, input=body, capture_output=True,
        env={**os.environ, **for_test_database(), "PYTHONPATH": str(old_code)},
    )  # fmt: skip

    assert done.stdout.split()[-2:] == [b"200", b"200"], done.stderr.decode()
    assert PaymentEvent.objects.get(stripe_event_id=event["id"]).status == EventStatus.PROCESSED
    registration.order.refresh_from_db()
    assert registration.order.status == OrderStatus.PAID
