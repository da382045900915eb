"""What the last look at our endpoints at Stripe has found."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class EndpointLook(models.Model):
    """The one row. `differences`: as of `payments.endpoints.compare.Difference`."""

    at = models.DateTimeField()
    differences = models.JSONField(default=list)

    class Meta:
        verbose_name = _("look at the endpoints")
        verbose_name_plural = _("looks at the endpoints")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
