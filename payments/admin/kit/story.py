"""The page of something with a story: how it stands, the facts, what happened, and what money there is, if any."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from payments.admin.kit.display import (
    DISPUTE_TINTS,
    GOOD,
    OFF,
    diagnosis_links,
    link_to,
    pill,
    stripe_id,
    subscription_pill,
)
from payments.admin.kit.screens import ReadOnlyAdmin, may_see
from payments.money import format_amount
from payments.orders.models import Order
from payments.timeline import Moment, Statement, Subject, standing, statements_of, story
from payments.timeline.at_stripe import look_at_stripe
from payments.timeline.people import Person
from payments.timeline.standing import terms_text
from payments.timeline.story import NEWEST

# In the address: Stripe is asked; the story is told from its beginning.
ASK_STRIPE, TELL_ALL = "stripe", "story"
# Nobody reads more on one page; the lists under Technical have every row.
MOST = 2000
Fact = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A section of a page: heads and lines of cells. `amounts`: which columns hold money."""

    title: str
    heads: Sequence[str]
    lines: Sequence[Sequence[Any]]
    amounts: Sequence[int] = ()


def story_context(request: HttpRequest, subject: Subject, **options: Any) -> dict[str, Any]:
    """The timeline as whoever asks may see it, for `admin/kit/moments.html`."""
    tells_all = request.GET.get(TELL_ALL) == "all"
    told = story(subject, at=timezone.now(), limit=MOST if tells_all else NEWEST, **options)
    return {"moments": shown_moments(request, told.moments), "is_cut": told.is_cut, "tells_all": tells_all}


def shown_moments(request: HttpRequest, moments: Iterable[Moment]) -> list[tuple[Moment, list[str]]]:
    """Each with its links; what tells of rows that somebody may not see is not there."""
    seen: dict[str, bool] = {}

    def is_seen(label: str) -> bool:
        if label not in seen:
            seen[label] = may_see(request, label)
        return seen[label]

    return [
        (moment, [link_to(row, text) for row, text in moment.links if is_seen(row._meta.label_lower)])
        for moment in moments
        if all(is_seen(label) for label in moment.tells_of)
    ]


def shown_part(request: HttpRequest, told: Statement) -> Statement:
    """Without the questions and disputes that whoever asks may not see: how it stands tells nothing of them."""
    questions = told.questions if may_see(request, "payments.orderexception") else []
    disputes = told.disputes if may_see(request, "payments.dispute") else []
    return replace(told, questions=questions, disputes=disputes)


def money_tables(request: HttpRequest, told: Statement) -> list[Table]:
    """What belongs to it, as far as there is any and whoever asks may see it: questions first."""
    tables = (
        ("payments.orderexception", _("Questions"), questions_table(told)),
        ("payments.payment", _("Payments"), _payments(told)),
        ("payments.refund", _("Refunds"), _refunds(told)),
        ("payments.dispute", _("Disputes"), _disputes(told)),
    )
    return [replace(table, title=title) for label, title, table in tables if table.lines and may_see(request, label)]


def questions_table(told: Statement) -> Table:
    """Each leads to its own page, where the buttons are."""
    lines = [
        (
            link_to(row, str(row.get_kind_display())), row.detail_text,
            pill(_("open"), "care") if row.is_open else pill(_("settled"), OFF), row.opened_at,
        )
        for row in told.questions
    ]  # fmt: skip
    return Table("", (_("Question"), _("Detail"), _("State"), _("Since")), lines)


def _payments(told: Statement) -> Table:
    lines = [
        (
            stripe_id(row.key), _amount(row.received, row.currency), _amount(row.refunded, row.currency),
            _amount(row.lost, row.currency), row.paid_at,
        )
        for row in told.payments
    ]  # fmt: skip
    return Table(
        "", (_("Payment"), _("Received"), _("Refunded"), _("Lost to disputes"), _("Paid")), lines, amounts=(1, 2, 3)
    )


def _refunds(told: Statement) -> Table:
    lines = [
        (
            stripe_id(row.stripe_id), _amount(row.amount, row.currency), row.get_status_display(), row.status_at,
            row.failure_reason or row.pending_reason,
        )
        for row in told.refunds
    ]  # fmt: skip
    return Table("", (_("Refund"), _("Amount"), _("State"), _("Since"), _("Why")), lines, amounts=(1,))


def _disputes(told: Statement) -> Table:
    lines = [
        (
            link_to(row), _amount(row.amount, row.currency), pill(row.get_phase_display(), DISPUTE_TINTS[row.phase]),
            row.get_status_display(), row.reason, row.due_by,
        )
        for row in told.disputes
    ]  # fmt: skip
    return Table(
        "", (_("Dispute"), _("Amount"), _("Phase"), _("State"), _("Reason"), _("Answer by")), lines, amounts=(1,)
    )


def _amount(amount: int, currency: str) -> str:
    return format_amount(amount, currency) if amount and currency else ""


class StoryAdmin(ReadOnlyAdmin):
    """The page of an order or a subscription. `resync_permission`: the right to ask Stripe."""

    change_form_template = "admin/kit/story.html"
    resync_permission: str

    def facts(self, request: HttpRequest, subject: Subject) -> Iterator[Fact]:
        """Names and values; what has no value is left out."""
        raise NotImplementedError

    def row_links(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        return diagnosis_links(request, row.told.name)

    def tables(self, request: HttpRequest, told: Statement) -> Iterable[Table]:
        """The sections below the story."""
        return money_tables(request, told)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The facts stand in a list of their own."""
        return ()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """With all that belongs to it, in one query."""
        try:
            key = self.opts.pk.to_python(object_id)
        except ValidationError:
            return None
        found: Any = self.get_queryset(request).filter(pk=key)
        told = next(iter(statements_of(found)), None)
        if told is None:
            return None
        told.owner.told = told  # type: ignore[union-attr]
        return told.owner

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if (row := context.get("original")) is not None:
            told: Statement = row.told
            subject = Subject([told])
            context |= {
                "standing": standing(shown_part(request, told)),
                "facts": [(name, value) for name, value in self.facts(request, subject) if value],
                "tables": list(self.tables(request, told)),
                "may_ask": request.user.has_perm(self.resync_permission),
                **story_context(request, subject),
            }
            if ASK_STRIPE in request.GET and context["may_ask"]:
                context["at_stripe"] = look_at_stripe(told, at=timezone.now())
        return super().render_change_form(request, context, *args, **kwargs)


class PersonPage(ReadOnlyAdmin):
    """The page of a row that is a person."""

    change_form_template = "admin/kit/story.html"

    def person_of(self, row: Any) -> Person:
        """All that belongs to them."""
        raise NotImplementedError

    def row_links(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        return diagnosis_links(request, row.email)

    def facts(self, request: HttpRequest, person: Person, row: Any) -> Iterator[Fact]:
        """Names and values; what has no value is left out."""
        raise NotImplementedError

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The facts stand in a list of their own."""
        return ()

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if (row := context.get("original")) is not None:
            person = self.person_of(row)
            facts = [(name, value) for name, value in self.facts(request, person, row) if value]
            context |= {"facts": facts, **person_context(request, person)}
        return super().render_change_form(request, context, *args, **kwargs)


def person_context(request: HttpRequest, person: Person) -> dict[str, Any]:
    """How a person stands, what they have, and their story, as whoever asks may see it."""
    tables = (
        ("payments.subscription", _("Subscriptions"), _subscriptions(person)),
        ("payments.order", _("Orders"), _orders(person)),
        ("payments.orderexception", _("Questions"), _questions_of(person)),
    )
    shown = [replace(table, title=title) for label, title, table in tables if table.lines and may_see(request, label)]
    holdings = _holdings(request, person)
    may_see_money = may_see(request, "payments.order") and may_see(request, "payments.subscription")
    return {
        "standing": person.standing(lambda told: shown_part(request, told)) if may_see_money else "",
        "tables": [*shown, *([holdings] if holdings.lines else [])],
        **story_context(request, person.subject, with_events=False),
    }


def _subscriptions(person: Person) -> Table:
    lines = []
    for told in person.subscriptions:
        if row := told.subscription:
            following = row.cancel_at or (row.period_end if not row.has_ended else row.ended_at)
            lines.append((link_to(row), str(row.plan or ""), subscription_pill(row), terms_text(row), following))
    heads = (_("Subscription"), _("Plan"), _("State"), _("Price"), _("Next date"))
    return Table("", heads, lines)


def _orders(person: Person) -> Table:
    rows = [told.order for told in person.orders if told.order]
    lines = [(link_to(row, row.number), row.label, row.price, row.get_status_display(), row.created_at) for row in rows]
    return Table("", (_("Order"), _("What"), _("Price"), _("State"), _("Created")), lines, amounts=(2,))


def _questions_of(person: Person) -> Table:
    tables = [questions_table(told) for told in person.statements]
    return Table("", questions_table(Statement(Order())).heads, [line for table in tables for line in table.lines])


def _holdings(request: HttpRequest, person: Person) -> Table:
    lines = [
        (
            link_to(each.row, each.what), pill(each.state, GOOD if each.is_open else OFF), each.source, each.until,
        )
        for each in person.holdings(at=timezone.now())
        if may_see(request, each.row._meta.label)
    ]  # fmt: skip
    return Table(_("Places and accesses"), (_("What"), _("State"), _("Rests on"), _("Date")), lines)
