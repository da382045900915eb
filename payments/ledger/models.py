"""The ledger: every Stripe event as it came, and every try to process it. It is also the queue."""

import datetime as dt

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from payments.statuses import EVENT_FAILING, EventStatus

DUE_STATUSES = (EventStatus.RECEIVED, EventStatus.FAILED)
# Why an event was ignored that may yet turn out to be ours.
UNMATCHED, FOREIGN_SITE = "unmatched", "made by another site"
UNKNOWN_ORDER = "UnknownOrder"
# In the place of a payload that was purged: when that was, ISO.
PURGED_AT = "purged_at"
# As a held type: every type.
ALL_TYPES = "*"
NOT_PROCESSED = (EventStatus.IGNORED, EventStatus.FAILED, EventStatus.DEAD, EventStatus.HELD)
# What has failed and may be tried again: what stands in a failure group (payments.processing.failure_groups).
HAS_FAILED = Q(status__in=list(EVENT_FAILING))
# What waits for one of its names to become known; whatever the next try ends with, it sets these anew.
WAITS_FOR_A_NAME = Q(error_kind=UNKNOWN_ORDER) | Q(ignored_reason__in=[UNMATCHED, FOREIGN_SITE])


class EventSource(models.TextChoices):
    """How an event came to us."""

    WEBHOOK = "webhook", _("Webhook")
    BACKFILL = "backfill", _("Back-fill")
    IMPORT = "import", _("Import")


OTHER_SOURCES = (EventSource.BACKFILL, EventSource.IMPORT)


class Trigger(models.TextChoices):
    """Why an event is tried."""

    DELIVERY = "delivery", _("Delivery")
    RETRY = "retry", _("Retry")
    REPLAY = "replay", _("Replay")
    RESYNC = "resync", _("Resync")
    DRAIN = "drain", _("Release of held events")
    REFERENCE = "reference", _("A name that it mentions became known")


class PaymentEvent(models.Model):
    """One Stripe event, kept before it is acknowledged; `payload` is the event as received, secrets removed."""

    stripe_event_id = models.CharField(_("Stripe event"), max_length=255, unique=True)
    type = models.CharField(_("type"), max_length=120)
    api_version = models.CharField(_("API version"), max_length=60, blank=True)
    livemode = models.BooleanField(_("live mode"), default=False)
    account = models.CharField(_("connected account"), max_length=255, blank=True)
    object_id = models.CharField(_("object"), max_length=255, blank=True)
    payload = models.JSONField(_("payload"))
    body_sha256 = models.CharField(_("hash of the body"), max_length=64)
    source = models.CharField(_("source"), max_length=12, choices=EventSource.choices, default=EventSource.WEBHOOK)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    occurred_at = models.DateTimeField(_("occurred"))
    received_at = models.DateTimeField(_("received"))

    status = models.CharField(_("state"), max_length=10, choices=EventStatus.choices, default=EventStatus.RECEIVED)
    ignored_reason = models.CharField(_("ignored because"), max_length=200, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"))
    processed_at = models.DateTimeField(_("processed"), null=True, blank=True)
    error_kind = models.CharField(_("kind of error"), max_length=120, blank=True)
    error = models.TextField(_("error"), blank=True)
    # What fails in the same way has the same one; "" for what has not failed.
    error_group = models.CharField(max_length=16, default="", db_default="", blank=True, editable=False)

    order = models.ForeignKey(
        "payments.Order",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="events",
        verbose_name=_("order"),
    )
    subscription = models.ForeignKey(
        "payments.Subscription", models.SET_NULL, null=True, blank=True, related_name="events",
        verbose_name=_("subscription"),
    )  # fmt: skip
    references = ArrayField(models.CharField(max_length=255), verbose_name=_("names"), default=list, blank=True)
    # Every id in the payload, ours with their prefix (`order:…`): what people search by.
    mentions = ArrayField(models.CharField(max_length=255), default=list, db_default=[], blank=True, editable=False)
    trigger = models.CharField(max_length=12, choices=Trigger.choices, default=Trigger.DELIVERY)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    requested_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("payment event")
        verbose_name_plural = _("payment events")
        permissions = [("replay_paymentevent", gettext_noop("Can replay payment events"))]
        constraints = [
            models.CheckConstraint(name="event_id_is_a_stripe_event", condition=Q(stripe_event_id__startswith="evt_")),
        ]
        indexes = [
            # The queue: only open rows, so that it costs the same with no and with ten million rows behind it.
            models.Index(
                fields=["next_attempt_at", "id"],
                name="event_due",
                condition=Q(status__in=[EventStatus.RECEIVED, EventStatus.FAILED]),
            ),
            GinIndex(fields=["references"], name="event_waits_for_a_name", condition=WAITS_FOR_A_NAME),
            GinIndex(fields=["mentions"], name="event_mentions"),
            models.Index(
                fields=["processed_at"],
                name="event_unmatched_since",
                condition=Q(status=EventStatus.IGNORED, ignored_reason=UNMATCHED),
            ),
            models.Index(fields=["type", "id"], name="event_held", condition=Q(status=EventStatus.HELD)),
            # The failure groups, each in the order in which its events happened; it counts the given up by itself.
            models.Index(
                fields=["error_group", "occurred_at", "id"],
                name="event_failures",
                condition=HAS_FAILED,
                include=["status"],
            ),
            # What succeeded although it had failed before.
            models.Index(
                fields=["processed_at"],
                name="event_retried",
                condition=Q(status=EventStatus.PROCESSED, attempts__gt=1),
            ),
            # The filters of the staff's list, newest first; most rows are processed and came by the webhook.
            models.Index(fields=["type", "id"], name="event_type"),
            models.Index(fields=["status", "id"], name="event_not_processed", condition=Q(status__in=NOT_PROCESSED)),
            models.Index(fields=["source", "id"], name="event_otherwise", condition=Q(source__in=OTHER_SOURCES)),
            models.Index(fields=["received_at"], name="event_received"),
            models.Index(fields=["object_id"], name="event_object"),
            models.Index(fields=["request_id"], name="event_request", condition=~Q(request_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.stripe_event_id} {self.type}"

    @property
    def purged_at(self) -> dt.datetime | None:
        """Since when only the skeleton is here; None: the payload is as it came."""
        told = self.payload.get(PURGED_AT)
        return dt.datetime.fromisoformat(told) if told else None

    @property
    def lag(self) -> dt.timedelta | None:
        """From receipt to the end of processing; None while it is open."""
        return self.processed_at - self.received_at if self.processed_at else None


class Redelivery(models.Model):
    """One more delivery of an event that was known: by its own request id it leads to the event."""

    event = models.ForeignKey(PaymentEvent, models.CASCADE, related_name="redeliveries", verbose_name=_("event"))
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    received_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("redelivery")
        verbose_name_plural = _("redeliveries")
        indexes = [models.Index(fields=["request_id"], name="redelivery_request", condition=~Q(request_id=""))]

    def __str__(self) -> str:
        return f"{self.event_id} {self.request_id}"


class AttemptOutcome(models.TextChoices):
    """How one try ended."""

    PROCESSED = "PROCESSED", _("Processed")
    IGNORED = "IGNORED", _("Ignored")
    FAILED = "FAILED", _("Failed")
    DEAD = "DEAD", _("Given up")
    HELD = "HELD", _("Held back")


class EventAttempt(models.Model):
    """One try to process an event: what asked for it, how it ended and what it changed."""

    event = models.ForeignKey(PaymentEvent, models.CASCADE, related_name="attempt_rows", verbose_name=_("event"))
    number = models.PositiveIntegerField(_("number"))
    trigger = models.CharField(_("trigger"), max_length=12, choices=Trigger.choices)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    requested_reason = models.CharField(_("why"), max_length=500, blank=True)
    started_at = models.DateTimeField(_("started"))
    duration_us = models.PositiveIntegerField(_("duration (µs)"), default=0)
    outcome = models.CharField(_("outcome"), max_length=10, choices=AttemptOutcome.choices)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    error_kind = models.CharField(_("kind of error"), max_length=120, blank=True)
    error = models.TextField(_("error"), blank=True)
    changes = models.JSONField(_("changes"), default=list, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        indexes = [models.Index(fields=["event", "number"], name="attempt_of_event")]

    def __str__(self) -> str:
        return f"{self.event_id}/{self.number} {self.outcome}"


class HeldType(models.Model):
    """Events of this type ("*": of every type) are set aside instead of processed, until they are released, which
    removes the row.

    `ends_at`: when somebody should have released them; they are warned. `incident`: the one that holds them.
    `failure_group`: the failures because of which the type is held by itself (payments/processing/auto_hold.py).
    """

    type = models.CharField(_("event type"), max_length=120, primary_key=True)
    held_at = models.DateTimeField(_("since"), auto_now_add=True)
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("held by")
    )
    reason = models.CharField(_("reason"), max_length=500)
    ends_at = models.DateTimeField(_("expected end"), null=True, blank=True)
    incident = models.ForeignKey(
        "payments.Incident", models.SET_NULL, null=True, blank=True, related_name="holds", editable=False,
        verbose_name=_("incident"),
    )  # fmt: skip
    failure_group = models.CharField(max_length=16, default="", db_default="", blank=True, editable=False)

    class Meta:
        verbose_name = _("held event type")
        verbose_name_plural = _("held event types")
        permissions = [("release_heldtype", gettext_noop("Can release a held event type"))]

    def __str__(self) -> str:
        return self.type


class RefusedDeliveries(models.Model):
    """How many deliveries of one hour were refused for one reason; the hints are of the last one, and no body is kept.

    Counted in memory by each web process, and written every few seconds at most (payments.ledger.refusals).
    """

    hour = models.DateTimeField(_("hour"))
    code = models.CharField(_("reason"), max_length=40)
    count = models.PositiveBigIntegerField(_("how often"))
    last_at = models.DateTimeField(_("last"))
    host = models.CharField(_("host"), max_length=100, blank=True)
    path = models.CharField(_("path"), max_length=100, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("refused deliveries")
        verbose_name_plural = _("refused deliveries")
        permissions = [("diagnose", gettext_noop("Can ask why something is not as it should be"))]
        constraints = [models.UniqueConstraint(fields=["hour", "code"], name="refusals_once_an_hour")]
        indexes = [models.Index(fields=["request_id"], name="refusals_request", condition=~Q(request_id=""))]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}:00 {self.code}"
