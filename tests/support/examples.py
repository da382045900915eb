"""What stands for the names in the documents' commands: a site with demo data and its own order, event, dispute, ….

The table for writers is in CONTRIBUTING.md, “Commands in documents”.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import count
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from modules_access.jwt import mint_token
from modules_access.models import Module, Purchase, Scope
from modules_access.services.buy import buy
from modules_access.services.keys import create_key
from payments.billing.models import Dispute, Plan, Subscription
from payments.checkout.open_checkout import open_checkout
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order
from payments.processing.failure_groups import group_of
from payments.statuses import AWAITING_PAYMENT, EventStatus
from payments.subscribing.start import subscribe
from registrations.models import Registration
from tests.support.buyers import Buyer
from tests.support.modules import make_learner, make_token
from tests.support.processes import wait_until
from tests.support.road import event_of, ledger_row
from tests.support.site import Site

SESSION = re.compile(r"/pay/(cs_test_\w+)")
DAY = re.compile(r"\b2026-1[12]-(\d\d)\b")
MONTH = re.compile(r"\b2026-11\b(?!-)")
OUR_ADDRESS = re.compile(r"https://shop\.example|http://127\.0\.0\.1:8000")
SECRET_FILE = re.compile(r"\bPATH\b")
BACKUP_FILE = re.compile(r"\bFILE\b")
# The key of a failure group, as the documents write it.
GROUP = "3f9c0a1b2c3d4e5f"
A_WHILE = timedelta(hours=6)
# A shop of this size takes half a minute, and its figures as long.
SHOP = ("--size 30000 --since 2024-01-01", "--size 30 --since 2026-11-01")


@dataclass
class Examples:
    """`names`: as written → as it is here; `variables`: what a command finds in its environment."""

    site: Site
    directory: Path
    names: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    failing: str = ""
    files: count = field(default_factory=count)

    @property
    def backups(self) -> Path:
        """Where back-ups go."""
        return self.directory / "backups"

    def fail_again(self) -> None:
        """The event of the failure group has failed, whatever a replay has made of it meanwhile."""
        PaymentEvent.objects.filter(stripe_event_id=self.failing).update(error_group=self.names[GROUP], **failed())

    def put_into(self, text: str) -> str:
        """The command with the names of this site; days of 2026 lie as many days back as before December, 1st."""
        for name in sorted(self.names, key=len, reverse=True):
            text = text.replace(name, self.names[name])
        text = text.replace(*SHOP)
        text = DAY.sub(_lately, MONTH.sub(f"{timezone.localdate():%Y-%m}", text))
        text = OUR_ADDRESS.sub(self.site.url, text).replace("http://127.0.0.1:8001", self.site.emulator.url)
        for backup in sorted(self.backups.iterdir()):
            text = BACKUP_FILE.sub(str(backup), text)
        text = text.replace("/srv/backups/", f"{self.backups}/")
        return SECRET_FILE.sub(lambda _found: str(self.directory / f"secret-{next(self.files)}"), text)


def _lately(day: re.Match[str]) -> str:
    """December lies ahead: what is expected to end then has not ended."""
    away = datetime.strptime(day[0], "%Y-%m-%d").replace(tzinfo=UTC) - datetime(2026, 11, 30, tzinfo=UTC)
    return f"{timezone.localdate() + away * (2 / 3):%Y-%m-%d}"


def make_examples(site: Site, directory: Path) -> Examples:
    """Demo data, and one of each thing that the commands name, come about by the site itself."""
    examples = Examples(site, directory)
    call_command("seed_demo", stdout=StringIO())
    call_command("seed_modules", stdout=StringIO())
    _register(examples)
    _learn(examples)
    _fail(examples)
    examples.backups.mkdir()
    (directory / "here" / "users.csv").write_text("id,email,name\nusr-00017,camille@example.org,Camille Martin\n")
    return examples


def _register(examples: Examples) -> None:
    """One registration waits for its payment, another one was paid and is disputed."""
    waiting, disputed = Registration.objects.filter(order__status__in=AWAITING_PAYMENT, order__amount__gt=0)[:2]
    opened = open_checkout(order_id=disputed.order_id, at=timezone.now())
    Buyer(disputed, opened.session, examples.site.emulator.client).pay("pm_card_createDispute")
    wait_until(Dispute.objects.exists)
    event = PaymentEvent.objects.filter(type="checkout.session.completed").latest("pk")
    examples.names |= {
        "O-000012": waiting.order.number, "evt_…": event.stripe_event_id, "du_…": Dispute.objects.get().stripe_id,
        "cs_test_…": opened.session, "cs_…": opened.session, "pi_…": Dispute.objects.get().payment,
    }  # fmt: skip


def _learn(examples: Examples) -> None:
    """Ada has bought a module, holds a token for it, and has subscribed to a plan."""
    client, at = examples.site.emulator.client, timezone.now()
    ada, module = make_learner(), Module.objects.get(slug="drawing")
    for address in (buy(user=ada, module=module, at=at), subscribe(user=ada, plan=Plan.objects.earliest("pk"), at=at)):
        session = SESSION.search(address)[1]  # type: ignore[index]
        client.raw_request("post", f"/v1/payment_pages/{session}/confirm", payment_method="pm_card_visa")
    purchase = Purchase.objects.get(user=ada)
    wait_until(lambda: Order.objects.filter(user=ada, status="PAID").count() == 2)
    wait_until(Subscription.objects.filter(status="active").exists)
    order = Order.objects.get(pk=purchase.order_id)
    token = make_token(ada, module, at=at)
    _key, text = create_key(name="shop", scopes=Scope.values, module=module, expires_at=None, by=None, at=at)
    examples.names |= {"O-000123": order.number, "sub_…": Subscription.objects.get().stripe_id}
    examples.variables |= {"SERVICE_KEY": text, "TOKEN": mint_token(token, at=at), "TOKEN_ID": str(token.jti)}


def _fail(examples: Examples) -> None:
    """An event has failed here whose cause is removed since."""
    event = event_of(Registration.objects.earliest("pk"), "payment_intent.requires_action", at=timezone.now())
    group = group_of(event["type"], "handler", "the handler was broken")
    ledger_row(event, at=timezone.now(), error_group=group, **failed()).save()
    examples.failing = event["id"]
    examples.names[GROUP] = group


def failed() -> dict[str, object]:
    """The columns of an event that has failed, and is not tried again while the documents are read."""
    return {
        "status": EventStatus.FAILED, "error_kind": "handler", "error": "the handler was broken",
        "processed_at": None, "next_attempt_at": timezone.now() + A_WHILE,
    }  # fmt: skip
