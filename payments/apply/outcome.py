"""What a piece of work brings about, in words for people: read while it is watched, before it is kept or undone."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from payments.apply.batch import guarded
from payments.billing.models import Payment, Subscription
from payments.effects.deliver import Skip, find_deliverer
from payments.effects.enqueue import AskedEffect
from payments.effects.mail import ALERT, Mail, Write, find_writer, subject_of
from payments.effects.models import Effect
from payments.money import format_amount
from payments.names import REFUND_KIND
from payments.orders.labels import name_of, value_of
from payments.orders.models import Order, OrderChange, OrderException
from payments.sql import Watched
from payments.statuses import EffectStatus

FINGERPRINT_CHARS = 32
# Each mail is written to find its words: of a thousand nobody reads more.
MAX_EFFECTS_IN_WORDS = 50


@dataclass(frozen=True, slots=True)
class SeenChange:
    """Of `subject` (an order's number, a subscription's id, or "") `what` changes: in words for people."""

    subject: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SeenEffect:
    """What goes out ("E-mail to ada@example.com: …") and what becomes of it ("new", "already sent …")."""

    words: str
    fate: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class SeenQuestion:
    """A question for staff that opens or (not `is_open`) closes."""

    words: str
    is_open: bool


@dataclass(slots=True)
class Outcome:
    """All that a piece of work brings about, and why some of it is refused.

    `fingerprints` stand for it where somebody agrees to it. Equal work has equal ones, whenever it is looked at and in
    whatever language.
    """

    changes: list[SeenChange] = field(default_factory=list)
    effects: list[SeenEffect] = field(default_factory=list)
    questions: list[SeenQuestion] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    fingerprints: list[str] = field(default_factory=list)

    @classmethod
    def of_all(cls, parts: "Iterable[Outcome]") -> "Outcome":
        """What several pieces of work bring about together."""
        total = cls()
        for part in parts:
            for name in ("changes", "effects", "questions", "refusals", "fingerprints"):
                getattr(total, name).extend(getattr(part, name))
        return total

    @property
    def says_nothing(self) -> bool:
        """Nothing goes out and nobody is asked: then that is said."""
        return not (self.effects or self.questions or self.refusals)

    @property
    def sections(self) -> list[tuple[str, list[tuple[str, str, str]]]]:
        """The changes by what they are about: (subject, [(what, before, after)])."""
        found: dict[str, list[tuple[str, str, str]]] = {}
        for change in self.changes:
            found.setdefault(change.subject, []).append((change.what, change.before, change.after))
        return list(found.items())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: [asdict(each) for each in getattr(self, name)] for name in ("changes", "effects", "questions")}


def outcome_of(seen: Watched) -> Outcome:
    """What was seen, in the reader's language. To be called in the transaction that did it: mails look at its state."""
    changes, effects = _last_of_each(seen.changes), _asked(seen.effects)
    questions = {(row.kind, row.subject): row for row in seen.questions}.values()
    owners = _owners(changes)
    return Outcome(
        changes=[_seen_change(row, owners) for row in changes],
        effects=[_seen_effect(each) for each in effects[:MAX_EFFECTS_IN_WORDS]] + _rest_of(effects),
        questions=[_seen_question(row) for row in questions],
        fingerprints=fingerprints_of(seen),
    )


def fingerprints_of(seen: Watched) -> list[str]:
    """What stands for all that was seen, without finding words for it."""
    changes = _last_of_each(seen.changes)
    return sorted({
        *(fingerprint_of(row.order_id, row.subscription_id, row.field, row.before, row.after) for row in changes),
        *(_fingerprint_of_effect(each) for each in _asked(seen.effects)),
        *(fingerprint_of(row.kind, row.subject, row.is_open) for row in seen.questions),
    })  # fmt: skip


def fingerprint_of(*parts: object) -> str:
    """What stands for one difference."""
    return sha256(repr(parts).encode()).hexdigest()[:FINGERPRINT_CHARS]


def lines_of(outcome: Outcome) -> list[str]:
    """What goes out and what staff are asked, for the command line."""
    lines = [f"{effect.words}: {effect.fate}" for effect in outcome.effects]
    return lines + [f"Question {'opens' if each.is_open else 'closes'}: {each.words}" for each in outcome.questions]


Owners = Mapping[tuple[int | None, int | None], tuple[str, str]]


def _last_of_each(rows: Iterable[OrderChange]) -> list[OrderChange]:
    """Of what changed several times the first value and the last; what came back to where it was has not changed."""
    found: dict[tuple[Any, ...], OrderChange] = {}
    for row in rows:
        key = (row.order_id, row.subscription_id, row.field, row.source if row.order_id is None else "")
        first = found.get(key, row)
        found[key] = OrderChange(
            order_id=row.order_id, subscription_id=row.subscription_id, field=row.field, before=first.before,
            after=row.after, source=row.source,
        )  # fmt: skip
    return [row for row in found.values() if row.before != row.after]


def _owners(changes: Collection[OrderChange]) -> Owners:
    """What each is called, and its currency; two queries."""
    orders = Order.objects.in_bulk({row.order_id for row in changes if row.order_id})
    rows = Subscription.objects.in_bulk({row.subscription_id for row in changes if row.subscription_id})
    names: dict[tuple[int | None, int | None], tuple[str, str]] = {(None, None): (_("Customer"), "")}
    for row in changes:
        key = (row.order_id, row.subscription_id)
        if order := orders.get(row.order_id or 0):
            names[key] = (f"{order.number} {order.label}".strip(), order.currency)
        elif subscription := rows.get(row.subscription_id or 0):
            names[key] = (subscription.stripe_id, subscription.currency)
    return names


def _seen_change(row: OrderChange, owners: Owners) -> SeenChange:
    subject, currency = owners.get((row.order_id, row.subscription_id), ("", ""))
    before, after = (value_of(row.field, stored, currency=currency) for stored in (row.before, row.after))
    return SeenChange(subject, name_of(row.field), before, after)


def _seen_question(row: OrderException) -> SeenQuestion:
    detail = row.detail_text
    label = str(row.get_kind_display())
    return SeenQuestion(f"{label}: {detail}" if detail else label, row.is_open)


# Effects: the request with what its key has already, or the effect that is tried again.


def _asked(seen: Iterable[AskedEffect | Effect]) -> list[AskedEffect | Effect]:
    """Each key once: the first time tells whether it is new."""
    found: dict[str, AskedEffect | Effect] = {}
    for each in seen:
        found.setdefault(each.request.key if isinstance(each, AskedEffect) else each.key, each)
    return list(found.values())


def _effect_of(each: AskedEffect | Effect) -> Effect:
    if isinstance(each, Effect):
        return each
    request = each.request
    return Effect(
        key=request.key, kind=request.kind, order_id=request.order_id, subscription_id=request.subscription_id,
        data=request.data, not_before=request.not_before or timezone.now(), created_at=timezone.now(),
        claimed_at=request.not_before,
    )  # fmt: skip


def is_new(each: AskedEffect | Effect) -> bool:
    """Whether something goes out by it: its key is new, was skipped so far, or it is tried again."""
    return isinstance(each, Effect) or each.known is None or each.known.status == EffectStatus.SKIPPED


def _fingerprint_of_effect(each: AskedEffect | Effect) -> str:
    """Without its key, which may name the moment."""
    effect = _effect_of(each)
    told = {name: effect.data.get(name) for name in ("payment", "amount", "ending", "event")}
    return fingerprint_of(effect.kind, effect.order_id, effect.subscription_id, told, is_new(each))


def _seen_effect(each: AskedEffect | Effect) -> SeenEffect:
    effect = _effect_of(each)
    words, skipped = _words_of(effect)
    if skipped and is_new(each) and (effect.not_before <= timezone.now()):
        return SeenEffect(words, _("is skipped: %(reason)s") % {"reason": skipped}, False)
    return SeenEffect(words, _fate_of(each), is_new(each))


def _rest_of(effects: list[AskedEffect | Effect]) -> list[SeenEffect]:
    more = effects[MAX_EFFECTS_IN_WORDS:]
    if not more:
        return []
    new = sum(map(is_new, more))
    told = _("%(count)d more, of which %(new)d are new") % {"count": len(more), "new": new}
    return [SeenEffect(told, "", new > 0)]


def _fate_of(each: AskedEffect | Effect) -> str:
    known = each.known if isinstance(each, AskedEffect) else None
    if known is None or known.status == EffectStatus.SKIPPED:
        request = each.request if isinstance(each, AskedEffect) else None
        if request and request.not_before and request.not_before > timezone.now():
            return _("new, goes out on %(moment)s if it still holds") % {"moment": _moment(request.not_before)}
        return _("new") if request else _("goes out again")
    match known.status:
        case EffectStatus.DONE:
            return _("already sent on %(moment)s, will be skipped") % {"moment": _moment(known.delivered_at)}
        case EffectStatus.UNCERTAIN:
            return _("perhaps sent already, will be skipped")
        case EffectStatus.DEAD:
            return _("given up before, will be skipped")
    return _("already waiting to be sent, goes out once")


def _moment(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment else "?"


def _words_of(effect: Effect) -> tuple[str, str]:
    """What goes out to whom, and why it would be skipped at this moment ("" if not)."""
    if effect.kind == REFUND_KIND:
        return _refund_in_words(effect), ""
    writer = find_writer(effect.kind)
    if writer is None:
        deliverer = find_deliverer(effect.kind)
        return str(deliverer.words) if deliverer and deliverer.words else effect.kind, ""
    written = guarded(partial(_written, writer, effect))
    if isinstance(written, Exception):
        return _("E-mail “%(kind)s”, which cannot be written: %(error)s") % {
            "kind": effect.kind, "error": repr(written),
        }, ""  # fmt: skip
    mail, subject = written
    if isinstance(mail, Skip):
        return _("E-mail “%(kind)s”") % {"kind": effect.kind}, _(mail.reason)
    values = {"people": ", ".join(mail.to) or "–", "subject": subject}
    if effect.kind.startswith(ALERT):
        return _("E-mail to staff: “%(subject)s”") % values, ""
    return _("E-mail to %(people)s: “%(subject)s”") % values, ""


def _written(writer: Write, effect: Effect) -> tuple[Mail | Skip, str]:
    """The mail as it would be written now, and its subject; whatever goes wrong costs the transaction nothing."""
    with transaction.atomic():
        mail = writer(effect)
        return mail, "" if isinstance(mail, Skip) else subject_of(mail, kind=effect.kind)


def _refund_in_words(effect: Effect) -> str:
    """How much goes back: nothing said means all that is left."""
    payment = Payment.objects.filter(key=effect.data["payment"]).first()
    if payment is None:
        return _("Refund of the payment %(payment)s") % {"payment": effect.data["payment"]}
    amount = payment.here if effect.data["amount"] is None else effect.data["amount"]
    values = {"amount": format_amount(amount, payment.currency), "payment": payment.key}
    return _("Refund of %(amount)s of the payment %(payment)s") % values
