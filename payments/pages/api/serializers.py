"""What goes over the wire. Amounts in the smallest unit of the currency beside them; times with their offset."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.api import StrictSerializer
from payments.billing.subscriptions import Interval, Plan, Subscription
from payments.pages.standing import Standing, standing_of

SMALLEST_UNIT = "In the smallest unit of `currency`: 400 is 4.00 EUR."
LONGEST_SLUG = 50


class PlanSerializer(serializers.Serializer[Plan]):
    """Something to subscribe to."""

    slug = serializers.CharField(help_text="Its name in addresses.")
    name = serializers.CharField()
    amount = serializers.IntegerField(help_text=f"{SMALLEST_UNIT} Due each interval.")
    currency = serializers.CharField(help_text="Three letters, lower case.")
    interval = serializers.ChoiceField(choices=Interval.choices)


class SubscriptionSerializer(serializers.Serializer[Any]):
    """The subscription as it is now. With state `none` everything else is null."""

    state = serializers.ChoiceField(choices=[(each.value, each.value) for each in Standing])
    plan = serializers.CharField(allow_null=True, help_text="The slug of its plan.")
    amount = serializers.IntegerField(allow_null=True, help_text=SMALLEST_UNIT)
    currency = serializers.CharField(allow_null=True, help_text="Three letters, lower case.")
    interval = serializers.CharField(allow_null=True, help_text="`day`, `week`, `month` or `year`.")
    interval_count = serializers.IntegerField(allow_null=True, help_text="Due every so many intervals.")
    period_end = serializers.DateTimeField(
        allow_null=True, help_text="The end of the period; unless it ends, the next payment is due then."
    )
    ends_at = serializers.DateTimeField(allow_null=True, help_text="Null: it goes on.")


class WantedPlanSerializer(StrictSerializer):
    """Which plan."""

    plan = serializers.CharField(max_length=LONGEST_SLUG, help_text="The slug of a plan on sale.")

    def validate_plan(self, slug: str) -> Plan:
        plan = Plan.objects.filter(slug=slug, is_on_sale=True).first()
        if plan is None:
            raise serializers.ValidationError(_("There is no such plan."))
        return plan


class WantedChangeSerializer(WantedPlanSerializer):
    """Exactly one of the two."""

    plan = serializers.CharField(max_length=LONGEST_SLUG, required=False, help_text="The slug of another plan on sale.")
    cancel_at_period_end = serializers.BooleanField(
        required=False, help_text="True: it ends with the period. False: it goes on after all."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(_("Send either the plan or cancel_at_period_end."))
        return attrs


class NothingSerializer(StrictSerializer):
    """An empty body, or `{}`."""


class CheckoutPageSerializer(serializers.Serializer[Any]):
    """Where to pay."""

    checkout_url = serializers.URLField(help_text="Stripe's payment page, always the same while it is open.")


class PortalPageSerializer(serializers.Serializer[Any]):
    """Where cards and invoices are."""

    portal_url = serializers.URLField(help_text="Stripe's page. It lets in whoever knows the address, for minutes.")


def shown(row: Subscription | None) -> dict[str, Any]:
    """The subscription, or that there is none, as the answer tells it."""
    told: dict[str, Any] = dict.fromkeys(SubscriptionSerializer().fields)
    if row:
        told |= {
            name: getattr(row, name) for name in ("amount", "currency", "interval", "interval_count", "period_end")
        }
        told |= {"plan": row.plan.slug if row.plan else None, "ends_at": row.cancel_at}
    return dict(SubscriptionSerializer(told | {"state": standing_of(row)}).data)
