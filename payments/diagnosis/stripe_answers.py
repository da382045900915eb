"""What Stripe says of it, asked on demand: the objects, the events in its list, and where it sends them.

All questions together have five seconds; what was not answered by then, or is refused, is said.
"""

from collections.abc import Callable, Iterator
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from threading import Event, Thread
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from payments.diagnosis.records import NEWS_OF_PAYMENT, Records
from payments.ledger.read_event import mentions_of
from payments.statuses import WAS_PAID
from payments.stripe_api import lookups
from payments.stripe_api.gateway import Answer, GatewayRefused, GatewayUnavailable, KeyRefused, in_a_hurry
from payments.stripe_api.snapshots import Json, MalformedObject

DEADLINE_SECONDS = 5.0
# Of a person with many orders, the latest.
MAX_OBJECTS = 3
# Pages of a hundred events of Stripe's list.
MAX_PAGES = 3
# https://docs.stripe.com/api/events: older ones are in no list.
STRIPE_KEEPS_EVENTS = timedelta(days=30)
AROUND = timedelta(hours=1)
LOOK_UPS: dict[str, Callable[[str], Answer]] = {
    "cs": lookups.look_up_session, "pi": lookups.look_up_intent, "ch": lookups.look_up_charge,
    "sub": lookups.look_up_subscription, "cus": lookups.look_up_customer, "in": lookups.look_up_invoice,
    "re": lookups.look_up_refund, "du": lookups.look_up_dispute, "dp": lookups.look_up_dispute,
    "evt": lookups.look_up_event, "price": lookups.look_up_price,
}  # fmt: skip
NOT_IN_TIME = gettext_lazy("no answer within five seconds")
TOO_OLD = gettext_lazy("Stripe lists the events of 30 days")
TOO_MANY = gettext_lazy("there are too many events in that time to look at all")
# What the questions about the account are called.
ACCOUNT, PORTAL = gettext_lazy("the account"), gettext_lazy("the Customer Portal")
ENDPOINTS = gettext_lazy("the webhook endpoints")
# After one of these nothing else would be answered.
ENDS_IT = (GatewayUnavailable, KeyRefused)
Text = str | Promise


@dataclass(frozen=True, slots=True)
class Questions:
    """What Stripe is asked: objects by their names, and which events of a period name one of `names`.

    `about_account`: whose key it is, and whether the Customer Portal is set up.
    """

    objects: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    period: tuple[datetime, datetime] | None = None
    about_account: bool = False


@dataclass(slots=True)
class StripeAnswers:
    """What Stripe has said. `unchecked`: what could not be asked, and why. `is_key_refused`: our key is not taken."""

    asked_at: datetime
    objects: dict[str, Json] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    endpoints: list[Json] | None = None
    account: Json | None = None
    portals: list[Json] | None = None
    unchecked: list[tuple[Text, Text]] = field(default_factory=list)
    is_key_refused: bool = False

    def why_not(self, what: Text) -> str:
        """Why this could not be asked; "" where it was answered."""
        return next((str(why) for unasked, why in self.unchecked if str(unasked) == str(what)), "")

    def as_dict(self) -> dict[str, Any]:
        """For programs: what was asked and what could not be; the answers themselves are in the findings."""
        return {
            "asked_at": self.asked_at, "known": sorted(self.objects), "missing": self.missing,
            "events": [event["id"] for event in self.events],
            "not_checked": [{"what": str(what), "why": str(why)} for what, why in self.unchecked],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One question: how people call it, how it is asked, and where the answer goes."""

    what: Text
    ask: Callable[[], Any]
    keep: Callable[[StripeAnswers, Any], None]


def questions_about(records: Records) -> Questions:
    """The last payment page of each order, each subscription, and a name that only Stripe may know."""
    pages = [page for order in records.orders if (page := records.last_checkout(order))][:MAX_OBJECTS]
    objects = [page.session for page in pages]
    objects += [row.stripe_id for row in records.subscriptions[:MAX_OBJECTS]]
    named = records.named
    if named.is_stripe_name and not records.owners:
        objects.append(named.text)
    # Whose money is here misses no event of it.
    waiting = [order for order in records.orders if order.status not in WAS_PAID]
    opened = [page for order in waiting if (page := records.last_checkout(order))]
    begins, ends = [page.created_at for page in opened], [page.expires_at or records.at for page in opened]
    names = {name for order in waiting for name in records.names_of(order)}
    return Questions(tuple(dict.fromkeys(objects)), frozenset(names), (min(begins), max(ends)) if opened else None)


def ask_stripe(questions: Questions, *, seconds: float = DEADLINE_SECONDS) -> StripeAnswers:
    """Ask all of it within so many seconds. Not to be called inside a transaction; raises nothing.

    In a thread of its own: a connection that says nothing must not hold the page longer than that.
    """
    answers = StripeAnswers(datetime.now(UTC))
    steps, heard = list(_steps(questions)), list[Any]()
    out_of_time = Event()

    def ask_all() -> None:
        with in_a_hurry():
            for step in steps:
                if out_of_time.is_set() or (heard and isinstance(heard[-1], ENDS_IT)):
                    return
                heard.append(_asked(step))

    thread = Thread(target=copy_context().run, args=(ask_all,), name="ask-stripe", daemon=True)
    thread.start()
    thread.join(seconds)
    out_of_time.set()
    _take(answers, steps, list(heard))
    return answers


def _asked(step: Step) -> Any:
    """The answer, or the error that came instead."""
    try:
        return step.ask()
    except (GatewayUnavailable, GatewayRefused, MalformedObject) as trouble:
        return trouble


def _take(answers: StripeAnswers, steps: list[Step], heard: list[Any]) -> None:
    away = next((each for each in heard if isinstance(each, ENDS_IT)), None)
    answers.is_key_refused = isinstance(away, KeyRefused)
    for number, step in enumerate(steps):
        answer = heard[number] if number < len(heard) else away or NOT_IN_TIME
        if isinstance(answer, GatewayRefused) and answer.code == "resource_missing":
            answers.missing.append(str(step.what))
        elif isinstance(answer, Exception | Promise):
            answers.unchecked.append((step.what, str(answer) if isinstance(answer, Exception) else answer))
        else:
            step.keep(answers, answer)


def _steps(questions: Questions) -> Iterator[Step]:
    if questions.about_account:
        yield Step(ACCOUNT, lookups.look_up_account, _keep_account)
    for name in questions.objects:
        if find := LOOK_UPS.get(name.partition("_")[0]):
            yield Step(name, partial(find, name), partial(_keep_object, name))
    if questions.names and questions.period:
        yield Step(
            gettext_lazy("its events in Stripe’s list"),
            partial(_events, questions.names, *questions.period),
            _keep_events,
        )
    yield Step(ENDPOINTS, lookups.webhook_endpoints, _keep_endpoints)
    if questions.about_account:
        yield Step(PORTAL, lookups.portal_configurations, _keep_portals)


def _keep_object(name: str, answers: StripeAnswers, told: Answer) -> None:
    answers.objects[name] = told.raw
    if name.startswith("evt_"):
        answers.events.append(told.raw)


def _keep_events(answers: StripeAnswers, told: tuple[list[Json], Text]) -> None:
    events, why_not_all = told
    answers.events += events
    if why_not_all:
        answers.unchecked.append((gettext_lazy("its events in Stripe’s list"), why_not_all))


def _keep_account(answers: StripeAnswers, told: Answer) -> None:
    answers.account = told.raw


def _keep_portals(answers: StripeAnswers, told: list[Json]) -> None:
    answers.portals = told


def _keep_endpoints(answers: StripeAnswers, told: list[Json]) -> None:
    answers.endpoints = told


def _events(names: frozenset[str], since: datetime, until: datetime) -> tuple[list[Json], Text]:
    """Those of the time of the payment page that name it; and why these may not be all."""
    if until < datetime.now(UTC) - STRIPE_KEEPS_EVENTS:
        return [], TOO_OLD
    created = {
        "gte": int((since - AROUND).timestamp()), "lte": int((until + AROUND).timestamp()),
    }  # fmt: skip
    rest = lookups.pages("events", {"types": list(NEWS_OF_PAYMENT), "created": created})
    found = [event for page in islice(rest, MAX_PAGES) for event in page if _names(event, names)]
    is_more = not found and next(rest, None) is not None
    return found, TOO_MANY if is_more else ""


def _names(event: Json, names: frozenset[str]) -> bool:
    return bool(names & {str(event["data"]["object"].get("id")), *mentions_of(event)})
