"""Activities with limited places, and registrations: one place in one activity for one person."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MinLengthValidator
from django.db import models, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Lower, Upper
from django.db.models.lookups import Exact
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from accounts.fields import LowercaseEmailField
from accounts.personal import shown_name
from accounts.pictures.models import Picture
from payments.money import Chargeable, format_amount
from payments.names import REGISTRATION
from payments.orders.opening import give_names
from registrations.details import ActivityDetails, SearchField, folded


class LateMoney(models.TextChoices):
    """What to do with money that arrives when no place is left."""

    ASK = "ask", _("Ask staff")
    REFUND = "refund", _("Refund automatically")


class Sale(StrEnum):
    """What the public is told about an activity's places."""

    OPEN = "open"
    FULL = "full"
    PAUSED = "paused"
    ENDED = "ended"
    CALLED_OFF = "called_off"

    @property
    def is_closed(self) -> bool:
        """Nobody can register, nor wait for a place."""
        return self not in (Sale.OPEN, Sale.FULL)


class EmailState(models.TextChoices):
    """Whether somebody who reads mail at the address has said that they want what was asked for in its name."""

    NOT_ASKED = "", _("Not asked")
    ASKED = "asked", _("Link not opened yet")
    CONFIRMED = "confirmed", _("Confirmed")


class ActivityQuerySet(models.QuerySet["Activity"]):
    """What the public is shown of activities."""

    def coming(self, *, at: datetime) -> "ActivityQuerySet":
        """Those on sale, the next one first: what is not, may not be announced yet."""
        on_sale = self.filter(is_on_sale=True, called_off_at=None, starts_at__gt=at)
        return on_sale.order_by("starts_at", "pk")

    def matching(self, text: str) -> "ActivityQuerySet":
        """Those in which each of the words occurs, in any language, accents or not."""
        return self.filter(*(Q(search_text__contains=word) for word in folded(text).split()))

    def free_ones_first(self) -> "ActivityQuerySet":
        """Those that are full (`is_full`, also where somebody waits) come last."""
        is_full = Q(places_taken__gte=F("capacity")) | Q(_somebody_waits())
        annotated = self.annotate(is_full=Case(When(is_full, then=True), default=False))
        return annotated.order_by("is_full", "starts_at", "pk")

    def with_waiting(self) -> "ActivityQuerySet":
        """Each with `has_waiting`: one statement reads places and waiting people, so what is said of them agrees."""
        return self.annotate(has_waiting=_somebody_waits())

    def awaited(self) -> "ActivityQuerySet":
        """Those for which somebody waits for an offer."""
        return self.filter(_somebody_waits())


def _somebody_waits() -> Exists:
    return Exists(WaitingEntry.objects.waiting().filter(activity=OuterRef("pk")))


class Activity(ActivityDetails, Chargeable, models.Model):
    """What people register for. `price` in minor units; `places_taken` moves only with a registration."""

    price_field = "price"
    slug = models.SlugField(_("address"), unique=True)
    title = models.CharField(_("title"), max_length=200)
    summary = models.CharField(_("in a sentence"), max_length=300, blank=True, default="", db_default="")
    description = models.TextField(_("description"), blank=True)
    # By language what differs there: {"fr": {"title": …, "summary": …, "description": …}}.
    translations = models.JSONField(default=dict, db_default={}, blank=True)
    picture = models.ForeignKey(
        Picture, models.PROTECT, null=True, blank=True, related_name="activities", verbose_name=_("picture"),
        db_index=False,  # few rows, looked for only where a picture is taken away
    )  # fmt: skip
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    # How often a date or a place was changed: calendars take the greater number.
    moves = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    place = models.CharField(_("where"), max_length=200, blank=True)
    address = models.CharField(_("street and house"), max_length=200, blank=True, default="", db_default="")
    city = models.CharField(_("city"), max_length=100, blank=True, default="", db_default="")
    price = models.PositiveBigIntegerField(_("price"), help_text=_("In the smallest unit: 4900 is 49.00 EUR."))
    currency = models.CharField(_("currency"), max_length=3, default="eur", validators=[MinLengthValidator(3)])
    capacity = models.PositiveIntegerField(_("places"))
    places_taken = models.PositiveIntegerField(_("places taken"), default=0, editable=False)
    refund_days = models.PositiveSmallIntegerField(_("refund until"), null=True, blank=True)
    late_money = models.CharField(_("late payments"), max_length=10, choices=LateMoney.choices, default=LateMoney.ASK)
    is_on_sale = models.BooleanField(_("on sale"), default=True)
    called_off_at = models.DateTimeField(_("called off"), null=True, blank=True, editable=False)
    called_off_reason = models.CharField(_("called off because"), max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    search_text = SearchField(default="", db_default="", editable=False)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        constraints = [
            models.CheckConstraint(name="activity_never_oversold", condition=Q(places_taken__lte=F("capacity"))),
        ]
        permissions = [
            ("call_off_activity", gettext_noop("Can call an activity off")),
            ("offer_place", gettext_noop("Can offer free places to the waiting list at once")),
            ("export_participants", gettext_noop("Can download an activity's participants")),
            ("print_participants", gettext_noop("Can print the list for the door")),
        ]

    def __str__(self) -> str:
        return self.title

    def has_waiting_people(self) -> bool:
        """Whether somebody still waits for an offer: then it is full for everybody else. One query."""
        return WaitingEntry.objects.waiting().filter(activity=self).exists()

    def sale_at(self, at: datetime, *, has_waiting: bool = False) -> Sale:
        """Whether one can register at that moment, and if not, why.

        `has_waiting`: somebody is on its waiting list, who comes first; then it is full for everybody else.
        """
        if self.called_off_at:
            return Sale.CALLED_OFF
        if self.starts_at <= at:
            return Sale.ENDED
        if not self.is_on_sale:
            return Sale.PAUSED
        return Sale.FULL if has_waiting or self.places_left < 1 else Sale.OPEN

    @property
    def places_left(self) -> int:
        """How many people can still register."""
        return self.capacity - self.places_taken

    @property
    def price_text(self) -> str:
        """The price in words for people."""
        return format_amount(self.price, self.currency)


class RegistrationStatus(models.TextChoices):
    """The order's status as staff see it: a dispute shows as a failure (mission B6), a place given up as canceled."""

    PENDING = "PENDING", _("Waiting for payment")
    ACTION_REQUIRED = "ACTION_REQUIRED", _("Buyer must act")
    PROCESSING = "PROCESSING", _("Payment under way")
    FAILED = "FAILED", _("Failed")
    EXPIRED = "EXPIRED", _("Expired")
    CANCELED = "CANCELED", _("Canceled")
    PAID = "PAID", _("Paid")
    REFUNDED = "REFUNDED", _("Refunded")


HIDDEN_STATUSES = (RegistrationStatus.EXPIRED, RegistrationStatus.CANCELED)


class RegistrationQuerySet(models.QuerySet["Registration"]):
    """The lists that people ask for."""

    def live(self) -> "RegistrationQuerySet":
        """Without those that ended unpaid: kept as evidence, hidden from every normal list (mission B3, B5)."""
        return self.exclude(status__in=HIDDEN_STATUSES)

    def placed(self, activity: Activity, *, name: str, email: str) -> "RegistrationQuerySet":
        """What this person holds there, or has paid for and comes first."""
        has_or_comes_first = Q(holds_place=True) | Q(waits_since__isnull=False)
        return self.filter(has_or_comes_first, is_called(name), activity=activity, email=email.lower())


def is_called(name: str) -> Exact:
    """As the database's own constraints compare names; `iexact` folds some letters otherwise."""
    return Exact(Lower("name"), Lower(Value(name)))


# Of the orders that pay registrations.
ORDER_KIND = "registration"


class Registration(models.Model):
    """One place in one activity for one person; follows its order."""

    public_id = models.UUIDField(_("public id"), unique=True, default=uuid.uuid4, editable=False)
    external_id = models.CharField(_("id in the old system"), max_length=255, null=True, blank=True, unique=True)
    activity = models.ForeignKey(Activity, models.PROTECT, related_name="registrations", verbose_name=_("activity"))
    order = models.OneToOneField("payments.Order", models.PROTECT, related_name="registration", verbose_name=_("order"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="registrations"
    )
    name = models.CharField(_("name"), max_length=200)
    email = LowercaseEmailField(_("e-mail"))
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES)
    status = models.CharField(
        _("status"), max_length=20, choices=RegistrationStatus.choices, default=RegistrationStatus.PENDING
    )
    holds_place = models.BooleanField(_("holds a place"), default=False)
    waits_since = models.DateTimeField(_("paid, waits for a place since"), null=True, blank=True)
    times_waited = models.PositiveSmallIntegerField(_("times it waited for a place"), default=0)
    held_until = models.DateTimeField(_("place held until"), null=True, blank=True)
    # Of what cost nothing: no money comes or goes, so only this says that the person does not come.
    given_up_at = models.DateTimeField(_("place given up"), null=True, blank=True)
    # Of what costs money the payment is the confirmation, so nobody is asked.
    email_state = models.CharField(
        _("address confirmed"),
        max_length=10,
        choices=EmailState.choices,
        blank=True,
        default=EmailState.NOT_ASKED,
        db_default="",
    )
    # When somebody who reads mail at the address has gone on with it: from then on only links sent there lead to it.
    address_proven_at = models.DateTimeField(null=True, blank=True, editable=False)
    # By whom it was begun (registrations/visitors.py): fingerprints, since neither is anything to keep.
    client = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    browser = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(_("created"))

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        constraints = [
            models.UniqueConstraint(
                "activity",
                Lower("email"),
                Lower("name"),
                name="one_place_a_person",
                condition=Q(holds_place=True),
            ),
            models.CheckConstraint(
                name="who_waits_holds_no_place", condition=Q(holds_place=False) | Q(waits_since__isnull=True)
            ),
            models.CheckConstraint(
                name="who_gave_up_does_not_wait", condition=Q(given_up_at__isnull=True) | Q(waits_since__isnull=True)
            ),
        ]
        permissions = [
            ("free_place", gettext_noop("Can free a place that is not paid for")),
            ("resend_message", gettext_noop("Can send a registration's e-mail again")),
            ("correct_address", gettext_noop("Can correct the address of a registration")),
        ]
        indexes = [
            # Who waits for a place? Asked in every batch that touches an activity, so it must stay small.
            models.Index(
                fields=["activity", "waits_since"],
                name="registration_waits",
                condition=Q(waits_since__isnull=False),
            ),
            models.Index(fields=["status", "id"], name="registration_status"),
            models.Index(fields=["email"], name="registration_email"),
            # Staff search by a part of either.
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="registration_name_parts"),
            GinIndex(OpClass(Upper("email"), "gin_trgm_ops"), name="registration_email_parts"),
            models.Index(fields=["activity", "status"], name="registration_activity_status"),
            # How many places does one client hold? Asked by every registration.
            models.Index(fields=["client"], name="registration_client", condition=Q(holds_place=True) & ~Q(client="")),
        ]

    def __str__(self) -> str:
        return f"{shown_name(self.name)} – {self.activity_id} ({self.public_id})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Whoever sets its id in the old system lets events find it by that, those as well that came before."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            if self.external_id:
                give_names(self.order, [f"{REGISTRATION}{self.external_id}"], at=self.created_at)

    @property
    def is_unconfirmed(self) -> bool:
        """Whether it only counts once its address is confirmed."""
        return self.email_state == EmailState.ASKED

    @property
    def status_text(self) -> str:
        """The status in words; nobody waits for the payment of what costs nothing."""
        if self.status == RegistrationStatus.PENDING and not self.order.amount:
            return gettext("Waiting for confirmation")
        return str(RegistrationStatus(self.status).label)


class WaitingEntryQuerySet(models.QuerySet["WaitingEntry"]):
    """The waiting list."""

    def waiting(self) -> "WaitingEntryQuerySet":
        """Who still waits for an offer; whose address is not confirmed takes nobody's turn."""
        return self.filter(offered__isnull=True).exclude(email_state=EmailState.ASKED)

    def ahead_of(self, entry: "WaitingEntry") -> "WaitingEntryQuerySet":
        """Who is offered a place of the same activity before."""
        is_older = Q(created_at__lt=entry.created_at) | Q(created_at=entry.created_at, pk__lt=entry.pk)
        return self.waiting().filter(is_older, activity=entry.activity_id)


class WaitingEntry(models.Model):
    """Somebody who wants a place in a full activity. `offered`: the registration that holds a freed place for them."""

    activity = models.ForeignKey(Activity, models.CASCADE, related_name="waiting", verbose_name=_("activity"))
    name = models.CharField(_("name"), max_length=200)
    email = LowercaseEmailField(_("e-mail"))
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES)
    offered = models.OneToOneField(
        Registration, models.SET_NULL, null=True, blank=True, related_name="waited", verbose_name=_("offer")
    )
    email_state = models.CharField(
        _("address confirmed"),
        max_length=10,
        choices=EmailState.choices,
        blank=True,
        default=EmailState.NOT_ASKED,
        db_default="",
    )
    created_at = models.DateTimeField(_("since"))

    objects = WaitingEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("waiting person")
        verbose_name_plural = _("waiting list")
        constraints = [
            models.UniqueConstraint(
                "activity", Lower("email"), Lower("name"), name="waits_once", condition=Q(offered__isnull=True)
            )
        ]
        indexes = [
            models.Index(fields=["activity", "created_at"], name="waiting_next", condition=Q(offered__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{shown_name(self.name)} – {self.activity_id}"

    @property
    def is_unconfirmed(self) -> bool:
        """Whether it only counts once its address is confirmed."""
        return self.email_state == EmailState.ASKED
