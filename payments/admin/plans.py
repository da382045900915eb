"""The plans' screen: added and edited; what somebody has subscribed to is taken off sale, not deleted."""

from collections.abc import Sequence
from typing import Any, cast

import structlog
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.menu import Job
from payments.admin.kit.display import NONE, amount, stripe_id
from payments.admin.kit.money import AmountField, PricedAdmin, PricedForm
from payments.admin.kit.screens import ListAdmin
from payments.billing.models import Plan
from payments.billing.subscribers import is_used, keep_former_price, plan_with_price
from payments.ledger.record import requeue_naming
from payments.money import format_amount
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable, in_a_hurry
from payments.subscribing.price import PriceAtStripe, UnknownPrice, find_price

log = structlog.get_logger(__name__)
STRIPE_PRICE_PREFIX = "price_"
# What the price at Stripe must agree with.
TERMS = {"amount", "currency", "interval", "price", "slug", "is_on_sale"}
# What subscriptions and orders go by: another one would be another plan.
FIELDS_FIXED_ONCE_ADDED = ("slug", "interval", "currency")


class PlanForm(PricedForm):
    """Says in words what Stripe or the database would refuse."""

    amount_name, can_be_free = "amount", False
    amount = AmountField(label=gettext_lazy("Price"), help_text=gettext_lazy("For example 4.00."))

    # What Stripe has said of the price before the form's transaction began; None: it was not asked, or was silent.
    at_stripe: PriceAtStripe | UnknownPrice | None = None

    def clean_amount(self) -> int:
        return self.clean_money()

    def clean(self) -> dict[str, Any]:
        """Whoever subscribes pays what Stripe says: it must be what is said here."""
        data = super().clean() or self.cleaned_data
        if self.errors or not TERMS.intersection(self.changed_data):
            return data
        terms = {name: data.get(name, getattr(self.instance, name)) for name in ("amount", "currency", "interval")}
        match self.at_stripe:
            case UnknownPrice() as unknown:
                self.add_error("price", str(unknown))
            case PriceAtStripe() as price:
                for difference in price.differences(**terms, is_on_sale=data["is_on_sale"]):
                    self.add_error("price", difference)
        return data

    def clean_price(self) -> str:
        price = str(self.cleaned_data["price"]).strip()
        if price and not price.startswith(STRIPE_PRICE_PREFIX):
            raise ValidationError(_("A price at Stripe is named price_…; a product (prod_…) is not enough."))
        if price and (other := plan_with_price(price, exclude=self.instance)):
            raise ValidationError(_("This price belongs, or once belonged, to the plan “%s”.") % other)
        return price


def _ask_for_price(request: HttpRequest, plan: Plan | None) -> PriceAtStripe | UnknownPrice | None:
    """What Stripe says within 5 seconds; where it says nothing, whoever saves is told that nobody has checked."""
    slug = plan.slug if plan else request.POST.get("slug", "")
    name = request.POST.get("price", "").strip() or settings.STRIPE_PRICES.get(slug, "")
    if not name.startswith(STRIPE_PRICE_PREFIX):
        return None
    try:
        with in_a_hurry():
            return find_price(name)
    except UnknownPrice as unknown:
        return unknown
    except (GatewayUnavailable, GatewayRefused) as trouble:
        log.info("plan.price_not_checked", price=name, trouble=repr(trouble))
        told = _("Whether %(price)s says the same at Stripe was not checked: %(words)s")
        messages.warning(request, told % {"price": name, "words": trouble})
        return None


@admin.register(Plan)
class PlanAdmin(PricedAdmin, ListAdmin):
    """The one screen of the money on which something is typed in."""

    job, position = Job.SUBSCRIPTIONS, 1
    actions = None
    form = PlanForm
    add_text = gettext_lazy("Add a plan")
    list_display = ("name", "slug", "price_shown", "interval", "stripe_price_text", "is_on_sale", "position")
    sortable_by = None  # few rows
    list_filter = ("is_on_sale",)
    ordering = ("position", "slug")
    search_fields = ("slug__exact", "price__exact")
    fields = (
        "name", "slug", ("amount", "currency"), "interval", "price", "former_text", ("is_on_sale", "position"), "used",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> tuple[str, ...]:
        return ("former_text", "used", *(FIELDS_FIXED_ONCE_ADDED if obj else ()))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Plan | None = None) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ("name",)}

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and is_used(obj))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Stripe is asked before the transaction of the form begins."""
        if request.method == "POST":
            obj = self.get_object(request, object_id) if object_id else None
            if self.has_change_permission(request, obj) if obj else self.has_add_permission(request):
                request._price_at_stripe = _ask_for_price(request, obj)  # type: ignore[attr-defined]
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = cast("type[PlanForm]", super().get_form(request, obj, change, **kwargs))
        form.at_stripe = getattr(request, "_price_at_stripe", None)
        return form

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:
        if change:
            before = Plan.objects.select_for_update(no_key=True).get(pk=obj.pk)
            obj.former_prices = before.former_prices
            keep_former_price(obj, former=before.stripe_price)
            self._warn(request, before, obj)
        obj.save()
        requeue_naming([price for price in [obj.stripe_price] if price], at=timezone.now())

    @staticmethod
    def _warn(request: HttpRequest, before: Plan, after: Plan) -> None:
        """What is shown and what Stripe takes are two things."""
        if before.amount != after.amount and after.stripe_price and before.stripe_price == after.stripe_price:
            values = {"amount": format_amount(after.amount, after.currency), "price": after.stripe_price}
            sentence = _("%(amount)s is what we show from now on; Stripe goes on taking what %(price)s says.")
            messages.warning(request, sentence % values)

    @admin.display(description=gettext_lazy("price"), ordering="amount")
    def price_shown(self, plan: Plan) -> str:
        return amount(plan.price_text)

    @admin.display(description=gettext_lazy("price at Stripe"))
    def stripe_price_text(self, plan: Plan) -> str:
        return stripe_id(plan.stripe_price)

    @admin.display(description=gettext_lazy("former prices at Stripe"))
    def former_text(self, plan: Plan) -> str:
        """Who subscribed with one of them keeps it."""
        return ", ".join(price for price in plan.former_prices if price != plan.stripe_price) or NONE

    @admin.display(description=gettext_lazy("subscriptions"))
    def used(self, plan: Plan) -> str:
        if not plan.pk or not is_used(plan):
            return _("Nobody has subscribed to it.")
        return format_html(
            '<a href="../../../subscription/?plan__id__exact={}">{}</a>', plan.pk,
            _("Somebody has subscribed to it, so it can be taken off sale, but not deleted."),
        )  # fmt: skip
