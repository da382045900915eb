"""The one table."""

from django.db import models


class StripeEvent(models.Model):
    """An event as it came."""

    stripe_event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=120, db_index=True)
    payload = models.JSONField()
    processed = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.stripe_event_id
