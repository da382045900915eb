"""The refund of an order or a subscription's payment: what can go back, how much, why; then it is asked for, once."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.admin.kit.actions import Confirmation, NothingToConfirm, ReasonForm, confirmed_action
from payments.admin.kit.display import page_of
from payments.apply.outcome import Outcome
from payments.billing.models import Subscription
from payments.money import NoAmount, format_amount, minor_units, total_text
from payments.orders.models import Order
from payments.refunds.outlook import outcome_of_refund
from payments.refunds.refund import Owner, Refundable
from payments.refunds.staff_refunds import owner_name, preview_refund, refund_order, refund_subscription, why_nothing


class RefundForm(ReasonForm):
    """How much, and why; bound to what was left when it was shown. Raises NothingToConfirm where nothing is."""

    field_order = ("payment", "amount", "reason", "preview_token")
    amount = forms.CharField(required=False, max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    preview_token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, data: Any, *, rows: QuerySet) -> None:
        self.owner: Owner = rows[0]
        moment, self.left = preview_refund(self.owner)
        if not self.left and data is None:
            raise NothingToConfirm(why_nothing(self.owner))
        super().__init__(data, rows=rows, initial={"preview_token": str(moment)})
        # Pressed a second time nothing may be left any more: that is for the service to say, not for the form.
        self.has_moved = self.data.get("preview_token", str(moment)) != str(moment)
        self.fields["amount"].label = _("Amount in %s") % self.owner.currency.upper()
        self.fields["amount"].help_text = _("Empty: all that is left, %s.") % sum_text(self.left)
        if isinstance(self.owner, Subscription):
            self._ask_for_the_payment()

    def _ask_for_the_payment(self) -> None:
        """A subscription has many, and somebody wants one of them back, most often the latest."""
        known = [(each.payment.key, payment_text(each)) for each in self.left]
        gone = [(key, key)] if self.has_moved and (key := self.data.get("payment", "")) else []
        self.fields["payment"] = forms.ChoiceField(label=_("Payment"), choices=[*known, *gone])
        self.fields["amount"].help_text = _("Empty: all that is left of this payment.")
        self.order_fields(self.field_order)

    def clean_amount(self) -> int | None:
        """In minor units; None for everything."""
        if not (written := self.cleaned_data["amount"]):
            return None
        payment = self.cleaned_data.get("payment", "")
        usable = [each for each in self.left if payment in ("", each.payment.key)]
        currency = usable[0].payment.currency if payment and usable else self.owner.currency
        most = sum(each.amount for each in usable if each.payment.currency == currency)
        try:
            amount = minor_units(written, currency)
        except NoAmount as error:
            raise forms.ValidationError(str(error)) from error
        if amount > most and not self.has_moved:
            raise forms.ValidationError(_("That is more than what is left: %s.") % format_amount(most, currency))
        return amount


def sum_text(left: Iterable[Refundable]) -> str:
    """ "€49.00", or one sum for each currency."""
    return total_text((each.amount, each.payment.currency) for each in left)


def payment_text(left: Refundable) -> str:
    """ "in_1: €4.00 left, paid on March 2, 2026"."""
    values = {"payment": left.payment.key, "amount": format_amount(left.amount, left.payment.currency)}
    if left.payment.paid_at is None:
        return _("%(payment)s: %(amount)s left") % values
    day = date_format(timezone.localtime(left.payment.paid_at), "DATE_FORMAT")
    return _("%(payment)s: %(amount)s left, paid on %(day)s") % {**values, "day": day}


def _title(rows: QuerySet) -> str:
    return _("Refund %s?") % owner_name(rows[0])


def _consequences(rows: QuerySet) -> list[str]:
    once = _("Stripe is asked once, however often the button is pressed, and again if it cannot be reached.")
    fees = _("Stripe keeps its fees.")
    owner: Owner = rows[0]
    if isinstance(owner, Order):
        left = {"amount": sum_text(preview_refund(owner)[1])}
        return [
            _("%(amount)s is refunded to the original payment method, unless you enter a smaller amount.") % left,
            once,
            _("When all of the money has gone back, what was bought ends and the buyer gets an e-mail."),
            fees,
        ]
    return [
        _(
            "What is left of the payment that you choose is refunded to the original payment method, unless you enter "
            "a smaller amount."
        ),
        once,
        _("When all that the running period has paid goes back, its access ends and the subscriber gets an e-mail."),
        _("The subscription goes on, and is paid again at its next date, unless it is canceled as well."),
        fees,
    ]


def _outlook(form: RefundForm) -> Outcome | None:
    """What comes of it once Stripe has made it: of the amount that was filled in, else of all that is left."""
    given = getattr(form, "cleaned_data", {})
    if not form.left:
        return None
    payment = given.get("payment") or (form.left[0].payment.key if isinstance(form.owner, Subscription) else "")
    return outcome_of_refund(form.owner, amount=given.get("amount"), payment=payment, at=timezone.now())


@confirmed_action(
    description=gettext_lazy("Refund the selected order…"), label=gettext_lazy("Refund…"),
    permission="payments.refund_order", applies_to=lambda order: any(payment.left for payment in order.payments.all()),
    only_one=gettext_lazy("Refunds are decided one order at a time: choose one."),
    title=_title, button=gettext_lazy("Refund now"), consequences=_consequences, form=RefundForm, preview=_outlook,
)  # fmt: skip
def refund(order: Order, confirmation: Confirmation) -> HttpResponse:
    return _ask_for_refund(order, confirmation)


@confirmed_action(
    description=gettext_lazy("Refund a payment of the selected subscription…"), label=gettext_lazy("Refund…"),
    permission="payments.refund_subscription",
    applies_to=lambda row: any(payment.left for payment in row.payments.all()),
    only_one=gettext_lazy("Refunds are decided one subscription at a time: choose one."),
    title=_title, button=gettext_lazy("Refund now"), consequences=_consequences, form=RefundForm, preview=_outlook,
)  # fmt: skip
def refund_subscription_action(subscription: Subscription, confirmation: Confirmation) -> HttpResponse:
    return _ask_for_refund(subscription, confirmation)


def _ask_for_refund(owner: Owner, confirmation: Confirmation) -> HttpResponse:
    """One effect, however often it is pressed; leads back to the page on which its effects stand."""
    given: dict[str, Any] = {
        "amount": confirmation.fields["amount"], "reason": confirmation.reason, "by": confirmation.by.get_username(),
        "shown": confirmation.fields["preview_token"], "at": confirmation.at,
    }  # fmt: skip
    try:
        if isinstance(owner, Order):
            effects = refund_order(order_id=owner.pk, **given)
        else:
            effects = refund_subscription(subscription_id=owner.pk, payment=confirmation.fields["payment"], **given)
    except ValueError as refusal:
        messages.warning(confirmation.request, str(refusal))
        return redirect(page_of(owner))
    if effects:
        done = _("The refund has been asked for; what becomes of it stands below, under effects.")
        messages.success(confirmation.request, done)
    else:
        messages.info(confirmation.request, _("This refund has been asked for already: nothing happens twice."))
    return redirect(page_of(owner))
