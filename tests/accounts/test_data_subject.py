import io
import json
from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from accounts.data_subject import ErasureRefused, NobodyKnown, erase_individual, export_individual, find_individual
from accounts.models import User
from modules_access.models import ModuleAccess
from payments.billing.models import Dispute, Payment
from payments.database.tables import kept_tables
from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order, OrderChange, OrderException
from payments.processing.replay import replay_event
from payments.statuses import DisputePhase, EffectStatus
from registrations.models import Registration
from tests.support.factories import ActivityFactory, RegistrationFactory, UserFactory, make_staff
from tests.support.modules import make_grant, make_module
from tests.support.road import NOON, event_of, hear
from tests.support.subscriptions import make_customer, make_subscription
from tests.support.waiting_people import wait_for

EMAIL, NAME, CHILD = "ada.lovelace@example.com", "Ada Lovelace", "Annabella Byron"
LATER = NOON + timedelta(days=60)  # the activity is over

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    """Has an account, registered herself as such and a child as a guest, both paid, had a module, and waits."""
    user = UserFactory(email=EMAIL, name=NAME, email_confirmed_at=NOON)
    mine = RegistrationFactory(name=NAME, email=EMAIL, user=user, order__email=EMAIL, order__user=user)
    child = RegistrationFactory(name=CHILD, email=EMAIL, activity=mine.activity, order__email=EMAIL)
    for row in (mine, child):
        hear(event_of(row, "checkout.session.completed"), event_of(row, "payment_intent.succeeded"))
    wait_for(ActivityFactory(capacity=0, starts_at=LATER + timedelta(days=1)), NAME)
    deliver_all(clock=lambda: LATER)
    make_customer("cus_ada", email=EMAIL, name=NAME, user=user)
    access = make_grant(user, make_module(), expires_at=NOON + timedelta(days=1))
    ModuleAccess.objects.filter(pk=access.pk).update(metadata={"by": f"for {NAME}"})
    OrderException.objects.create(
        order=mine.order, kind="NO_PLACE", subject="x", detail=f"{NAME} <{EMAIL}>", is_open=False, opened_at=NOON
    )
    LogEntry.objects.create(user=make_staff(email="boss@example.com"), change_message=f"{EMAIL} wrote", action_flag=2)
    Effect.objects.filter(status=EffectStatus.PENDING).update(status=EffectStatus.DONE)
    return user


def other_people():
    """Noise that must stay as it is."""
    hear(event_of(RegistrationFactory(name="Mary Somerville", email="mary@example.com"), "checkout.session.completed"))
    return Registration.objects.filter(email="mary@example.com").values().get()


def everywhere(*words):
    """The tables in which one of these words stands, in any column."""
    found = set()
    with connection.cursor() as cursor:
        for table in kept_tables(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table.name}" AS t WHERE t::text ~* %s', ["|".join(words)])
            found |= {table.name} if cursor.fetchone()[0] else set()
    return found


def erase(person, **options):
    return erase_individual(person, **{"by": "boss", "reason": "she asked", "at": LATER, **options})


def told(*arguments):
    out = io.StringIO()
    call_command("person", *arguments, stdout=out)
    return out.getvalue()


class TestExport:
    def test_tells_all_that_is_known_and_no_secret(self, ada):
        found = export_individual(find_individual(EMAIL.upper()), at=LATER)

        assert found["account"]["name"] == NAME
        assert {row["name"] for row in found["registrations"]} == {NAME, CHILD}
        assert [row["amount"] for row in found["orders"]] == [4900, 4900]
        assert len(found["payments"]) == 2
        assert found["module_accesses"][0]["created_at"] == NOON
        assert found["stripe_customers"][0]["stripe_id"] == "cus_ada"
        assert {row["sent"]["to"][0] if row["sent"] else EMAIL for row in found["mails"]} == {EMAIL}
        assert len(found["events_of_stripe"]) == 4
        assert ada.password not in str(found)
        assert "mary" not in str(found)

    def test_knows_guests_by_their_address(self):
        RegistrationFactory(name=CHILD, email="guest@example.com", order__email="guest@example.com")

        assert set(json.loads(told("export", "guest@example.com"))) >= {"registrations", "orders"}


class TestErase:
    def test_leaves_the_person_in_no_row_and_every_amount_where_it_was(self, ada):
        User.objects.filter(pk=ada.pk).update(external_id="old-777")
        noise, amounts = other_people(), list(Payment.objects.values_list("key", "received", "paid_at"))
        assert len(everywhere(EMAIL, NAME, CHILD)) > 6

        erased = erase(find_individual(EMAIL))

        assert everywhere(EMAIL, NAME, CHILD, "old-777") == set()
        assert list(Payment.objects.values_list("key", "received", "paid_at")) == amounts
        assert Registration.objects.filter(email="mary@example.com").values().get() == noise
        assert Order.objects.filter(email=erased.alias, status="PAID").count() == 2
        user = User.objects.get(pk=ada.pk)
        assert (user.is_active, user.has_usable_password(), user.name) == (False, False, "")
        history = OrderChange.objects.filter(field="erased")
        assert set(history.values_list("after", "source")) == {("she asked", "boss")}

    def test_again_finds_nothing_left_to_do(self, ada):
        first = erase(find_individual(EMAIL))

        again = erase(find_individual(EMAIL))

        assert (again.alias, again.total) == (first.alias, 0)

    def test_changes_nothing_in_a_dry_run(self, ada):
        before = everywhere(EMAIL)

        assert erase(find_individual(EMAIL), dry_run=True).total > 5

        assert everywhere(EMAIL) == before

    def test_lets_events_be_replayed(self, ada):
        erase(find_individual(EMAIL))

        for event in PaymentEvent.objects.all():
            assert replay_event(event=event, by=None, reason="why not", at=LATER).failed == []
        assert everywhere(EMAIL, NAME, CHILD) == set()


class TestRefuse:
    @pytest.mark.parametrize(
        ("begin", "refusal"),
        [
            (lambda user: Order.objects.update(status="PENDING", paid_at=None), "O-.* can still be paid"),
            (lambda user: make_subscription("sub_1", customer=user.customers.get(), status="active"), "sub_1 goes on"),
            (
                lambda user: hear(event_of(Registration.objects.earliest("pk"), "charge.dispute.created")),
                "is not decided",
            ),
            (lambda user: OrderException.objects.update(is_open=True), "A question is open"),
            (lambda user: Effect.objects.update(status="PENDING"), "wait to go out"),
            (lambda user: PaymentEvent.objects.update(status="DEAD"), "evt_.* is not processed yet"),
            (lambda user: ModuleAccess.objects.update(expires_at=None), "is open: take it back first"),
            (lambda user: User.objects.filter(pk=user.pk).update(is_staff=True), "has rights in the admin"),
        ],
    )
    def test_while_something_is_under_way(self, ada, begin, refusal):
        begin(ada)
        before = everywhere(EMAIL)

        with pytest.raises(ErasureRefused, match=refusal):
            erase(find_individual(EMAIL))

        assert everywhere(EMAIL) >= before

    def test_while_a_place_is_held(self, ada):
        with pytest.raises(ErasureRefused, match=r"A place in .* is held, which is still to come"):
            erase(find_individual(EMAIL), at=NOON)

    @pytest.mark.parametrize("name", ["nobody@example.com", "999999", "9" * 30, "Ada"])
    def test_whom_nobody_knows(self, ada, name):
        with pytest.raises(NobodyKnown):
            find_individual(name)


class TestCommand:
    @time_machine.travel(LATER)
    def test_erases_and_names_who_is_left_at_stripe(self, ada):
        assert told("erase", EMAIL, "--dry-run").endswith("Dry run: nothing was changed.\n")
        with pytest.raises(CommandError, match="needs a reason"):
            told("erase", EMAIL)
        assert "Delete them at Stripe too, or a resync brings them back: cus_ada." in told(
            "erase", EMAIL, "--reason", "x"
        )
        assert "Nothing is left to erase" in told("erase", EMAIL, "--reason", "x")

    def test_overwrites_no_file(self, ada, tmp_path):
        told("export", str(ada.pk), str(tmp_path / "ada.json"))

        with pytest.raises(CommandError, match="cannot be written: File exists"):
            told("export", EMAIL, str(tmp_path / "ada.json"))
        assert (tmp_path / "ada.json").stat().st_mode & 0o777 == 0o600


class TestPage:
    @time_machine.travel(LATER)
    def test_exports_and_erases_after_a_preview(self, ada, client):
        client.force_login(make_staff())
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
        address = reverse("admin:accounts_user_changelist")
        chosen = {"_selected_action": [ada.pk]}

        file = client.post(address, {"action": "export_person_action", **chosen})
        assert json.loads(file.content)["account"]["email"] == EMAIL

        page = client.post(address, {"action": "erase_person_action", **chosen})
        token = page.context["form"].initial["preview_token"]
        asked = {"action": "erase_person_action", "confirmed": "1", "reason": "she asked", **chosen}
        outdated = client.post(address, {**asked, "preview_token": "{}"})
        assert outdated.context["form"].initial["preview_token"] == token
        done = client.post(address, {**asked, "preview_token": json.dumps(token)}, follow=True)

        assert "Erased from" in done.content.decode()
        assert everywhere(EMAIL, NAME, CHILD) == set()
        assert LogEntry.objects.filter(change_message__contains="she asked").exists()

    def test_says_why_not_yet(self, ada, client):
        client.force_login(make_staff())
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
        Dispute.objects.update(phase=DisputePhase.OPEN)
        OrderException.objects.update(is_open=True)

        page = client.post(
            reverse("admin:accounts_user_changelist"),
            {"action": "erase_person_action", "_selected_action": [ada.pk]}, follow=True,
        )  # fmt: skip

        assert "A question is open" in page.content.decode()
