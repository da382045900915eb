"""What was to go out: mails, alerts, refunds and wishes to Stripe; sent, late, skipped, in doubt or given up."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils.translation import gettext as _

from payments.diagnosis.findings import Finding, Remedy, Severity, moment, rule
from payments.diagnosis.records import Records
from payments.effects.mail import find_writer
from payments.effects.models import Effect
from payments.statuses import EffectStatus, ExceptionKind

# The worker delivers within seconds.
WORKER_IS_LATE = timedelta(minutes=2)
DESK = (ExceptionKind.NOT_DELIVERED, ExceptionKind.REFUND_OWED)


def _effects(records: Records, status: str) -> Iterator[Effect]:
    return (effect for effect in records.effects if effect.status == status)


def _what(effect: Effect) -> str:
    """A mail by the name of its text, anything else by its kind."""
    return _("The message “%s”") % effect.kind if find_writer(effect.kind) else f"“{effect.kind}”"


def _why(effect: Effect) -> str:
    """Our own sentences are stored in English; what a server said stays as it is."""
    return _(effect.outcome) if effect.outcome else _("no reason is known")


def _at_the_desk(effect: Effect, records: Records) -> Remedy:
    """Its question has the button that sends it again."""
    own = [row for row in records.of(records.owner_of(effect), records.questions) if row.kind in DESK]
    row = own[0] if own else effect
    return Remedy(_("Try it again with the button on its question (exception desk)."), row=row)


@rule("message.given_up", Severity.PROBLEM)
def given_up(records: Records) -> Iterator[Finding]:
    """Refused until nobody tried any more."""
    for effect in _effects(records, EffectStatus.DEAD):
        told = _("%(what)s was given up: %(reason)s") % {"what": _what(effect), "reason": _why(effect)}
        yield Finding(told, records.owner_of(effect), [effect], _at_the_desk(effect, records))


@rule("message.uncertain", Severity.PROBLEM)
def uncertain(records: Records) -> Iterator[Finding]:
    """A worker died in between: it may have gone out or not."""
    for effect in _effects(records, EffectStatus.UNCERTAIN):
        told = _("%(what)s may have gone out or not: %(reason)s") % {"what": _what(effect), "reason": _why(effect)}
        yield Finding(told, records.owner_of(effect), [effect], _at_the_desk(effect, records))


@rule("message.late", Severity.WAITING)
def late(records: Records) -> Iterator[Finding]:
    """Refused for now, or nobody delivers."""
    for effect in _effects(records, EffectStatus.PENDING):
        values = {"what": _what(effect), "reason": _why(effect), "moment": moment(effect.not_before)}
        if effect.attempts and effect.outcome:
            told = _("%(what)s was refused and is tried again (%(moment)s): %(reason)s") % values
            yield Finding(told, records.owner_of(effect), [effect])
        elif records.at - effect.not_before > WORKER_IS_LATE:
            told = _("%(what)s waits to go out (since %(moment)s).") % values
            remedy = Remedy(_("Check that the worker runs: it delivers within seconds."))
            yield Finding(told, records.owner_of(effect), [effect], remedy)


@rule("message.skipped", Severity.NOTE)
def skipped(records: Records) -> Iterator[Finding]:
    """Not sent on purpose, and why."""
    for effect in _effects(records, EffectStatus.SKIPPED):
        told = _("%(what)s was skipped: %(reason)s") % {"what": _what(effect), "reason": _why(effect)}
        yield Finding(told, records.owner_of(effect), [effect])


@rule("message.sent", Severity.FINE)
def sent(records: Records) -> Iterator[Finding]:
    """What has gone out, and when."""
    for effect in _effects(records, EffectStatus.DONE):
        told = _("%(what)s went out (%(moment)s).") % {"what": _what(effect), "moment": moment(effect.delivered_at)}
        yield Finding(told, records.owner_of(effect), [effect])
