"""The mails that the buyer got: what is not kept is written again from today's state, and says so."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from payments.effects.deliver import Skip
from payments.effects.mail import build, find_writer
from payments.effects.models import Effect
from payments.operations.evidence.case import Case
from payments.operations.evidence.timeline import effects_of
from payments.statuses import EffectStatus

ALERT = "alert."
SENT = (EffectStatus.DONE, EffectStatus.UNCERTAIN)
# Whoever has the address of a buyer's page may act as the buyer.
LINK = re.compile(r"(https?://[^/\s<>\"]+)/[^\s<>\"]+")


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail. `note`: how far the text can be trusted to be the one that was sent."""

    kind: str
    at: datetime
    to: str
    subject: str
    body: str
    note: str


def mails_to_buyer(case: Case) -> list[SentMail]:
    """Every mail that was sent to the buyer, in the order in which it went out; what goes to staff is left out."""
    sent = (effect for effect in effects_of(case) if effect.status in SENT and not effect.kind.startswith(ALERT))
    mails = [mail for effect in sent if (mail := _mail(effect, case))]
    return sorted(mails, key=lambda mail: mail.at)


def _mail(effect: Effect, case: Case) -> SentMail | None:
    write = find_writer(effect.kind)
    if write is None:
        return None
    at = effect.delivered_at or effect.claimed_at or effect.created_at
    note = _("Written again from today’s state: the text of that day is not kept.")
    if effect.status == EffectStatus.UNCERTAIN:
        note = " ".join((note, _("It is not certain that it went out.")))
    mail = write(effect)
    if isinstance(mail, Skip):
        note = _("Its text cannot be written again: %s") % _(mail.reason)
        return SentMail(effect.kind, at, case.email, "", "", note)
    message = build(mail, kind=effect.kind, key=effect.key)
    return SentMail(
        effect.kind, at, ", ".join(message.to), str(message.subject), without_links(str(message.body)), note
    )


def without_links(text: str) -> str:
    """The text with every link cut to its site."""
    return LINK.sub(r"\1/…", text)
