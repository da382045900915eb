"""The walks through what is done with activities, registrations, accesses, tokens and keys."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from modules_access.models import AccessToken, Module, ModuleAccess, Scope, ServiceKey
from payments.effects.deliver import RESENT
from payments.statuses import OrderStatus
from registrations.models import Registration, WaitingEntry
from tests.staff_browser.clerk import REASON, Clerk, walk
from tests.support.factories import ActivityFactory, RegistrationFactory
from tests.support.modules import make_buyer, make_grant, make_learner
from tests.support.road import NOON, event_of, hear

LEARNER = {"email": "learner@example.com"}


@walk("activity.call_off_action")
def call_off(clerk: Clerk) -> None:
    activity = ActivityFactory.create()
    hear(event_of(RegistrationFactory.create(activity=activity), "checkout.session.completed"))

    clerk.does(activity)

    activity.refresh_from_db()
    assert activity.called_off_reason == REASON


@walk("activity.offer_action")
def offer_places(clerk: Clerk) -> None:
    activity = ActivityFactory.create(starts_at=timezone.now() + timedelta(days=30))
    entry = WaitingEntry.objects.create(
        activity=activity, name="Iris Weber", email="waits@example.com", language="fr", created_at=NOON
    )

    clerk.does(activity)

    entry.refresh_from_db()
    assert entry.offered


@walk("registration.free_action")
def free_a_place(clerk: Clerk) -> None:
    registration = RegistrationFactory.create()

    clerk.does(registration)

    registration.refresh_from_db()
    assert not registration.holds_place


@walk("registration.resend_action")
def resend_a_confirmation(clerk: Clerk) -> None:
    registration = RegistrationFactory.create(order__status=OrderStatus.PAID)

    clerk.does(registration)

    assert registration.order.effects.filter(key__contains=RESENT).count() == 1


@walk("registration.address_action")
def correct_an_address(clerk: Clerk) -> None:
    registration = Registration.objects.get(name="Max Meyer")

    clerk.does(registration, email="max@example.com")

    registration.refresh_from_db()
    assert registration.email == "max@example.com"


@walk("moduleaccess.add")
def give_an_access(clerk: Clerk) -> None:
    module = Module.objects.get(slug="drawing")

    clerk.adds(ModuleAccess, module=str(module.pk), email="boss@example.com", reason=REASON)

    clerk.is_told()
    assert module.accesses.get(user__email="boss@example.com").is_active


@walk("moduleaccess.extend_action")
def extend_an_access(clerk: Clerk) -> None:
    ends = timezone.now() + timedelta(days=3)
    access = make_grant(User.objects.get(**LEARNER), Module.objects.get(slug="drawing"), expires_at=ends)

    clerk.does(access, until=f"{ends + timedelta(days=30):%Y-%m-%dT%H:%M}")

    assert ModuleAccess.objects.filter(pk=access.pk, expires_at__gt=ends + timedelta(days=28)).exists()


@walk("moduleaccess.revoke_action")
def take_an_access_back(clerk: Clerk) -> None:
    access = make_grant(User.objects.get(**LEARNER), Module.objects.get(slug="drawing"))

    clerk.does(access)

    access.refresh_from_db()
    assert not access.is_active


@walk("missing.repair")
def repair_what_is_missing(clerk: Clerk) -> None:
    order = make_buyer(make_learner("buyer@example.com"), Module.objects.get(slug="drawing")).order
    order.module_accesses.all().delete()
    clerk.opens("modules_access_paid_without")

    clerk.presses_button("Repair all that are shown…")
    clerk.confirms()

    clerk.is_told()
    assert order.module_accesses.get().is_active


@walk("accesstoken.add")
def create_a_token(clerk: Clerk) -> None:
    clerk.adds(AccessToken, module=str(Module.objects.get(slug="drawing").pk), reason=REASON, **LEARNER)

    clerk.is_shown_a_secret()
    assert AccessToken.objects.get(reason=REASON).is_usable(at=timezone.now())


@walk("accesstoken.revoke_action")
def revoke_a_token(clerk: Clerk) -> None:
    token = AccessToken.objects.earliest("pk")

    clerk.does(token)

    token.refresh_from_db()
    assert token.revoked_at


@walk("servicekey.add")
def create_a_key(clerk: Clerk) -> None:
    clerk.adds(ServiceKey, name="library", scopes=Scope.VERIFY, reason=REASON)

    clerk.is_shown_a_secret()
    assert ServiceKey.objects.get(name="library").scopes == [Scope.VERIFY]


@walk("servicekey.rotate_action")
def rotate_a_key(clerk: Clerk) -> None:
    key = ServiceKey.objects.get(name="school")

    clerk.agrees(key)

    clerk.is_shown_a_secret()
    assert ServiceKey.objects.filter(name="school").count() == 2


@walk("servicekey.revoke_action")
def revoke_a_key(clerk: Clerk) -> None:
    key = ServiceKey.objects.get(name="shop")

    clerk.does(key)

    key.refresh_from_db()
    assert key.revoked_at
