"""The names under which events find what they are about."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Reference(models.Model):
    """A name of an order, a subscription or a customer: Stripe's ids, `order:<public id>`, `registration:<id>`."""

    name = models.CharField(_("name"), max_length=255, primary_key=True)
    order = models.ForeignKey(
        "payments.Order", models.CASCADE, null=True, blank=True, related_name="references", verbose_name=_("order")
    )
    subscription = models.ForeignKey(
        "payments.Subscription", models.CASCADE, null=True, blank=True, related_name="references",
        verbose_name=_("subscription"),
    )  # fmt: skip
    customer = models.ForeignKey(
        "payments.Customer", models.CASCADE, null=True, blank=True, related_name="references",
        verbose_name=_("customer"),
    )  # fmt: skip
    attempt = models.PositiveIntegerField(_("attempt"), null=True, blank=True)
    payment = models.CharField(
        _("payment"),
        max_length=255,
        blank=True,
        help_text=_("The payment that it belongs to, where that has another name."),
    )

    class Meta:
        verbose_name = _("reference")
        verbose_name_plural = _("references")
        constraints = [
            models.CheckConstraint(
                name="reference_names_one_thing",
                condition=Q(order__isnull=False, subscription__isnull=True, customer__isnull=True)
                | Q(order__isnull=True, subscription__isnull=False, customer__isnull=True)
                | Q(order__isnull=True, subscription__isnull=True, customer__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.name
