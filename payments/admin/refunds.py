"""The refund of an order: what can go back, how much of it, why; then it is asked for, once."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.actions.amounts import NoAmount, minor_units
from payments.actions.desk import look, refund_order
from payments.actions.refunds_asked import Left
from payments.admin.confirm import ReasonForm, confirmation_page
from payments.money import format_amount
from payments.orders.models import Order


class RefundForm(ReasonForm):
    """How much, and why. Bound to what was shown: `shown` is the sign of that moment."""

    field_order = ("amount", "reason", "shown")
    amount = forms.CharField(required=False, max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    shown = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, data: Any, *, order: Order, left: list[Left], shown: str) -> None:
        super().__init__(data, initial={"shown": shown})
        self.order = order
        # Pressed a second time nothing may be left any more: that is for the service to say, not for the form.
        self.has_moved = self.data.get("shown", shown) != shown
        self.most = sum(each.amount for each in left if each.payment.currency == order.currency)
        self.fields["amount"].label = _("Amount in %s") % order.currency.upper()
        self.fields["amount"].help_text = _("Empty: all that is left, %s.") % in_words(left)

    def clean_amount(self) -> int | None:
        """In minor units; None for everything."""
        if not (written := self.cleaned_data["amount"]):
            return None
        try:
            amount = minor_units(written, self.order.currency)
        except NoAmount as error:
            raise forms.ValidationError(str(error)) from error
        if amount > self.most and not self.has_moved:
            told = format_amount(self.most, self.order.currency)
            raise forms.ValidationError(_("That is more than what is left: %s.") % told)
        return amount


@admin.action(description=gettext_lazy("Refund the selected order…"), permissions=["refund"])
def refund(screen: admin.ModelAdmin, request: HttpRequest, orders: QuerySet) -> HttpResponse | None:
    """Shows what can go back and asks how much and why; then asks for the refund."""
    chosen = list(orders[:2])
    if len(chosen) != 1:
        messages.warning(request, _("Refunds are decided one order at a time: choose one."))
        return None
    [order] = chosen
    moment, left = look(order)
    if not left and "confirmed" not in request.POST:
        messages.warning(request, _("Nothing of %s is left to refund.") % order.number)
        return _to_order(order)
    form = RefundForm(request.POST if "confirmed" in request.POST else None, order=order, left=left, shown=str(moment))
    if not form.is_valid():
        return _question(screen, request, order, form=form, left=left)
    _ask(request, order, **form.cleaned_data)
    return _to_order(order)


def in_words(left: Iterable[Left]) -> str:
    """ "49.00 EUR", or one sum for each currency."""
    totals = Counter[str]()
    for each in left:
        totals[each.payment.currency] += each.amount
    return " + ".join(format_amount(amount, currency) for currency, amount in sorted(totals.items()))


def _question(
    screen: admin.ModelAdmin, request: HttpRequest, order: Order, *, form: RefundForm, left: list[Left]
) -> HttpResponse:
    page = confirmation_page(
        screen, request, Order.objects.filter(pk=order.pk), form=form, title=_("Refund %s?") % order.number,
        consequences=consequences(left), button=_("Refund now"),
    )  # fmt: skip
    page.template_name = "admin/payments/order/confirm_refund.html"
    return page


def consequences(left: list[Left]) -> list[str]:
    """What a refund will do, in sentences."""
    return [
        _("%(amount)s goes back the way it came, unless you give a smaller amount.") % {"amount": in_words(left)},
        _("Stripe is asked once, however often the button is pressed, and again if it cannot be reached."),
        _("When all of the money has gone back, what was bought ends and the buyer gets an e-mail."),
        _("Stripe keeps its fees."),
    ]


def _ask(request: HttpRequest, order: Order, *, amount: int | None, reason: str, shown: str) -> None:
    by = request.user.get_username()
    try:
        asked = refund_order(order_id=order.pk, amount=amount, because=reason, by=by, shown=shown, at=timezone.now())
    except ValueError as refusal:
        messages.warning(request, str(refusal))
        return
    if asked:
        messages.success(request, _("The refund has been asked for; what becomes of it stands below, under effects."))
    else:
        messages.info(request, _("This refund has been asked for already: nothing happens twice."))


def _to_order(order: Order) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:payments_order_change", args=[order.pk]))
