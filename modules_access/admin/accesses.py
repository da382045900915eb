"""The accesses' screen: who may enter what, why and how long; granted, extended and taken back with a reason."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.lists import MOST_ROWS
from accounts.menu import Job
from modules_access.admin.kit import (
    MomentField,
    PersonField,
    access_state,
    doctor_link,
    source_link,
    source_pill,
    uses_text,
)
from modules_access.models import AccessToken, AccessType, ModuleAccess
from modules_access.services.grants import ACTS, extend_access, grant_access, revoke_access
from payments.admin.kit.actions import ROWS_LISTED, Confirmation, ReasonField, ReasonForm, confirmed_action
from payments.admin.kit.display import NONE, link_to, tells_of
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.admin.search import key_of_order
from payments.names import read_number

EXTENDABLE_TYPES = (AccessType.PURCHASE, AccessType.GRANT)
STAFF_VERBS = {
    "granted": pgettext_lazy("what staff did", "given"),
    "extended": pgettext_lazy("what staff did", "extended"),
    "revoked": pgettext_lazy("what staff did", "taken back"),
}


class GrantForm(forms.ModelForm):
    """Lets somebody in without a payment."""

    email = PersonField()
    until = MomentField(
        label=gettext_lazy("Until"), required=False, help_text=gettext_lazy("Leave empty for no end date.")
    )
    reason = ReasonField()


class ExtendForm(ReasonForm):
    """Until when, and why."""

    until = MomentField(label=gettext_lazy("Until"))
    field_order = ("until", "reason")


class SourceFilter(admin.ChoicesFieldListFilter):
    """What gives the access, under the name that the column has."""

    def __init__(self, *about: Any, **more: Any) -> None:
        super().__init__(*about, **more)
        self.title = gettext_lazy("source")


class AccessStateFilter(admin.SimpleListFilter):
    """As the pill says it."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("active", pgettext_lazy("access", "active")),
            ("used_up", pgettext_lazy("access", "used up")),
            ("expired", pgettext_lazy("access", "expired")),
            ("ended", pgettext_lazy("access", "ended")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        at = timezone.now()
        lasts = queryset.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), is_active=True)
        match self.value():
            case "active":
                return queryset.open(at)
            case "used_up":
                # Asked first: how few they are the database cannot guess from a comparison of two columns.
                used_up = AccessToken.objects.filter(used__gte=F("max_usage")).order_by("-pk")
                return lasts.filter(token__in=list(used_up[:MOST_ROWS].values_list("pk", flat=True)))
            case "expired":
                return queryset.filter(is_active=True, expires_at__lte=at)
            case "ended":
                return queryset.filter(is_active=False)
        return queryset


def _extend_consequences(accesses: QuerySet) -> list[str]:
    return [
        _("They last until the date that you give; none gets shorter."),
        _("What a subscription or a token gives lasts as long as that: give an access of its own instead."),
        *map(_present_sentence, accesses[:ROWS_LISTED]),
    ]


def _revoke_consequences(accesses: QuerySet) -> list[str]:
    return [
        _("They end at once and for good: no payment and no renewal opens them again."),
        _("Other accesses of the same person to the same module stay; tokens that rest on these end with them."),
        _("No money is charged or refunded, and nobody is notified."),
        *map(_present_sentence, accesses[:ROWS_LISTED]),
    ]


def _present_sentence(row: ModuleAccess) -> str:
    """How one access stands before."""
    values = {"number": row.number, "person": row.user, "module": row.module, "source": row.get_access_type_display()}
    if not row.is_active:
        return _("%(number)s, %(person)s, %(module)s (%(source)s): has ended.") % values
    if row.expires_at is None:
        return _("%(number)s, %(person)s, %(module)s (%(source)s): no end date.") % values
    values["until"] = date_format(timezone.localtime(row.expires_at), "DATETIME_FORMAT")
    return _("%(number)s, %(person)s, %(module)s (%(source)s): until %(until)s") % values


def _is_extendable(row: ModuleAccess) -> bool:
    return row.is_active and row.expires_at is not None and row.access_type in EXTENDABLE_TYPES


@confirmed_action(
    description=gettext_lazy("Extend…"), permission="modules_access.extend_access",
    applies_to=_is_extendable, title=gettext_lazy("Extend these accesses?"), button=gettext_lazy("Extend now"),
    consequences=_extend_consequences, form=ExtendForm, done=gettext_lazy("extended."),
)  # fmt: skip
def extend_action(row: ModuleAccess, confirmation: Confirmation) -> None:
    """Lets it last until then."""
    extend_access(
        access=row,
        until=confirmation.fields["until"],
        reason=confirmation.reason,
        by=confirmation.by,
        at=confirmation.at,
    )


@confirmed_action(
    description=gettext_lazy("Take back…"), permission="modules_access.revoke_access",
    applies_to=lambda row: row.revoked_at is None, title=gettext_lazy("Take these accesses back?"),
    button=gettext_lazy("Take back now"), consequences=_revoke_consequences, done=gettext_lazy("taken back."),
)  # fmt: skip
def revoke_action(row: ModuleAccess, confirmation: Confirmation) -> None:
    """Ends it for good."""
    revoke_access(access=row, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)


@admin.register(ModuleAccess)
class ModuleAccessAdmin(ReadOnlyAdmin):
    """Nothing is edited: accesses follow what gives them; staff give, extend and take back, each with a reason."""

    job, position = Job.LEARNING, 1
    actions = (extend_action, revoke_action)
    add_permission = "modules_access.grant_access"
    form = GrantForm
    add_text = gettext_lazy("Give an access")
    list_display = ("number", "person", "module", "state", "source", "expires_at", "uses", "gives", "created_at")
    list_filter = (
        AccessStateFilter, ("access_type", SourceFilter), "ended_reason", "module",
        ("created_at", admin.DateFieldListFilter), ("ended_at", admin.DateFieldListFilter),
    )  # fmt: skip
    list_per_page = 40
    list_select_related = ("user", "module", "order", "subscription", "token")
    ordering = ("-id",)
    search_fields = ("user__email__exact",)
    search_help_text = gettext_lazy(
        "Whole e-mail address, number of the access (A-…) or of the order (O-…), id of a subscription."
    )
    fields = (
        ("number", "state"), ("person", "module"), ("source", "gives"), ("expires_at", "extended_until"),
        ("used", "uses", "last_used_at"), ("created_at", "updated_at"), ("ended_at", "revoked_at"), "staff_actions",
    )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: ModuleAccess | None = None) -> Any:
        return super().get_fields(request, obj) if obj else ("email", "module", "until", "reason")

    def get_readonly_fields(self, request: HttpRequest, obj: ModuleAccess | None = None) -> Any:
        return ("number", "state", "person", "source", "gives", "uses", "staff_actions") if obj else ()

    def search_condition(self, term: str) -> Q | None:
        if number := read_number(term, prefix="A"):
            return Q(pk=number)
        if order := key_of_order(term):
            return Q(order=order) | Q(token__in=list(AccessToken.objects.filter(order=order)))
        return Q(subscription__stripe_id=term) if term.startswith("sub_") else None

    def named(self, term: str) -> Q | None:
        number = read_number(term, prefix="A")
        return Q(pk=number) if number else None

    def row_links(self, request: HttpRequest, row: ModuleAccess) -> list[tuple[str, str]]:
        return doctor_link(request, row)

    def save_model(self, request: HttpRequest, obj: ModuleAccess, form: Any, change: bool) -> None:
        given = form.cleaned_data
        granted = grant_access(
            user=given["email"], module=given["module"], expires_at=given["until"], reason=given["reason"],
            by=request.user, at=timezone.now(),
        )  # fmt: skip
        obj.pk = granted.pk

    @admin.display(description=gettext_lazy("number"), ordering="pk")
    def number(self, row: ModuleAccess) -> str:
        return row.number

    @admin.display(description=gettext_lazy("person"), ordering="user__email")
    def person(self, row: ModuleAccess) -> str:
        return link_to(row.user)

    @admin.display(description=gettext_lazy("source"), ordering="access_type")
    def source(self, row: ModuleAccess) -> str:
        return source_pill(row)

    @admin.display(description=gettext_lazy("state"), ordering="is_active")
    def state(self, row: ModuleAccess) -> str:
        return access_state(row, at=timezone.now())

    @admin.display(description=gettext_lazy("uses of the token"))
    def uses(self, row: ModuleAccess) -> str:
        return uses_text(row.token)

    @tells_of("payments.order", description=gettext_lazy("given by"))
    def gives(self, row: ModuleAccess) -> str:
        return source_link(row)

    @admin.display(description=gettext_lazy("what staff did"))
    def staff_actions(self, row: ModuleAccess) -> str:
        return staff_history(row)


def staff_history(row: ModuleAccess) -> str | SafeString:
    """When, what, by whom and why; the newest last. Strangers may have written some of it."""
    lines = (
        (_moment(act.get("at")), _verb(act.get("what", "")), act.get("by", ""), act.get("reason"))
        for act in row.metadata.get(ACTS, [])
    )
    return format_html_join("", "<div>{} · {} · {} · {}</div>", lines) or NONE


def _verb(what: str) -> str:
    return str(STAFF_VERBS.get(what, what))


def _moment(stored: Any) -> str:
    moment = parse_datetime(str(stored))
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment and moment.tzinfo else str(stored)
