"""Every night all roll-ups are compared with the rows; what differs is put right, and staff hear of it.

A figure that was wrong means that something moved without a mark: that is a fault of ours, not of the figure.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.urls import reverse

from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.mail import Mail, mails, to_staff
from payments.effects.models import Effect
from payments.figures.rollup import Difference, compare_all, is_alarming, note_check

log = structlog.get_logger(__name__)
ALERT_KIND = "alert.figures"
EXAMPLES_TOLD = 10


def check_figures(*, at: datetime) -> list[Difference]:
    """Compare all of the history, put right what differs, and tell staff. Returns what was wrong."""
    wrong = [each for _days, differences in compare_all(heal=True, at=at) for each in differences]
    alarming = [each for each in wrong if is_alarming(each)]
    with transaction.atomic():
        note_check(at=at)
        if alarming:
            enqueue([_alert_about(alarming, at=at)], at=at)
    for figure, count in Counter(each.key[1] for each in wrong).items():
        say = log.error if any(each.key[1] == figure for each in alarming) else log.info
        say("figures.differed", figure=figure, count=count)
    log.info("figures.checked", differences=len(wrong))
    return wrong


def _alert_about(differences: list[Difference], *, at: datetime) -> EffectRequest:
    """One mail for each night: it tells of what is right again, so it is never out of date."""
    days = {each.key[0] for each in differences}
    data = {
        "count": len(differences),
        "days": len(days),
        "first": min(days).isoformat(),
        "last": max(days).isoformat(),
        "examples": list(_examples(differences)),
    }
    return EffectRequest(key=f"{ALERT_KIND}:{at:%Y%m%d}", kind=ALERT_KIND, order_id=None, data=data)


def _examples(differences: Iterable[Difference]) -> Iterable[dict[str, Any]]:
    for each in list(differences)[:EXAMPLES_TOLD]:
        yield as_json(each)


def as_json(difference: Difference) -> dict[str, Any]:
    """A difference as programs read it: `told` by the roll-up, `counted` from the rows; null where there is none."""
    day, figure, currency, part = difference.key
    sides = {"told": difference.told, "counted": difference.counted}
    told = {name: dict(zip(("count", "amount"), side, strict=True)) if side else None for name, side in sides.items()}
    return {"day": day.isoformat(), "figure": figure, "currency": currency, "part": part, **told}


def in_words(difference: dict[str, Any]) -> str:
    """ "2026-03-02 received eur: 2 (9800) → 1 (4900)": for a log or a mail to those who run the site."""
    subject = " ".join(filter(None, (difference[name] for name in ("day", "figure", "currency", "part"))))
    told, counted = (_side(difference[name]) for name in ("told", "counted"))
    return f"{subject}: {told} → {counted}"


def _side(side: dict[str, int] | None) -> str:
    return f"{side['count']} ({side['amount']})" if side else "–"


@mails(ALERT_KIND)
def figures_were_wrong(effect: Effect) -> Mail:
    context = {**effect.data, "examples": [in_words(each) for each in effect.data["examples"]]}
    context["period"] = " – ".join(dict.fromkeys(effect.data[name] for name in ("first", "last")))
    return to_staff(context, page=reverse("admin:dashboard"))
