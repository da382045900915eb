"""All that the emulator remembers: objects, events, deliveries, timers, answers under a key, and its settings."""

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stripe_emulator.errors import Json


class StoredObject(models.Model):
    """One Stripe object. `data` is what the API shows, in the pinned shape and nothing expanded; `hidden` is ours.

    `ahead` is how far the emulator's clock was ahead of the real one when the object was born, in seconds: an
    object grows older by what is advanced during its life, and a new one always begins now.
    """

    number = models.BigAutoField(primary_key=True)
    stripe_id = models.CharField(max_length=255, unique=True)
    kind = models.CharField(max_length=60, help_text="Stripe's word in `object`.")
    created = models.BigIntegerField(help_text="Unix time, as in `data`.")
    ahead = models.BigIntegerField(default=0)
    data = models.JSONField()
    hidden = models.JSONField(default=dict)
    is_deleted = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["kind", "-created", "-number"], name="emulator_newest"),
            GinIndex(fields=["data"], name="emulator_contains", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        return self.stripe_id

    # Mutators

    def change(self, **fields: Any) -> Json:
        """Set fields of `data` and save. Returns what was different before, as `previous_attributes` tells it."""
        previous = {name: self.data.get(name) for name, value in fields.items() if self.data.get(name) != value}
        self.data |= fields
        self.save(update_fields=["data"])
        return previous

    def remember(self, **hidden: Any) -> None:
        """Set what only the emulator knows, and save."""
        self.hidden |= hidden
        self.save(update_fields=["hidden"])


class Event(models.Model):
    """One event, immutable. `object` and `hidden` are what its object was at that moment."""

    number = models.BigAutoField(primary_key=True)
    stripe_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=120)
    created = models.BigIntegerField()
    api_version = models.CharField(max_length=40, help_text="The account's at that moment: how lists show it.")
    object_id = models.CharField(max_length=255, blank=True)
    object = models.JSONField()
    hidden = models.JSONField(default=dict)
    previous = models.JSONField(null=True, default=None)
    request_id = models.CharField(max_length=255, blank=True, help_text="Empty: Stripe itself.")
    idempotency_key = models.CharField(max_length=255, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created", "-number"], name="emulator_events"),
            models.Index(fields=["object_id"], name="emulator_events_about"),
        ]

    def __str__(self) -> str:
        return f"{self.stripe_id} {self.type}"


class DeliveryState(models.TextChoices):
    """What has become of a delivery."""

    PENDING = "pending", _("pending")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")
    DROPPED = "dropped", _("dropped")
    STOPPED = "stopped", _("stopped")


class Delivery(models.Model):
    """One event on its way to one endpoint; the same event may be on its way several times (chaos, sent again)."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(StoredObject, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=20, choices=DeliveryState, default=DeliveryState.PENDING)
    position = models.FloatField(help_text="Its place in the queue; chaos moves it.")
    due_at = models.BigIntegerField(help_text="Unix time by the emulator's clock.")
    attempt_count = models.PositiveIntegerField(default=0)
    variation = models.JSONField(default=dict, help_text="What chaos makes of it.")

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "position"], name="emulator_due", condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} → {self.endpoint_id} ({self.pk})"


class DeliveryAttempt(models.Model):
    """One try and its answer. No `status_code`: there was none, `error` says why."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    sent_at = models.DateTimeField()
    seconds = models.FloatField()
    status_code = models.PositiveIntegerField(null=True)
    answer = models.TextField(blank=True)
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.status_code or self.error}"

    @property
    def is_accepted(self) -> bool:
        """Whether the answer was 2xx."""
        return self.status_code is not None and 200 <= self.status_code < 300


class Timer(models.Model):
    """Something that happens to an object by itself, such as the end of a session."""

    about = models.ForeignKey(StoredObject, on_delete=models.CASCADE, related_name="timers")
    kind = models.CharField(max_length=60)
    due_at = models.BigIntegerField(db_index=True, help_text="Unix time by the emulator's clock.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["about", "kind"], name="one_timer_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.about_id}"


class KeptAnswer(models.Model):
    """The answer to a POST with an idempotency key: https://docs.stripe.com/api/idempotent_requests"""

    key = models.CharField(max_length=255, unique=True)
    fingerprint = models.CharField(max_length=64, help_text="Hash of method, path and parameters.")
    status = models.PositiveIntegerField()
    body = models.JSONField()
    request_id = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.key


class Emulation(models.Model):
    """The one row of settings that every process shares."""

    ahead = models.BigIntegerField(default=0, help_text="Seconds that were advanced so far.")
    chaos = models.JSONField(default=dict)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_emulation")]

    def __str__(self) -> str:
        return f"{self.ahead} s ahead"

    @classmethod
    def current(cls, *, lock: bool = False) -> "Emulation":
        """The row, made when first asked for."""
        rows = Emulation.objects.select_for_update() if lock else Emulation.objects.all()
        if (found := rows.filter(id=1).first()) is None:
            Emulation.objects.bulk_create([Emulation(id=1)], ignore_conflicts=True)
            found = rows.get(id=1)
        return found
