"""Payouts, the entries of Stripe's balance that they are made of, and the walks that have read both.

Amounts are in minor units of the balance's currency; what leaves the balance is negative.
"""

from datetime import datetime

from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from payments.money import format_amount
from payments.statuses import EntryFinding, EntryKind, PayoutStatus


class Payout(models.Model):
    """One payout (`po_`), as Stripe told of it last. `amount` below zero: Stripe takes it from the bank account.

    `totals`: for each kind of entry `count`, `amount`, `fee` and `net`. `adds_up` None: nobody can say, because it was
    made by hand, has failed, or Stripe has not told yet what is in it.
    """

    stripe_id = models.CharField(gettext_lazy("payout"), max_length=255, unique=True)
    amount = models.BigIntegerField(gettext_lazy("amount"))
    currency = models.CharField(gettext_lazy("currency"), max_length=3)
    status = models.CharField(gettext_lazy("state"), max_length=30, choices=PayoutStatus.choices)
    failure = models.CharField(gettext_lazy("why it failed"), max_length=500, blank=True)
    is_automatic = models.BooleanField(gettext_lazy("made by Stripe’s schedule"))
    is_complete = models.BooleanField(gettext_lazy("all entries are told"))
    arrival_date = models.DateField(gettext_lazy("arrives on"))
    created_at = models.DateTimeField(gettext_lazy("created"))
    livemode = models.BooleanField(gettext_lazy("live mode"))
    totals = models.JSONField(default=dict, blank=True, editable=False)
    adds_up = models.BooleanField(gettext_lazy("adds up"), null=True, blank=True)
    read_at = models.DateTimeField(gettext_lazy("read"))

    class Meta:
        verbose_name = gettext_lazy("payout")
        verbose_name_plural = gettext_lazy("payouts")
        permissions = [("export_payout", gettext_noop("Can export a month’s money for the accounts"))]
        indexes = [
            models.Index(fields=["-arrival_date", "-id"], name="payout_newest"),
            models.Index(fields=["currency", "created_at"], name="payout_by_currency"),
        ]

    def __str__(self) -> str:
        return self.stripe_id

    @property
    def amount_text(self) -> str:
        """In words for people."""
        return format_amount(self.amount, self.currency)


class BalanceEntry(models.Model):
    """One movement of Stripe's balance (`txn_`); `net` is `amount` less `fee`. `payout` None: in none (yet).

    `type`: Stripe's own word. `source`: what it comes from (`ch_…`, `re_…`, `du_…`). `original_amount`: before Stripe
    has converted it. `payment`, `refund`, `dispute`: what it is about, where that is known here.
    """

    stripe_id = models.CharField(gettext_lazy("entry"), max_length=255, unique=True)
    payout = models.ForeignKey(
        Payout, models.SET_NULL, null=True, blank=True, related_name="entries", verbose_name=gettext_lazy("payout")
    )
    kind = models.CharField(gettext_lazy("kind"), max_length=20, choices=EntryKind.choices)
    type = models.CharField(gettext_lazy("type"), max_length=120)
    amount = models.BigIntegerField(gettext_lazy("amount"))
    fee = models.BigIntegerField(gettext_lazy("fee"))
    net = models.BigIntegerField(gettext_lazy("net"))
    currency = models.CharField(gettext_lazy("currency"), max_length=3)
    original_amount = models.BigIntegerField()
    original_currency = models.CharField(max_length=3)
    source = models.CharField(gettext_lazy("source"), max_length=255, blank=True)
    created_at = models.DateTimeField(gettext_lazy("created"))
    available_at = models.DateTimeField(gettext_lazy("available"))
    # Its charge carries the metadata with which we ask for money.
    names_ours = models.BooleanField(default=False)
    payment = models.ForeignKey(
        "payments.Payment", models.SET_NULL, null=True, blank=True, related_name="entries",
        verbose_name=gettext_lazy("payment"),
    )  # fmt: skip
    refund = models.ForeignKey(
        "payments.Refund", models.SET_NULL, null=True, blank=True, related_name="entries",
        verbose_name=gettext_lazy("refund"),
    )  # fmt: skip
    dispute = models.ForeignKey(
        "payments.Dispute", models.SET_NULL, null=True, blank=True, related_name="entries",
        verbose_name=gettext_lazy("dispute"),
    )  # fmt: skip
    finding = models.CharField(
        gettext_lazy("what is odd"), max_length=20, choices=EntryFinding.choices, default="", blank=True
    )

    class Meta:
        verbose_name = gettext_lazy("balance entry")
        verbose_name_plural = gettext_lazy("balance entries")
        default_permissions = ()
        indexes = [models.Index(fields=["created_at", "id"], name="balanceentry_created")]

    def __str__(self) -> str:
        return self.stripe_id


class PayoutWalk(models.Model):
    """One reading of everything that moved Stripe's balance since `since`. `finished_at` None: it was cut short.

    `findings`: of each payout that does not add up its id and the sentence that says why.
    """

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    since = models.DateTimeField()
    # Worked out, not asked for: the next one begins where this one began.
    is_continued = models.BooleanField(default=False)
    is_dry_run = models.BooleanField(default=False)
    counts = models.JSONField(default=dict)
    findings = models.JSONField(default=list)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = gettext_lazy("reading of payouts")
        verbose_name_plural = gettext_lazy("readings of payouts")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"

    @classmethod
    def last_complete(cls) -> "PayoutWalk | None":
        """The newest that came to its end, of those that go on from one another: up to its begin all is known."""
        done = cls.objects.filter(is_continued=True, is_dry_run=False, finished_at__isnull=False)
        return done.order_by("-started_at").first()

    @property
    def sentence(self) -> str:
        """The whole walk in one sentence for people."""
        told = {name: self.counts.get(name, 0) for name in ("payouts", "entries", "questions", "manual")}
        parts = [
            ngettext("%(n)d payout read", "%(n)d payouts read", told["payouts"]) % {"n": told["payouts"]},
            ngettext("%(n)d entry", "%(n)d entries", told["entries"]) % {"n": told["entries"]},
            _("%(n)d in question") % {"n": told["questions"]},
        ]
        if told["manual"]:
            parts.append(_("%(n)d made by hand, of which Stripe lists no entries") % {"n": told["manual"]})
        return f"{', '.join(parts)}; {self._end().removesuffix('.')}."

    def _end(self) -> str:
        return complete_up_to(self.started_at) if self.finished_at else _("not finished")


def complete_up_to(moment: datetime) -> str:
    """ "complete up to 11/30/2026 4:10 a.m."."""
    return _("complete up to %(moment)s") % {"moment": date_format(localtime(moment), "SHORT_DATETIME_FORMAT")}
