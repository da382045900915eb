"""The refund of an order or a subscription's payment: what can go back, how much, why; then it is asked for, once."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.admin.confirm import ReasonForm, confirmation_page
from payments.money import NoAmount, format_amount, minor_units
from payments.orders.models import Order
from payments.refunds.refund import Owner, Refundable
from payments.refunds.staff_refunds import preview_refund, refund_order, refund_subscription, told_as, why_nothing


class RefundForm(ReasonForm):
    """How much, and why. Bound to what was shown: `shown` is the sign of that moment."""

    field_order = ("payment", "amount", "reason", "shown")
    amount = forms.CharField(required=False, max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    shown = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, data: Any, *, owner: Owner, left: list[Refundable], shown: str) -> None:
        super().__init__(data, initial={"shown": shown})
        self.owner, self.left = owner, left
        # Pressed a second time nothing may be left any more: that is for the service to say, not for the form.
        self.has_moved = self.data.get("shown", shown) != shown
        self.fields["amount"].label = _("Amount in %s") % owner.currency.upper()
        self.fields["amount"].help_text = _("Empty: all that is left, %s.") % in_words(left)
        if not isinstance(owner, Order):
            self._ask_for_the_payment()

    def _ask_for_the_payment(self) -> None:
        """A subscription has many, and somebody wants one of them back, most often the latest."""
        known = [(each.payment.key, described(each)) for each in self.left]
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


@admin.action(description=gettext_lazy("Refund the selected order…"), permissions=["refund"])
def refund(screen: admin.ModelAdmin, request: HttpRequest, orders: QuerySet) -> HttpResponse | None:
    """Shows what can go back and asks how much and why; then asks for the refund."""
    return _refund(screen, request, orders, one_only=_("Refunds are decided one order at a time: choose one."))


@admin.action(description=gettext_lazy("Refund a payment of the selected subscription…"), permissions=["refund"])
def refund_subscription_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
    """The same of one of its payments."""
    return _refund(screen, request, rows, one_only=_("Refunds are decided one subscription at a time: choose one."))


def _refund(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet, *, one_only: str) -> HttpResponse | None:
    chosen = list(rows[:2])
    if len(chosen) != 1:
        messages.warning(request, one_only)
        return None
    [owner] = chosen
    moment, left = preview_refund(owner)
    if not left and "confirmed" not in request.POST:
        messages.warning(request, why_nothing(owner))
        return _back(owner)
    form = RefundForm(request.POST if "confirmed" in request.POST else None, owner=owner, left=left, shown=str(moment))
    if not form.is_valid():
        return _question(screen, request, owner, form=form, left=left)
    _ask(request, owner, form.cleaned_data)
    return _back(owner)


def in_words(left: Iterable[Refundable]) -> str:
    """ "49.00 EUR", or one sum for each currency."""
    totals = Counter[str]()
    for each in left:
        totals[each.payment.currency] += each.amount
    return " + ".join(format_amount(amount, currency) for currency, amount in sorted(totals.items()))


def described(left: Refundable) -> str:
    """ "in_1: 4.00 EUR left, paid on March 2, 2026"."""
    told = {"payment": left.payment.key, "amount": format_amount(left.amount, left.payment.currency)}
    if left.payment.paid_at is None:
        return _("%(payment)s: %(amount)s left") % told
    day = date_format(timezone.localtime(left.payment.paid_at), "DATE_FORMAT")
    return _("%(payment)s: %(amount)s left, paid on %(day)s") % {**told, "day": day}


def _question(
    screen: admin.ModelAdmin, request: HttpRequest, owner: Owner, *, form: RefundForm, left: list[Refundable]
) -> HttpResponse:
    page = confirmation_page(
        screen, request, type(owner)._default_manager.filter(pk=owner.pk), form=form,
        title=_("Refund %s?") % told_as(owner), consequences=consequences(owner, left), button=_("Refund now"),
    )  # fmt: skip
    page.template_name = "admin/payments/order/confirm_refund.html"
    return page


def consequences(owner: Owner, left: list[Refundable]) -> list[str]:
    """What a refund will do, in sentences."""
    once = _("Stripe is asked once, however often the button is pressed, and again if it cannot be reached.")
    fees = _("Stripe keeps its fees.")
    if isinstance(owner, Order):
        return [
            _("%(amount)s goes back the way it came, unless you give a smaller amount.") % {"amount": in_words(left)},
            once,
            _("When all of the money has gone back, what was bought ends and the buyer gets an e-mail."),
            fees,
        ]
    return [
        _("What is left of the payment that you choose goes back the way it came, unless you give a smaller amount."),
        once,
        _("The subscription goes on, and is paid again at its next date, unless it is canceled as well."),
        fees,
    ]


def _ask(request: HttpRequest, owner: Owner, told: dict[str, Any]) -> None:
    wanted = {
        "amount": told["amount"], "reason": told["reason"], "by": request.user.get_username(),
        "shown": told["shown"], "at": timezone.now(),
    }  # fmt: skip
    try:
        if isinstance(owner, Order):
            asked = refund_order(order_id=owner.pk, **wanted)
        else:
            asked = refund_subscription(subscription_id=owner.pk, payment=told["payment"], **wanted)
    except ValueError as refusal:
        messages.warning(request, str(refusal))
        return
    if asked:
        messages.success(request, _("The refund has been asked for; what becomes of it stands below, under effects."))
    else:
        messages.info(request, _("This refund has been asked for already: nothing happens twice."))


def _back(owner: Owner) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse(f"admin:payments_{owner._meta.model_name}_change", args=[owner.pk]))
