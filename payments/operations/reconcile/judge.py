"""Which orders and subscriptions a page of a list casts doubt on, and what of it nobody here knows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from payments.apply import find_ours
from payments.apply.resolve import Known
from payments.facts import About, Fact, OrderSide, SubscriptionSide
from payments.operations.reconcile.page import Money, Page
from payments.operations.reconcile.says import is_owned, says
from payments.orders.models import Order


@dataclass(frozen=True, slots=True)
class Subject:
    """What can be resynced: an order of ours, or a subscription by its name at Stripe."""

    order_id: int | None = None
    subscription: str = ""


@dataclass(slots=True)
class Judged:
    """`suspects`: what to ask Stripe about, with names that lead there; `lost`: objects that name no order of ours
    although we made them, with the order that they name; `names`: names of ours that nobody would find any more;
    `moved`: rows that belong to somebody else, and to whom.
    """

    moved: list[tuple[Money, Known]] = field(default_factory=list)
    suspects: dict[Subject, set[str]] = field(default_factory=lambda: defaultdict(set))
    lost: dict[str, str] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    foreign: int = 0


def judge(told: Mapping[str, Sequence[Fact]]) -> Judged:
    """Compare what the objects of a page tell, by their ids, with what is known here."""
    facts = [fact for each in told.values() for fact in each]
    page, judged, ours = Page.read(facts), Judged(), find_ours(facts)
    for name in page.names.taught:
        judged.suspects[_subject_of(page.names.known[name], page)].add(name)
    for stripe_id, said in told.items():
        verdicts = [_take(stripe_id, fact, page, judged, ours) for fact in said]
        judged.foreign += bool(verdicts) and not any(verdicts)
    judged.suspects.pop(Subject(), None)
    return judged


def _take(stripe_id: str, fact: Fact, page: Page, judged: Judged, ours: set[str]) -> bool:
    """Whether the fact is about something of ours."""
    about = fact.about
    if about.site not in ("", settings.SITE_NAME):
        return False
    known = page.names.find(about)
    if known is None:
        return _take_unknown(stripe_id, fact, judged, ours)
    if not says(page, fact, known):
        names = {about.session, about.payment_intent} - {""}
        judged.suspects[_subject_of(known, page)] |= names
        judged.moved += [(row, known) for row in page.rows_of(fact, known) if not is_owned(row, known)]
    if known.order_id and about.site:
        lost = (name for name in about.our_names() if name not in page.names.known)
        judged.names |= dict.fromkeys(lost, known.order_id)
    return True


def _take_unknown(stripe_id: str, fact: Fact, judged: Judged, ours: set[str]) -> bool:
    about = fact.about
    if isinstance(fact, SubscriptionSide) and about.subscription in ours:
        judged.suspects[Subject(subscription=about.subscription)] |= set()
        return True
    if not (isinstance(fact, OrderSide) and _names_our_order(about)):
        return False
    if (order := _nameless(about)) is not None:
        judged.names[f"order:{about.order}"] = order
        judged.suspects[Subject(order)] |= {about.session, about.payment_intent} - {""}
    else:
        judged.lost[stripe_id] = about.order
    return True


def _nameless(about: About) -> int | None:
    """The order that the object names, here although every name that led to it is lost."""
    if not any(name.startswith("order:") for name in about.our_names()):
        return None
    return Order.objects.filter(public_id=about.order).values_list("pk", flat=True).first()


def _names_our_order(about: About) -> bool:
    """We made it for an order that is not here (any more)."""
    return about.site == settings.SITE_NAME and bool(about.our_names())


def _subject_of(known: Known, page: Page) -> Subject:
    if known.order_id is not None:
        return Subject(order_id=known.order_id)
    row = page.subscriptions.get(known.subscription_id or 0)
    return Subject(subscription=row.stripe_id if row else "")
