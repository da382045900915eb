"""Which orders and subscriptions a page of a list casts doubt on, and what of it nobody here knows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from payments.apply.references import Match, find_our_subscriptions
from payments.facts import Fact, ObjectRefs, OrderSide, SubscriptionSide
from payments.orders.models import Order
from payments.reconcile.matches import Money, Page, is_owned, matches
from payments.reconcile.window import Subject


@dataclass(slots=True)
class Comparison:
    """What a page told of ours.

    `suspects`: what to ask Stripe about, with names that lead there; `lost`: objects that name no order of ours
    although we made them, with the order that they name; `names`: names of ours that nobody would find any more;
    `moved`: rows that belong to somebody else, and to whom; `foreign`: how many objects are of other products.
    """

    suspects: dict[Subject, set[str]] = field(default_factory=lambda: defaultdict(set))
    lost: dict[str, str] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    moved: list[tuple[Money, Match]] = field(default_factory=list)
    foreign: int = 0


def compare(objects: Mapping[str, Sequence[Fact]]) -> Comparison:
    """Compare what the objects of a page tell, by their ids, with what is known here."""
    facts = [fact for each in objects.values() for fact in each]
    page, found, ours = Page.read(facts), Comparison(), find_our_subscriptions(facts)
    for name in page.names.new_references:
        found.suspects[_subject_of(page.names.known[name], page)].add(name)
    for stripe_id, said in objects.items():
        are_ours = [_compare_fact(stripe_id, fact, page, found, ours) for fact in said]
        found.foreign += bool(are_ours) and not any(are_ours)
    found.suspects.pop(Subject(), None)
    return found


def _compare_fact(stripe_id: str, fact: Fact, page: Page, found: Comparison, ours: set[str]) -> bool:
    """Whether the fact is about something of ours."""
    refs = fact.refs
    known = page.names.find(refs)
    if known is None:
        return _compare_unknown(stripe_id, fact, found, ours)
    if not matches(page, fact, known):
        found.suspects[_subject_of(known, page)] |= {refs.session, refs.payment_intent} - {""}
        row = page.row_of(fact, known)
        if row and not is_owned(row, known):
            found.moved.append((row, known))
    if known.order_id and refs.site:
        lost = (name for name in refs.our_references() if name not in page.names.known)
        found.names |= dict.fromkeys(lost, known.order_id)
    return True


def _compare_unknown(stripe_id: str, fact: Fact, found: Comparison, ours: set[str]) -> bool:
    refs = fact.refs
    if isinstance(fact, SubscriptionSide) and refs.subscription in ours:
        found.suspects[Subject(subscription=refs.subscription)] |= set()
        return True
    if not isinstance(fact, OrderSide):
        return False
    if (order := _nameless(refs)) is not None:
        found.names[f"order:{refs.order}"] = order
        found.suspects[Subject(order)] |= {refs.session, refs.payment_intent} - {""}
        return True
    if is_lost := _names_our_order(refs):
        found.lost[stripe_id] = refs.order
    return is_lost


def _nameless(refs: ObjectRefs) -> int | None:
    """The order that the object names, here although every name that led to it is lost."""
    if not any(name.startswith("order:") for name in refs.our_references()):
        return None
    return Order.objects.filter(public_id=refs.order).values_list("pk", flat=True).first()


def _names_our_order(refs: ObjectRefs) -> bool:
    """We made it for an order that is not here (any more)."""
    return refs.site == settings.SITE_NAME and bool(refs.our_references())


def _subject_of(known: Match, page: Page) -> Subject:
    if known.order_id is not None:
        return Subject(order_id=known.order_id)
    row = page.subscriptions.get(known.subscription_id or 0)
    return Subject(subscription=row.stripe_id if row else "")
