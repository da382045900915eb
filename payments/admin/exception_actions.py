"""The buttons of the exception desk: the ways in which a person settles a question, each with a reason and a right."""

from functools import partial
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.hooks import Ending
from payments.admin.kit.actions import ROWS_LISTED, Confirmation, ReasonForm, confirmed_action
from payments.admin.refunds import sum_text
from payments.apply.outcome import Outcome
from payments.orders.labels import name_of, value_of
from payments.orders.models import Order, OrderException
from payments.refunds.accept import accept, can_be_accepted, preview_accept
from payments.refunds.again import find_debt, refund_again, send_again
from payments.refunds.staff_refunds import (
    DecisionRefused,
    concerns,
    dismiss,
    give_place,
    owner_name,
    owner_of,
    preview_refund,
    refund_exception,
)
from payments.resync.link_money import link_to_order, names_of_money, preview_link
from payments.statuses import ABOUT_NO_MONEY, ExceptionKind
from payments.subscribing.ending import end_in_question
from payments.todo.questions import sentence_of

# Whoever has waited longest comes first.
oldest_first = partial(confirmed_action, order=("opened_at", "pk"), previews=True)
# What has a button of its own, or is about no money.
SETTLED_OTHERWISE = (*ABOUT_NO_MONEY, ExceptionKind.REFUND_OWED, ExceptionKind.NOT_AT_STRIPE)


def _can_be_refunded(question: OrderException) -> bool:
    """Whether giving the money back would answer it; of what is not at Stripe, or never came, nothing can go back."""
    never_came = question.kind == ExceptionKind.AMOUNT_MISMATCH and "received" not in question.values
    return question.is_open and bool(owner_of(question)) and question.kind not in SETTLED_OTHERWISE and not never_came


def _refund_consequences(questions: QuerySet) -> list[str]:
    return [*map(_refund_sentence, questions[:ROWS_LISTED]), _("A question closes when Stripe says so.")]


def _refund_sentence(question: OrderException) -> str:
    """What goes back to settle one question."""
    owner = owner_of(question)
    if owner is None:
        return _("%(question)s: no order belongs to it, so it can only be refunded at Stripe.") % {"question": question}
    left = [each for each in preview_refund(owner)[1] if concerns(question, each)]
    values = {"order": owner_name(owner), "amount": sum_text(left), "kind": question.get_kind_display()}
    if not left:
        return _("%(order)s, %(kind)s: nothing is left to refund.") % values
    return _("%(order)s, %(kind)s: %(amount)s is refunded to the original payment method.") % values


@oldest_first(
    description=gettext_lazy("Refund the money in question…"), label=gettext_lazy("Refund…"),
    permission="payments.refund_orderexception",
    applies_to=_can_be_refunded,
    title=gettext_lazy("Refund this money?"), button=gettext_lazy("Refund now"), consequences=_refund_consequences,
    done=gettext_lazy("asked for. What becomes of it stands at the order."),
)  # fmt: skip
def refund(question: OrderException, confirmation: Confirmation) -> None:
    """All of the payment that the question is about; of who has no place all that was paid."""
    refund_exception(
        exception=question, reason=confirmation.reason, by=confirmation.by.get_username(), at=confirmation.at
    )


def _debt_sentences(questions: QuerySet) -> list[str]:
    once = _(
        "Stripe is asked once more, at once, and gives back this much and no more; the question closes when it has."
    )
    return [*map(_debt_sentence, questions[:ROWS_LISTED]), once]


def _debt_sentence(question: OrderException) -> str:
    """What is owed, and why it has not gone back."""
    if find_debt(question) is None:
        return _("Nothing of this is owed any more.")
    payment, person = (str(question.values.get(name) or "?") for name in ("payment", "person"))
    return f"{sentence_of(question)} ({payment}, {person})"


@oldest_first(
    description=gettext_lazy("Refund again…"), permission="payments.retry_refund",
    applies_to=lambda question: question.is_open and question.kind == ExceptionKind.REFUND_OWED,
    title=gettext_lazy("Try these refunds again?"), button=gettext_lazy("Refund again now"),
    consequences=_debt_sentences, done=gettext_lazy("asked for. What becomes of it stands at the order."),
)  # fmt: skip
def refund_once_more(question: OrderException, confirmation: Confirmation) -> None:
    """What was promised and has not gone back."""
    refund_again(exception=question, reason=confirmation.reason, by=confirmation.by.get_username(), at=confirmation.at)


@oldest_first(
    description=gettext_lazy("Send again…"), permission="payments.resend_effect",
    applies_to=lambda question: question.is_open and question.kind == ExceptionKind.NOT_DELIVERED,
    title=gettext_lazy("Send these again?"), button=gettext_lazy("Send again now"),
    done=gettext_lazy("on the way. The question closes when it is delivered."),
    consequences=(
        gettext_lazy("It goes to the address that is known now: correct that first where it was wrong."),
        gettext_lazy("What may have been sent already is then there twice."),
        gettext_lazy("Where there is nothing to tell any more nothing is sent, and the question closes."),
    ),
)  # fmt: skip
def send_once_more(question: OrderException, confirmation: Confirmation) -> None:
    """A message, or what Stripe was to be told."""
    send_again(exception=question, reason=confirmation.reason, by=confirmation.by.get_username(), at=confirmation.at)


def _end_action(ending: Ending, *, description: Any, button: Any) -> Any:
    """A button that ends the subscription in question, in one of two ways."""

    def end(question: OrderException, confirmation: Confirmation) -> None:
        end_in_question(
            exception=question, ending=ending, reason=confirmation.reason, by=confirmation.by.get_username(),
            at=confirmation.at,
        )  # fmt: skip

    end.__name__ = f"end_{ending}"
    return oldest_first(
        description=description, permission="payments.end_subscription",
        title=gettext_lazy("End these subscriptions?"), button=button,
        applies_to=lambda question: question.is_open and question.kind == ExceptionKind.ACCOUNT_CLOSED,
        done=gettext_lazy("asked of Stripe. The question closes when it is done."),
        consequences=(
            gettext_lazy("Stripe is asked to end it; no money goes back by that."),
            gettext_lazy("What the subscription gave ends with it."),
        ),
    )(end)  # fmt: skip


end_now = _end_action(Ending.NOW, description=gettext_lazy("End now…"), button=gettext_lazy("End now"))
end_with_period = _end_action(
    Ending.PERIOD, description=gettext_lazy("End with the period…"), button=gettext_lazy("End with the period")
)


def _accept_consequences(questions: QuerySet) -> list[str]:
    """What would change, tried out and taken back."""
    return [*map(_acceptance, questions[:ROWS_LISTED]), _("No money moves.")]


def _acceptance(question: OrderException) -> str:
    owner = question.order
    try:
        changes, messages = preview_accept(exception=question, at=timezone.now())
    except DecisionRefused as refusal:
        return f"{sentence_of(question)}: {refusal}"
    currency = owner.currency if owner else ""
    told = "; ".join(
        f"{name_of(what)}: {value_of(what, before, currency=currency)} → {value_of(what, after, currency=currency)}"
        for what, before, after in changes
    )
    sent = ngettext("%(count)d message goes out", "%(count)d messages go out", messages) % {"count": messages}
    return f"{owner.number if owner else question}: {told or _('nothing changes yet')}; {sent}."


@oldest_first(
    description=gettext_lazy("Accept the money as it is…"), label=gettext_lazy("Accept…"),
    permission="payments.accept_orderexception", applies_to=can_be_accepted,
    title=gettext_lazy("Accept this money as it is?"), button=gettext_lazy("Accept now"),
    consequences=_accept_consequences, done=gettext_lazy("accepted."),
)  # fmt: skip
def accept_money(question: OrderException, confirmation: Confirmation) -> None:
    """It counts for its order although it does not fit."""
    accept(exception=question, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)


class LinkForm(ReasonForm):
    """To which order the money belongs."""

    field_order = ("order", "reason")
    order = forms.CharField(
        label=gettext_lazy("Order"), max_length=255,
        help_text=gettext_lazy("Its number (O-000123), its id, or any id at Stripe of it."),
    )  # fmt: skip

    def clean_order(self) -> Order:
        written = self.cleaned_data["order"].strip()
        found = Order.objects.called(written).first()
        if found is None:
            raise forms.ValidationError(_("There is no order called “%s”.") % written)
        return found


def _link_consequences(questions: QuerySet) -> list[str]:
    return [
        *map(_linked_names, questions[:ROWS_LISTED]),
        _("The money counts for this order from now on, by the same rules as any other: if its amount fits, it pays."),
        _("If it does not fit, or was paid before, that is the next question. No money moves."),
    ]


def _link_outcome(form: LinkForm) -> Outcome | None:
    """Of the order that was filled in; None as long as there is none."""
    order = getattr(form, "cleaned_data", {}).get("order")
    if form.rows is None or not isinstance(order, Order):
        return None
    try:
        return preview_link(exception=form.rows[0], order=order, at=timezone.now())
    except DecisionRefused as refusal:
        return Outcome(refusals=[str(refusal)])


def _linked_names(question: OrderException) -> str:
    try:
        return f"{sentence_of(question)}: {', '.join(names_of_money(question))}"
    except DecisionRefused as refusal:
        return f"{sentence_of(question)}: {refusal}"


@oldest_first(
    description=gettext_lazy("Link to an order…"), permission="payments.link_orderexception", form=LinkForm,
    applies_to=lambda question: question.is_open and question.kind == ExceptionKind.UNKNOWN_ORDER,
    only_one=gettext_lazy("Money is linked one payment at a time: choose one."),
    title=gettext_lazy("Link this money to an order?"), button=gettext_lazy("Link now"),
    consequences=_link_consequences, done=gettext_lazy("linked; its events are processed again."),
    in_transaction=False, preview=_link_outcome,
)  # fmt: skip
def link(question: OrderException, confirmation: Confirmation) -> None:
    """Money that names nothing that is known here."""
    link_to_order(
        exception=question, order=confirmation.fields["order"], reason=confirmation.reason, by=confirmation.by,
        at=confirmation.at,
    )  # fmt: skip


@oldest_first(
    description=gettext_lazy("Give a place…"), permission="payments.give_place",
    applies_to=lambda question: question.is_open and question.kind == ExceptionKind.NO_PLACE,
    title=gettext_lazy("Give these people a place?"), button=gettext_lazy("Give a place now"),
    done=gettext_lazy("given a place."),
    consequences=(
        gettext_lazy("Whoever paid first gets a place, as far as places are free; the question closes."),
        gettext_lazy("The buyer gets the confirmation by e-mail."),
        gettext_lazy("A refund that was given up is withdrawn; while one is under way nobody gets a place as well."),
    ),
)  # fmt: skip
def seat(question: OrderException, confirmation: Confirmation) -> None:
    """Who paid without a place gets the one that is free."""
    give_place(exception=question, reason=confirmation.reason, by=confirmation.by.get_username(), at=confirmation.at)


@oldest_first(
    description=gettext_lazy("Dismiss…"), permission="payments.dismiss_orderexception",
    applies_to=lambda question: question.is_open,
    title=gettext_lazy("Dismiss these questions?"), button=gettext_lazy("Dismiss now"), done=gettext_lazy("dismissed."),
    consequences=(
        gettext_lazy("The question closes for good and is kept with your name and reason."),
        gettext_lazy("No money is charged or refunded, and nobody is notified."),
    ),
)  # fmt: skip
def close(question: OrderException, confirmation: Confirmation) -> None:
    """Nothing needs to be done."""
    dismiss(exception=question, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)
