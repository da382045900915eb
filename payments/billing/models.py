"""Money and what became of it: one row per payment, refund and dispute. Amounts in minor units.

Each belongs to an order or to a subscription.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from payments.billing.subscriptions import Subscription
from payments.statuses import DisputePhase, RefundStatus

BELONGS = Q(order__isnull=False, subscription__isnull=True) | Q(order__isnull=True, subscription__isnull=False)


class Payment(models.Model):
    """The money of one PaymentIntent of an order (or of a session that names none), or of a subscription's invoice.

    The only source of revenue figures. `key`: `pi_…`, `cs_…` or `in_…`.
    """

    key = models.CharField(_("payment"), max_length=255, unique=True)
    order = models.ForeignKey(
        "payments.Order", models.CASCADE, null=True, blank=True, related_name="payments", verbose_name=_("order")
    )
    subscription = models.ForeignKey(
        Subscription, models.CASCADE, null=True, blank=True, related_name="payments", verbose_name=_("subscription")
    )
    session = models.CharField(_("session"), max_length=255, blank=True)
    charge = models.CharField(_("charge"), max_length=255, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    received = models.PositiveBigIntegerField(_("received"), default=0)
    charge_refunded = models.PositiveBigIntegerField(_("refunded, says the charge"), default=0)
    refunded = models.PositiveBigIntegerField(_("refunded"), default=0)
    off_stripe = models.PositiveBigIntegerField(_("of it by another way"), default=0)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.CheckConstraint(
                name="payment_refunds_at_most_what_it_received", condition=Q(refunded__lte=F("received"))
            ),
            models.CheckConstraint(name="payment_belongs", condition=BELONGS),
        ]
        indexes = [models.Index(fields=["paid_at"], name="payment_paid")]

    def __str__(self) -> str:
        return self.key

    @property
    def left(self) -> int:
        """What was received and not given back."""
        return self.received - self.refunded


class Refund(models.Model):
    """One refund; `payment` is the key of the payment that it gives back from."""

    stripe_id = models.CharField(_("refund"), max_length=255, unique=True)
    order = models.ForeignKey(
        "payments.Order", models.CASCADE, null=True, blank=True, related_name="refunds", verbose_name=_("order")
    )
    subscription = models.ForeignKey(
        Subscription, models.CASCADE, null=True, blank=True, related_name="refunds", verbose_name=_("subscription")
    )
    payment = models.CharField(_("payment"), max_length=255)
    amount = models.PositiveBigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(_("state"), max_length=20, choices=RefundStatus.choices)
    status_at = models.DateTimeField(_("since"))
    reason = models.CharField(_("reason"), max_length=120, blank=True)
    failure_reason = models.CharField(_("why it failed"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [models.CheckConstraint(name="refund_belongs", condition=BELONGS)]

    def __str__(self) -> str:
        return self.stripe_id


class Dispute(models.Model):
    """One dispute of a payment; `status` is Stripe's word, `phase` what it means for us."""

    stripe_id = models.CharField(_("dispute"), max_length=255, unique=True)
    order = models.ForeignKey(
        "payments.Order", models.CASCADE, null=True, blank=True, related_name="disputes", verbose_name=_("order")
    )
    subscription = models.ForeignKey(
        Subscription, models.CASCADE, null=True, blank=True, related_name="disputes", verbose_name=_("subscription")
    )
    payment = models.CharField(_("payment"), max_length=255)
    amount = models.PositiveBigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    reason = models.CharField(_("reason"), max_length=120, blank=True)
    status = models.CharField(_("state"), max_length=60)
    phase = models.SmallIntegerField(_("phase"), choices=DisputePhase.choices)
    status_at = models.DateTimeField(_("since"))
    due_by = models.DateTimeField(_("answer by"), null=True, blank=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        permissions = [("evidence_dispute", "Can download the evidence pack of a dispute")]
        constraints = [models.CheckConstraint(name="dispute_belongs", condition=BELONGS)]
        indexes = [models.Index(fields=["due_by"], name="dispute_due", condition=Q(phase=0))]

    def __str__(self) -> str:
        return self.stripe_id


class Receipt(models.Model):
    """The number under which the payment of an order is acknowledged: 1, 2, 3, … without a gap."""

    number = models.PositiveBigIntegerField(_("number"), primary_key=True)
    order = models.OneToOneField("payments.Order", models.PROTECT, related_name="receipt", verbose_name=_("order"))
    issued_at = models.DateTimeField(_("issued"))

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")

    def __str__(self) -> str:
        return f"R-{self.number:06d}"
