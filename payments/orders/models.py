"""An order is one thing to be paid; its status is worked out from all that was heard (docs/adr/0002-order-fold.md)."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from accounts.fields import LowercaseEmailField
from accounts.personal import shown_person
from payments.effects.deliver import Skip
from payments.effects.enqueue import EffectRequest
from payments.effects.models import Effect
from payments.money import format_amount, with_amounts
from payments.names import ORDER, read_number, read_uuid
from payments.orders.money_in_words import MoneyInWords
from payments.statuses import DisputeState, ExceptionKind, OrderStatus

# A delayed method fails twice: as a charge (with the reason) and as a session. The second waits for the first.
FAILURE_REASON_DELAY = timedelta(minutes=1)
AN_HOUR = timedelta(hours=1)
MAX_FAILURES_TOLD_AN_HOUR = 3
ENOUGH_FAILURES = Skip(gettext_noop("The buyer was told of three failures within the hour."))


class OrderQuerySet(models.QuerySet["Order"]):
    """The ways to find an order."""

    def called(self, text: str) -> "OrderQuerySet":
        """By its number, its public id in any spelling, or any other name under which its events find it."""
        if key := read_number(text):
            return self.filter(pk=key)
        return self.filter(references__name__in=[text, f"{ORDER}{read_uuid(text) or text.lower()}"])


def order_number(key: int | None) -> str:
    """12 → "O-000012": what people quote; `payments.names.read_number` reads it."""
    return f"O-{key:06d}" if key else "O-new"


class Order(MoneyInWords, models.Model):
    """One thing to be paid, once. Amounts in minor units of `currency`."""

    public_id = models.UUIDField(_("public id"), unique=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=30)
    email = LowercaseEmailField(_("e-mail"), blank=True)
    label = models.CharField(_("what"), max_length=200, blank=True)
    # Of kind "plan": who wants to subscribe, and to what.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="orders", verbose_name=_("user")
    )
    plan = models.ForeignKey(
        "payments.Plan", models.PROTECT, null=True, blank=True, related_name="orders", verbose_name=_("plan")
    )
    amount = models.PositiveBigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    livemode = models.BooleanField(_("live mode"), default=False)
    created_at = models.DateTimeField(_("created"))

    status = models.CharField(_("status"), max_length=20, choices=OrderStatus.choices, default=OrderStatus.PENDING)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    amount_received = models.PositiveBigIntegerField(_("received"), default=0)
    amount_refunded = models.PositiveBigIntegerField(_("refunded"), default=0)
    dispute_state = models.CharField(
        _("dispute"), max_length=10, choices=DisputeState.choices, blank=True, default=DisputeState.NONE
    )

    # Where the buyer lives, as they told Checkout last.
    city = models.CharField(_("city"), max_length=200, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    located_at = models.DateTimeField(null=True, blank=True)

    # The greatest fact about the buyer's tries; `attempt_at` None is the start, which every fact of its attempt beats.
    attempt_status = models.CharField(max_length=20, choices=OrderStatus.choices, default=OrderStatus.PENDING)
    attempt_number = models.PositiveIntegerField(default=1)
    attempt_at = models.DateTimeField(null=True, blank=True)
    # The greatest failure that names its charge, and with it the reason.
    failed_attempt = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField(null=True, blank=True)
    failed_charge = models.CharField(_("failed charge"), max_length=255, blank=True)
    failure_code = models.CharField(_("failure code"), max_length=120, blank=True)
    failure_message = models.TextField(_("failure message"), blank=True)
    # Settled although nothing was collected: the earliest such news.
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        permissions = [
            ("resync_order", gettext_noop("Can resync orders with Stripe")),
            ("refund_order", gettext_noop("Can refund orders")),
        ]
        constraints = [
            models.CheckConstraint(
                name="order_refunds_at_most_what_it_received", condition=Q(amount_refunded__lte=F("amount_received"))
            ),
            models.CheckConstraint(
                name="order_is_paid_with_a_date",
                condition=~Q(status__in=[OrderStatus.PAID, OrderStatus.REFUNDED]) | Q(paid_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["email"], name="order_email"),
            models.Index(fields=["created_at"], name="order_created"),
            # The filters of the staff's list, newest first.
            models.Index(fields=["status", "id"], name="order_status"),
            models.Index(fields=["dispute_state", "id"], name="order_disputed", condition=~Q(dispute_state="")),
            models.Index(fields=["country", "id"], name="order_lives_in", condition=~Q(country="")),
            # Who waits for money? Asked by every clean-up, so it must stay small.
            models.Index(
                fields=["created_at"], name="order_waits",
                condition=Q(status__in=[OrderStatus.PENDING, OrderStatus.ACTION_REQUIRED, OrderStatus.FAILED]),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.number} {self.label}"

    @property
    def number(self) -> str:
        """What people quote."""
        return order_number(self.pk)

    @property
    def price(self) -> str:
        """The amount in words for people."""
        return format_amount(self.amount, self.currency)

    @property
    def attempt_charge(self) -> str:
        """The charge that failed in the session that counts; "" while none is known."""
        return self.failed_charge if self.failed_attempt == self.attempt_number else ""

    @property
    def has_money(self) -> bool:
        """Paid, and not all of it given back or lost: what was bought may be used."""
        return self.status == OrderStatus.PAID and self.dispute_state != DisputeState.LOST

    # What products tell the buyer of an attempt to pay: one message each, none for an attempt that is over.

    def message(self, kind: str, *, key: str, delay: timedelta = timedelta(0), **subject: int) -> EffectRequest:
        """A message about where the order stands. `subject`: the product's row by its name; `delay`: from then on."""
        since = self.attempt_at
        return EffectRequest(
            key=f"{kind}:{key}",
            kind=kind,
            order_id=self.pk,
            data={**subject, "attempt": self.attempt_number, "charge": self.attempt_charge},
            not_before=since + delay if delay and since else None,
        )

    def message_of_failure(self, kind: str, **subject: int) -> EffectRequest:
        """One message per failed charge, however often Stripe repeats itself (mission B2)."""
        key = f"{self.pk}:{self.attempt_charge or self.attempt_number}"
        delay = timedelta(0) if self.attempt_charge else FAILURE_REASON_DELAY
        return self.message(kind, key=key, delay=delay, **subject)

    def is_in_attempt_of(self, effect: Effect) -> bool:
        """Whether the message speaks of the attempt that counts now."""
        return bool(effect.data["attempt"] == self.attempt_number)

    def enough_of_failures(self, effect: Effect) -> Skip | None:
        """Why this failure is not told: the buyer tries again and again, and knows. What staff send is sent."""
        if effect.data.get("by"):
            return None
        told = Effect.objects.filter(order=self.pk, kind=effect.kind, delivered_at__gt=effect.delivery_at - AN_HOUR)
        return ENOUGH_FAILURES if told.count() >= MAX_FAILURES_TOLD_AN_HOUR else None

    def has_failure_of(self, effect: Effect) -> bool:
        """Whether the message speaks of the failure that counts: of a delayed method's two, the charge's."""
        return self.is_in_attempt_of(effect) and bool(effect.data["charge"] == self.attempt_charge)


class CheckoutAttempt(models.Model):
    """One Checkout session of an order, stored before Stripe is called; `session` stays "" until Stripe answers."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="checkouts", verbose_name=_("order"))
    number = models.PositiveIntegerField(_("number"))
    session = models.CharField(_("session"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    # From the moment before Stripe is asked until it answers: asked again, Stripe must hear the very same.
    params = models.JSONField(null=True, blank=True, editable=False)
    # How often the buyer's return has had Stripe asked how it ended, and when last (payments.resync.on_return).
    return_questions = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    return_asked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("Checkout attempt")
        verbose_name_plural = _("Checkout attempts")
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="attempt_number_once"),
            models.UniqueConstraint(fields=["session"], name="session_once", condition=~Q(session="")),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}:{self.number} {self.session}"


class OrderChange(models.Model):
    """One thing that changed about an order or a subscription: from what to what, when, and from whom we learned it."""

    order = models.ForeignKey(
        Order, models.CASCADE, null=True, blank=True, related_name="changes", verbose_name=_("order")
    )
    subscription = models.ForeignKey(
        "payments.Subscription", models.CASCADE, null=True, blank=True, related_name="changes",
        verbose_name=_("subscription"),
    )  # fmt: skip
    field = models.CharField(_("what"), max_length=40)
    before = models.CharField(_("before"), max_length=255, blank=True)
    after = models.CharField(_("after"), max_length=255, blank=True)
    occurred_at = models.DateTimeField(_("happened"))
    learned_at = models.DateTimeField(_("learned"))
    event = models.ForeignKey(
        "payments.PaymentEvent", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("event")
    )
    source = models.CharField(_("by"), max_length=255)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [
            models.Index(fields=["order", "id"], name="change_of_order"),
            models.Index(
                fields=["subscription", "id"], name="change_of_subscription", condition=Q(subscription__isnull=False)
            ),
            # How many places were freed today?
            models.Index(fields=["learned_at"], name="change_of_place", condition=Q(field="place")),
        ]

    def __str__(self) -> str:
        return f"{self.order_id or self.subscription_id} {self.field}: {self.before} → {self.after}"


class OrderException(models.Model):
    """A question about money for staff: open until its cause is gone or somebody settles it; then history.

    `detail`: an id, or an English sentence that is translated when it is read and takes `values`.
    """

    order = models.ForeignKey(
        Order, models.CASCADE, null=True, blank=True, related_name="exceptions", verbose_name=_("order")
    )
    subscription = models.ForeignKey(
        "payments.Subscription", models.CASCADE, null=True, blank=True, related_name="exceptions",
        verbose_name=_("subscription"),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=30, choices=ExceptionKind.choices)
    subject = models.CharField(_("about"), max_length=255)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    values = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    is_open = models.BooleanField(_("open"), default=True)
    opened_at = models.DateTimeField(_("opened"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_reason = models.CharField(_("closed because"), max_length=500, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("closed by")
    )

    class Meta:
        verbose_name = _("exception")
        verbose_name_plural = _("exceptions")
        permissions = [
            ("accept_orderexception", gettext_noop("Can accept money that does not fit its order")),
            ("link_orderexception", gettext_noop("Can link money to an order")),
            ("refund_orderexception", gettext_noop("Can refund the money in question")),
            ("retry_refund", gettext_noop("Can try a refund that is owed again")),
            ("resend_effect", gettext_noop("Can send again what was not delivered")),
            ("give_place", gettext_noop("Can give a place to who paid and waits")),
            ("dismiss_orderexception", gettext_noop("Can dismiss a question")),
        ]
        constraints = [models.UniqueConstraint(fields=["kind", "subject"], name="exception_once")]
        indexes = [
            models.Index(fields=["opened_at"], name="exception_open", condition=Q(is_open=True)),
            models.Index(fields=["closed_at"], name="exception_closed", condition=Q(is_open=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.subject})"

    @property
    def detail_text(self) -> str:
        """The detail in the reader's language, with amounts as people write them."""
        if not self.values:
            return shown_person(gettext(self.detail)) if self.detail else ""
        return gettext(self.detail) % with_amounts(self.values)


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
