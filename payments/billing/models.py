"""Who pays, for what, and the money: customers, plans, subscriptions, payments, refunds, disputes, receipts.

Amounts are in minor units. Money belongs to an order or to a subscription.
"""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MinLengthValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Upper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts.fields import LowercaseEmailField
from payments.money import Chargeable, format_amount
from payments.statuses import (
    DISPUTE_UNANSWERED,
    SUBSCRIPTION_ENDED,
    Accepted,
    DisputePhase,
    DisputeStatus,
    MoneyBack,
    RefundStatus,
    SubscriptionStatus,
)


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Customers by the person who they are."""

    def living_of(self, user_id: int) -> "CustomerQuerySet":
        """Who the person is at Stripe, the oldest first: one, unless some were imported; none that is deleted there."""
        return self.filter(user=user_id, deleted_at__isnull=True).order_by("pk")


class Customer(models.Model):
    """One Stripe customer (`cus_`); `user` is the person here, who has one of them unless they were imported."""

    stripe_id = models.CharField(_("Stripe customer"), max_length=255, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="customers",
        verbose_name=_("user"),
    )  # fmt: skip
    email = LowercaseEmailField(_("e-mail"), blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    stripe_updated_at = models.DateTimeField(null=True, blank=True)
    city = models.CharField(_("city"), max_length=200, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    located_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted at Stripe"), null=True, blank=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [("resync_customer", gettext_noop("Can resync a person with Stripe"))]
        indexes = [
            models.Index(fields=["email"], name="customer_email"),
            models.Index(fields=["id"], name="customer_deleted", condition=Q(deleted_at__isnull=False)),
            # Staff search by a part of either.
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="customer_name_parts"),
            GinIndex(OpClass(Upper("email"), "gin_trgm_ops"), name="customer_email_parts"),
        ]

    def __str__(self) -> str:
        return self.email or self.stripe_id


class Interval(models.TextChoices):
    """How often a plan is paid."""

    MONTH = "month", _("a month")
    YEAR = "year", _("a year")


class Plan(Chargeable, models.Model):
    """Something to subscribe to. `amount` in minor units for one interval."""

    price_field = "amount"
    slug = models.SlugField(_("address"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    amount = models.PositiveBigIntegerField(
        _("price"), validators=[MinValueValidator(1)], help_text=_("In the smallest unit: 400 is 4.00 EUR.")
    )
    currency = models.CharField(_("currency"), max_length=3, default="eur", validators=[MinLengthValidator(3)])
    interval = models.CharField(_("paid"), max_length=10, choices=Interval.choices)
    price = models.CharField(
        _("price at Stripe"), max_length=255, blank=True,
        help_text=_("price_…; empty: the one of the settings (STRIPE_PRICE_MONTHLY, STRIPE_PRICE_YEARLY), if any."),
    )  # fmt: skip
    former_prices = ArrayField(models.CharField(max_length=255), default=list, blank=True, editable=False)
    is_on_sale = models.BooleanField(_("on sale"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["position", "slug"]
        constraints = [models.UniqueConstraint(fields=["price"], name="plan_price_once", condition=~Q(price=""))]

    def __str__(self) -> str:
        return self.name

    @property
    def stripe_price(self) -> str:
        """The price at Stripe with which one subscribes now; "" if there is none: then Checkout is told the amount."""
        return self.price or settings.STRIPE_PRICES.get(self.slug, "")

    @property
    def all_prices(self) -> list[str]:
        """Every price at Stripe that is this plan's, or once was."""
        return [price for price in (self.stripe_price, *self.former_prices) if price]

    @property
    def price_text(self) -> str:
        """The price in words for people."""
        return format_amount(self.amount, self.currency)


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """The lists that people ask for."""

    def live(self) -> "SubscriptionQuerySet":
        """Those that have begun and have not ended, paid or not."""
        return self.exclude(status__in=[*SUBSCRIPTION_ENDED, SubscriptionStatus.INCOMPLETE, SubscriptionStatus.UNKNOWN])


class Subscription(models.Model):
    """One subscription (`sub_`), as the greatest of all that was told of it left it (docs/adr/0009-subscriptions.md).

    `amount` in minor units for one period of `interval_count` intervals.
    `stripe_updated_at` None: only its name is known.
    """

    stripe_id = models.CharField(_("subscription"), max_length=255, unique=True)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="subscriptions", verbose_name=_("customer")
    )
    order = models.ForeignKey(
        "payments.Order", models.SET_NULL, null=True, blank=True, related_name="subscriptions",
        verbose_name=_("order that began it"),
    )  # fmt: skip
    plan = models.ForeignKey(
        Plan, models.PROTECT, null=True, blank=True, related_name="subscriptions", verbose_name=_("plan")
    )
    # Other plans of ours among its items.
    further_plans = ArrayField(models.BigIntegerField(), default=list, db_default=[], blank=True, editable=False)
    # The plan that was named last, by a price or by its slug: a message that names none takes nothing away.
    plan_slug = models.CharField(max_length=50, default="", db_default="", blank=True, editable=False)
    plan_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    status = models.CharField(_("state"), max_length=30, blank=True)
    stripe_updated_at = models.DateTimeField(_("as told"), null=True, blank=True)
    # Of what was told last: its content, and whether it was its birth; another one of the same second contradicts it.
    fingerprint = models.CharField(max_length=64, blank=True)
    from_created_event = models.BooleanField(default=False)
    has_conflict = models.BooleanField(default=False)

    price = models.CharField(_("price at Stripe"), max_length=255, blank=True)
    prices = ArrayField(
        models.CharField(max_length=255), default=list, db_default=[], blank=True, verbose_name=_("all prices")
    )
    amount = models.PositiveBigIntegerField(_("amount"), default=0)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    interval = models.CharField(_("paid"), max_length=10, blank=True)
    interval_count = models.PositiveSmallIntegerField(default=1)
    quantity = models.PositiveIntegerField(_("quantity"), default=1)

    started_at = models.DateTimeField(_("began"), null=True, blank=True)
    period_start = models.DateTimeField(_("period began"), null=True, blank=True)
    period_end = models.DateTimeField(_("period ends"), null=True, blank=True)
    trial_end = models.DateTimeField(_("trial ends"), null=True, blank=True)
    cancel_at = models.DateTimeField(_("is going to end"), null=True, blank=True)
    canceled_at = models.DateTimeField(_("canceled"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    pause = models.CharField(_("collection paused"), max_length=30, default="", db_default="", blank=True)
    resumes_at = models.DateTimeField(_("collected again"), null=True, blank=True)
    days_until_due = models.PositiveIntegerField(_("days to pay"), default=0, db_default=0)

    # The invoice that was paid last, and the end of its period: beyond `period_end`, news is missing.
    last_paid_at = models.DateTimeField(_("last paid"), null=True, blank=True)
    paid_until = models.DateTimeField(_("paid until"), null=True, blank=True)
    # Worked out from its payments (payments/billing/fold.py).
    covered_until = models.DateTimeField(_("paid for, and kept, until"), null=True, blank=True)
    unpaid_since = models.DateTimeField(_("unpaid since"), null=True, blank=True)
    money_back = models.CharField(
        _("money of the period"), max_length=20, choices=MoneyBack.choices, default="", db_default="", blank=True
    )
    needs_resync = models.BooleanField(_("to be looked up at Stripe"), default=False)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        permissions = [
            ("resync_subscription", gettext_noop("Can resync subscriptions with Stripe")),
            ("refund_subscription", gettext_noop("Can refund payments of subscriptions")),
            ("cancel_subscription", gettext_noop("Can cancel a subscription at once")),
            ("end_subscription", gettext_noop("Can end the subscription of an account that is switched off")),
            ("give_access_back", gettext_noop("Can give the access of a refunded period back")),
        ]
        indexes = [
            models.Index(fields=["status", "period_end"], name="subscription_status"),
            models.Index(fields=["id"], name="subscription_needs_resync", condition=Q(needs_resync=True)),
            # The filters of the staff's list.
            models.Index(fields=["id"], name="subscription_paused", condition=~Q(pause="")),
            models.Index(fields=["cancel_at"], name="subscription_will_end", condition=Q(cancel_at__isnull=False)),
            models.Index(fields=["money_back", "id"], name="subscription_money_back", condition=~Q(money_back="")),
        ]

    def __str__(self) -> str:
        return self.stripe_id

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in SUBSCRIPTION_ENDED

    @property
    def status_text(self) -> str:
        """The state in words for people; Stripe's own word where we know none."""
        known = dict(SubscriptionStatus.choices)
        word = str(known.get(self.status, self.status))
        return f"{word}, {_('collection paused')}" if self.pause and not self.has_ended else word

    @property
    def price_text(self) -> str:
        """What one period costs, in words for people."""
        return format_amount(self.amount, self.currency) if self.currency else ""


BELONGS_TO_ONE_OWNER = Q(order__isnull=False, subscription__isnull=True) | Q(
    order__isnull=True, subscription__isnull=False
)


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
    lost = models.PositiveBigIntegerField(_("lost to disputes"), default=0, db_default=0)
    off_stripe = models.PositiveBigIntegerField(_("of it by another way"), default=0)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    # What a card network has told last of it (`issfr_…`); actionable: it can be given back before it is disputed.
    fraud_warning = models.CharField(_("fraud warning"), max_length=255, blank=True, default="", db_default="")
    fraud_type = models.CharField(_("kind of fraud"), max_length=120, blank=True, default="", db_default="")
    fraud_told_at = models.DateTimeField(_("warned"), null=True, blank=True)
    is_fraud_actionable = models.BooleanField(_("can be refunded before a dispute"), default=False, db_default=False)
    # Of an invoice: the period that it pays; none of a proration.
    period_start = models.DateTimeField(_("pays from"), null=True, blank=True)
    period_end = models.DateTimeField(_("pays until"), null=True, blank=True)
    # Staff have decided: what it paid for stays open although the money went back.
    access_kept = models.BooleanField(_("access given back"), default=False, db_default=False)
    # Of an order's: staff have decided that it counts although it does not fit.
    accepted = models.CharField(
        _("accepted by staff"), max_length=10, choices=Accepted.choices, default="", db_default="", blank=True
    )

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.CheckConstraint(
                name="payment_refunds_at_most_what_it_received", condition=Q(refunded__lte=F("received"))
            ),
            models.CheckConstraint(name="payment_belongs", condition=BELONGS_TO_ONE_OWNER),
        ]
        indexes = [models.Index(fields=["paid_at"], name="payment_paid")]

    def __str__(self) -> str:
        return self.key

    @property
    def left(self) -> int:
        """What was received and not given back."""
        return self.received - self.refunded

    def has_open_warning(self, disputes: "Iterable[Dispute]") -> bool:
        """Whether money of which a card network warns is still here, and nobody disputes it yet."""
        is_disputed = any(dispute.payment == self.key for dispute in disputes)
        return self.is_fraud_actionable and self.here > 0 and not is_disputed

    @property
    def here(self) -> int:
        """What of that no dispute has taken for good."""
        return self.left - self.lost


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
    # Its own day, which no later news moves; unknown (rows from before this column): `status_at`.
    made_at = models.DateTimeField(_("created"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=120, blank=True)
    failure_reason = models.CharField(_("why it failed"), max_length=120, blank=True)
    pending_reason = models.CharField(_("why it waits"), max_length=120, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [models.CheckConstraint(name="refund_belongs", condition=BELONGS_TO_ONE_OWNER)]
        indexes = [
            models.Index(Coalesce("made_at", "status_at"), name="refund_made"),
            models.Index(fields=["status_at"], name="refund_since"),
            models.Index(fields=["status", "id"], name="refund_status"),
            models.Index(fields=["payment"], name="refund_of_payment"),
        ]

    def __str__(self) -> str:
        return self.stripe_id


# It is lost, or was: what a late win gives back was gone until then.
DISPUTE_GAVE_BACK = Q(phase=DisputePhase.CLOSED, lost_at__isnull=False)
DISPUTE_TOOK_MONEY = Q(phase=DisputePhase.LOST) | DISPUTE_GAVE_BACK


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
    status = models.CharField(_("state"), max_length=60, choices=DisputeStatus.choices)
    phase = models.SmallIntegerField(_("phase"), choices=DisputePhase.choices)
    status_at = models.DateTimeField(_("since"))
    due_by = models.DateTimeField(_("answer by"), null=True, blank=True)
    # The days of its money: the earliest event that told so. A look at Stripe does not tell when; then `status_at`.
    lost_at = models.DateTimeField(_("lost"), null=True, blank=True)
    won_at = models.DateTimeField(_("won"), null=True, blank=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        permissions = [("evidence_dispute", gettext_noop("Can download the evidence pack of a dispute"))]
        constraints = [models.CheckConstraint(name="dispute_belongs", condition=BELONGS_TO_ONE_OWNER)]
        indexes = [
            models.Index(fields=["due_by"], name="dispute_unanswered", condition=Q(status__in=DISPUTE_UNANSWERED)),
            models.Index(Coalesce("lost_at", "status_at"), name="dispute_lost", condition=DISPUTE_TOOK_MONEY),
            models.Index(Coalesce("won_at", "status_at"), name="dispute_won_back", condition=DISPUTE_GAVE_BACK),
        ]

    def __str__(self) -> str:
        return self.stripe_id

    @property
    def is_inquiry(self) -> bool:
        """The bank only asks: no money has moved."""
        return self.phase == DisputePhase.INQUIRY

    @property
    def is_decided(self) -> bool:
        """Nothing is expected of us any more; an appeal against a decision is."""
        return self.phase in (DisputePhase.LOST, DisputePhase.CLOSED) and self.status not in DISPUTE_UNANSWERED


class Receipt(models.Model):
    """The number under which a payment is acknowledged, of an order or of a subscription: 1, 2, 3, … without a gap."""

    number = models.PositiveBigIntegerField(_("number"), primary_key=True)
    order = models.OneToOneField(
        "payments.Order", models.PROTECT, null=True, blank=True, related_name="receipt", verbose_name=_("order")
    )
    payment = models.OneToOneField(
        Payment, models.PROTECT, null=True, blank=True, related_name="receipt", verbose_name=_("payment")
    )
    issued_at = models.DateTimeField(_("issued"))

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [
            models.CheckConstraint(
                name="receipt_of_one",
                condition=Q(order__isnull=False, payment__isnull=True) | Q(order__isnull=True, payment__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"R-{self.number:06d}"
