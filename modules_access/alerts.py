"""What is watched about accesses."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from modules_access.repair.repair import ALERT_KIND
from payments.alerts import AlertSeverity, Look, Trouble, alert_rule
from payments.effects.models import Effect


@alert_rule(
    "accesses.wrong", title=_("Accesses had to be repaired"), severity=AlertSeverity.MEDIUM,
    every=timedelta(minutes=10), has_mail=False,
    remedy=_("They are right again; whoever looks after this program should know why they were wrong."),
)  # fmt: skip
def accesses_were_wrong(look: Look) -> Iterator[Trouble]:
    """By today's mail of the nightly repair, whose key has the moment."""
    told = Effect.objects.filter(key__startswith=f"{ALERT_KIND}:{look.at:%Y%m%d}").values_list("data", flat=True)
    for data in told[:1]:
        text = gettext_noop("Last night accesses did not follow what gives them: %(count)s.")
        yield Trouble(text, reverse("admin:modules_access_paid_without"), {"count": str(data["healed"])})
