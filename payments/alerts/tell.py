"""How staff hear of an alert: one mail for each incident, and a signed message to the address of ALERT_WEBHOOK_URL."""

import json
import time
from typing import Any

import requests
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_noop

from payments.alerts.models import Alert
from payments.alerts.watch import HOOK, MAIL
from payments.effects.deliver import IS_OVER, SUBJECT_GONE, Skip, delivers
from payments.effects.mail import Mail, mails, to_staff
from payments.effects.models import Effect
from payments.stripe_api.signature import sign

HOOK_SECONDS = 5.0
SIGNATURE_HEADER = "X-Signature"
NOBODY_LISTENS = Skip(gettext_noop("There is no address to tell it to."))


@mails(MAIL)
def alert_opened(effect: Effect) -> Mail | Skip:
    """What is wrong, how grave, and what to do."""
    row = Alert.objects.filter(pk=effect.data["alert"]).first()
    if row is None:
        return SUBJECT_GONE
    if row.closed_at:
        return IS_OVER
    return to_staff({"alert": row, "environment": settings.ENVIRONMENT}, page=row.page)


@delivers(HOOK, repeatable=True)
def send_hook(effect: Effect) -> Skip | None:
    """POST it. Whatever is no 2xx is tried again by and by."""
    row = Alert.objects.filter(pk=effect.data["alert"]).first()
    if row is None:
        return SUBJECT_GONE
    if not settings.ALERT_WEBHOOK_URL:
        return NOBODY_LISTENS
    body = json.dumps(message_of(row, what=effect.data["what"])).encode()
    headers = {"Content-Type": "application/json"}
    if settings.ALERT_WEBHOOK_SECRET:
        headers[SIGNATURE_HEADER] = sign(body, settings.ALERT_WEBHOOK_SECRET, int(time.time()))
    answer = requests.post(
        settings.ALERT_WEBHOOK_URL, data=body, headers=headers, timeout=HOOK_SECONDS, allow_redirects=False
    )
    answer.raise_for_status()
    return None


def message_of(row: Alert, *, what: str) -> dict[str, Any]:
    """`text` is what Slack and its like show; the rest is for programs. `what`: "opened" or "closed"."""
    with translation.override(settings.LANGUAGE_CODE):
        sentence, title, page = row.sentence, row.title, f"{settings.SITE_URL}{row.page}"
    sign_of = {"opened": "🔴", "closed": "🟢"}[what]
    return {
        "text": f"{sign_of} {settings.SITE_NAME} ({settings.ENVIRONMENT}): {title}. {sentence} {page}",
        "alert": {
            "id": row.pk, "what": what, "rule": row.rule, "subject": row.subject, "severity": row.severity,
            "environment": settings.ENVIRONMENT, "title": title, "sentence": sentence, "page": page,
            "opened_at": row.opened_at.isoformat(), "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        },
    }  # fmt: skip
