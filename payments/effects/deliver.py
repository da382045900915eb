"""Delivers the effects that are due, each claimed in a step of its own, so that none ever happens twice by itself."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_noop
from structlog.contextvars import bound_contextvars

from payments.effects.models import Effect
from payments.names import registration_of
from payments.sql import StaleRows, change_rows, update_rows, watched
from payments.statuses import EffectStatus
from payments.stripe_api.gateway import GatewayRefused

ShouldStop = Callable[[], bool]


def never() -> bool:
    """The stop flag of who is never asked to stop."""
    return False


@dataclass(frozen=True, slots=True)
class Skip:
    """Said by a deliverer: what the effect told of no longer holds. `reason` in English, marked for translation."""

    reason: str


# Said by several.
SUBJECT_GONE = Skip(gettext_noop("What it tells of no longer exists."))
IS_OVER = Skip(gettext_noop("It was over before it could be told."))


class OutcomeUnknown(RuntimeError):
    """Raised by a deliverer that was cut off halfway: it may have happened, or not."""


class Refused(RuntimeError):
    """Raised by a deliverer where the other side has answered, and the answer is no: only a person can change that."""


Deliver = Callable[[Effect], Skip | None]
Watch = Callable[[Effect, datetime], None]


@dataclass(frozen=True, slots=True)
class Deliverer:
    """How one kind of effect is delivered. `is_repeatable`: doing it twice does no harm outside.

    What it sets as the effect's `sent` is kept with the delivery.
    `words`: what people call it; a mail is called by its reader and its subject.
    """

    deliver: Deliver
    is_repeatable: bool
    words: str | Promise = ""


_deliverers: dict[str, Deliverer] = {}
_watchers: list[Watch] = []


class DeliveredTwice(RuntimeError):
    """Two functions claim the same kind of effect."""


def delivers(kind: str, *, repeatable: bool = False, words: str | Promise = "") -> Callable[[Deliver], Deliver]:
    """Register the decorated function for this kind. It returns when the effect is delivered; raising = refused.

    `repeatable`: idempotent outside (a refund with an idempotency key), so what a dead worker left is simply done
    again. Anything else (a mail) then becomes UNCERTAIN and is never repeated by itself.
    """

    def register(deliver: Deliver) -> Deliver:
        if kind in _deliverers:
            raise DeliveredTwice(kind)
        _deliverers[kind] = Deliverer(deliver, is_repeatable=repeatable, words=words)
        return deliver

    return register


def watches_deliveries(watch: Watch) -> Watch:
    """Register what a higher room does about an effect that is given up, in doubt or refused, and when that is over.

    It is called in the transaction that writes it down, and finds status and outcome in the effect as they are then.
    """
    _watchers.append(watch)
    return watch


def find_deliverer(kind: str) -> Deliverer | None:
    """How this kind is delivered; None if nobody does."""
    return _deliverers.get(kind)


def repeatable_kinds() -> list[str]:
    """The kinds that may be delivered twice without harm."""
    return [kind for kind, deliverer in _deliverers.items() if deliverer.is_repeatable]


log = structlog.get_logger(__name__)

BACK_OFF = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
# Longer than any delivery takes: who has had an effect in hand for so long is dead.
LOST_AFTER = timedelta(minutes=10)
# The key of a message that staff have sent once more: the first one's, this, and a number.
RESENT = ":again:"
WORKER_DIED = gettext_noop("The worker died during the delivery: it may have happened, or not.")
CUT_OFF = gettext_noop("The connection broke during the delivery: it may have happened, or not.")
NOBODY_DELIVERS = gettext_noop("Nobody delivers this kind of effect in this version.")

CLAIM = """
    UPDATE payments_effect SET status = %(claimed)s, claimed_at = %(at)s, attempts = attempts + 1
    WHERE id = (
        SELECT id FROM payments_effect WHERE status = 'PENDING' AND not_before <= %(at)s
        ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
"""  # 'PENDING' stands in the text: as a parameter it would hide from the planner that the partial index fits

CLAIM_ONE = CLAIM.replace("status = 'PENDING' AND", "key = %(key)s AND status = 'PENDING' AND")


def deliver_all(*, clock: Callable[[], datetime], should_stop: ShouldStop = never) -> int:
    """Deliver until nothing is due, the clock read anew for each effect. Returns how many were taken in hand."""
    total = 0
    while not should_stop() and deliver_due(at=clock(), limit=1):
        total += 1
    return total


def deliver_due(*, at: datetime, limit: int = 10) -> int:
    """Deliver at most so many of those that are due, outside any transaction. Returns how many were taken in hand.

    Claimed one by one: a worker that dies leaves one effect in doubt, not a whole batch.
    """
    count = 0
    while count < limit and (effect := _claim(at=at)):
        with bound_contextvars(**_named_in_log(effect)):
            deliver_effect(effect, at=at)
        count += 1
    return count


def deliver_now(*, key: str, at: datetime) -> bool:
    """Deliver this one, if it is due and nobody else has it in hand; False if not."""
    effect = next(iter(change_rows(Effect, CLAIM_ONE, {"claimed": EffectStatus.CLAIMED, "at": at, "key": key})), None)
    if effect:
        with bound_contextvars(**_named_in_log(effect)):
            deliver_effect(effect, at=at)
    return effect is not None


def _named_in_log(effect: Effect) -> dict[str, Any]:
    """What every line of its delivery says: what it is about, and the event and the request that asked for it."""
    about: dict[str, Any] = {"effect": effect.key, "stripe_event": effect.data.get("event"), **effect.cause}
    about["subscription"] = effect.subscription_id
    if effect.order is not None:
        about |= {"order": effect.order_id, "order_number": effect.order.number}
        about["registration"] = about.get("registration") or registration_of(effect.order)
    return {name: value for name, value in about.items() if value}


def deliver_effect(effect: Effect, *, at: datetime) -> None:
    """Deliver one effect that we have claimed, and write down what became of it; a deliverer may fail in any way."""
    deliverer = find_deliverer(effect.kind)
    if deliverer is None:
        # A newer version may have noted it, and deliver it: no reason to give up before the others do.
        _put_off(effect, NOBODY_DELIVERS, at=at)
        return
    try:
        skip = deliverer.deliver(effect)
    except OutcomeUnknown as error:
        _leave_open(effect, error, is_repeatable=deliverer.is_repeatable, at=at)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
        _put_off(effect, _described(error), is_refused=isinstance(error, Refused | GatewayRefused), at=at)
    else:
        _skip(effect, skip, at=at) if skip else _done(effect, at=at)


def recover_claimed(*, at: datetime) -> int:
    """Settle what dead workers left in hand: done again where that does no harm, else shown. Returns how many."""
    lost = Effect.objects.filter(status=EffectStatus.CLAIMED, claimed_at__lte=at - LOST_AFTER)
    again = lost.filter(kind__in=repeatable_kinds()).update(status=EffectStatus.PENDING, claimed_at=None, not_before=at)
    uncertain = sum(_finish(effect, EffectStatus.UNCERTAIN, at=at, outcome=WORKER_DIED) for effect in lost)
    if again or uncertain:
        log.warning("effects.recovered", again=again, uncertain=uncertain)
    return again + uncertain


@transaction.atomic
def try_again(*, key: str, at: datetime) -> bool:
    """Deliver at once what was given up, is in doubt, or has not done what it was for. False: it is under way or gone.

    `again` in its data counts, so that the other side does not take it for what it has refused.
    """
    unsettled = Effect.objects.filter(key=key).exclude(status__in=[EffectStatus.CLAIMED, EffectStatus.SKIPPED])
    effect = unsettled.select_for_update().first()
    if effect is None:
        return False
    effect.data = {**effect.data, "again": effect.data.get("again", 0) + 1}
    effect.status, effect.not_before, effect.attempts, effect.claimed_at = EffectStatus.PENDING, at, 0, None
    effect.save(update_fields=["data", "status", "not_before", "attempts", "claimed_at"])
    if seen := watched():
        seen.effects.append(effect)
    log.info("effect.again", effect=effect.key, order=effect.order_id)
    return True


def _claim(*, at: datetime) -> Effect | None:
    """One effect that is due; while we have it in hand nobody else takes it."""
    return next(iter(change_rows(Effect, CLAIM, {"claimed": EffectStatus.CLAIMED, "at": at})), None)


def _done(effect: Effect, *, at: datetime) -> None:
    _finish(effect, EffectStatus.DONE, at=at, delivered_at=at, outcome="", sent=effect.sent)
    log.info("effect.delivered", effect=effect.key, order=effect.order_id)


def _skip(effect: Effect, skip: Skip, *, at: datetime) -> None:
    """Skipped, unless it was noted again while we looked: then its state is back, and we look again."""
    as_seen = {"not_before": effect.not_before}
    if not _finish(effect, EffectStatus.SKIPPED, at=at, only_if=as_seen, outcome=skip.reason[:500]):
        _finish(effect, EffectStatus.PENDING, at=at, claimed_at=None)
        return
    log.info("effect.skipped", effect=effect.key, order=effect.order_id, reason=skip.reason)


def _leave_open(effect: Effect, error: OutcomeUnknown, *, is_repeatable: bool, at: datetime) -> None:
    if is_repeatable:
        _put_off(effect, _described(error), at=at)
        return
    _finish(effect, EffectStatus.UNCERTAIN, at=at, outcome=CUT_OFF, sent=effect.sent)
    log.warning("effect.uncertain", effect=effect.key, order=effect.order_id, error=repr(error))


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _put_off(effect: Effect, outcome: str, *, at: datetime, is_refused: bool = False) -> None:
    """The n-th refusal waits the n-th span; after the last one the effect is given up."""
    if effect.attempts > len(BACK_OFF):
        _give_up(effect, outcome, at=at)
        return
    again_at, told = at + BACK_OFF[effect.attempts - 1], _storable(outcome)
    _finish(
        effect, EffectStatus.PENDING, at=at, is_refused=is_refused, claimed_at=None, not_before=again_at, outcome=told
    )
    log.warning("effect.refused", effect=effect.key, order=effect.order_id, error=outcome, again_at=again_at)


def _give_up(effect: Effect, outcome: str, *, at: datetime) -> None:
    _finish(effect, EffectStatus.DEAD, at=at, outcome=_storable(outcome))
    log.error("effect.given_up", effect=effect.key, kind=effect.kind, order=effect.order_id, error=outcome)


def _finish(
    effect: Effect, status: EffectStatus, *, at: datetime, only_if: dict[str, Any] | None = None,
    is_refused: bool = False, **columns: Any,
) -> bool:  # fmt: skip
    """Write the end of a delivery, if the effect is still ours. False: somebody else has settled it meanwhile."""
    still = {"status": EffectStatus.CLAIMED, "claimed_at": effect.claimed_at, **(only_if or {})}
    row = {"id": effect.pk, "status": status, **columns, **{f"was_{name}": value for name, value in still.items()}}
    watchers = _watchers if is_refused or _is_watched(effect, status) else ()
    with transaction.atomic() if watchers else nullcontext():
        try:
            update_rows(Effect, [row], guards=tuple(still))
        except StaleRows:
            return False
        effect.status, effect.outcome = status, columns.get("outcome", effect.outcome)
        for watch in watchers:
            watch(effect, at)
    return True


def _is_watched(effect: Effect, status: EffectStatus) -> bool:
    """Whether somebody must hear of it: it has failed, or it has had trouble before and that is over."""
    if status in (EffectStatus.DEAD, EffectStatus.UNCERTAIN):
        return True
    had_trouble = effect.attempts > 1 or "again" in effect.data or RESENT in effect.key
    return had_trouble and status in (EffectStatus.DONE, EffectStatus.SKIPPED)


def _storable(text: str) -> str:
    """What a server says may hold anything; PostgreSQL takes no NUL."""
    return text.replace("\0", "")[:500]
