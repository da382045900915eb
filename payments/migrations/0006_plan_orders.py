"""Orders that begin a subscription, and the two plans that are sold from the start."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Both open the same: they differ in how one pays.
PLANS = (("monthly", 400, "month"), ("yearly", 3000, "year"))


def sell(apps, schema_editor):
    """Who has named or priced a plan of theirs keeps it."""
    plans = apps.get_model("payments", "Plan").objects
    for position, (slug, amount, interval) in enumerate(PLANS):
        usual = {"name": "Premium", "amount": amount, "currency": "eur", "interval": interval, "position": position}
        plans.get_or_create(slug=slug, defaults=usual)


class Migration(migrations.Migration):

    dependencies = [
        ("payments", "0005_subscriptions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="user",
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="orders", to=settings.AUTH_USER_MODEL, verbose_name="user"),
        ),
        migrations.AddField(
            model_name="order",
            name="plan",
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="orders", to="payments.plan", verbose_name="plan"),
        ),
        migrations.AlterField(
            model_name="orderexception",
            name="kind",
            field=models.CharField(choices=[("AMOUNT_MISMATCH", "Amount or currency differs"), ("SECOND_PAYMENT", "Paid twice"), ("NO_PLACE", "Paid without a place"), ("UNKNOWN_ORDER", "Names an order that does not exist"), ("UNKNOWN_SESSION", "Paid through a session that is not ours"), ("SECOND_SUBSCRIPTION", "Subscribed twice")], max_length=20, verbose_name="kind"),
        ),
        migrations.RunPython(sell, migrations.RunPython.noop),
    ]
