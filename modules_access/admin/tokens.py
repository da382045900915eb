"""The tokens' screen: who holds one for what, how often it was used, and what it rests on."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.menu import Job
from modules_access.admin.kit import PersonField, doctor_link, secret_page, token_state, uses_text
from modules_access.jwt import STANDARD_LEVEL, mint_token
from modules_access.models import AccessToken
from modules_access.services.tokens import create_token, revoke_token
from payments.admin.kit.actions import Confirmation, ReasonField, confirmed_action, signed_in
from payments.admin.kit.display import link_to, link_to_order, tells_of
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.admin.search import key_of_order
from payments.names import may_be_old_id, read_uuid

TOKEN_MAX_HOURS = 366 * 24
TOKEN_MAX_USES = 1_000_000
# How a token is shown; and what may follow.
BEGINNING = re.compile(r"([0-9a-f]{8})…?", re.IGNORECASE)
LEAST_REST, GREATEST_REST = "0" * 24, "f" * 24


class TokenForm(forms.ModelForm):
    """A token that rests on no payment."""

    email = PersonField()
    hours = forms.IntegerField(
        label=gettext_lazy("Hours"), min_value=1, max_value=TOKEN_MAX_HOURS,
        initial=lambda: settings.MODULES.token_hours, help_text=gettext_lazy("How long it can be used."),
    )  # fmt: skip
    uses = forms.IntegerField(
        label=gettext_lazy("Uses"), min_value=1, max_value=TOKEN_MAX_USES, initial=lambda: settings.MODULES.token_uses,
        help_text=gettext_lazy("How many times it can be used."),
    )  # fmt: skip
    reason = ReasonField()


@confirmed_action(
    description=gettext_lazy("Revoke…"), permission="modules_access.revoke_token",
    applies_to=lambda row: row.revoked_at is None, title=gettext_lazy("Revoke these tokens?"),
    button=gettext_lazy("Revoke now"), done=gettext_lazy("revoked."),
    consequences=(
        gettext_lazy("They no longer open anything, from now on and for good."),
        gettext_lazy("What the person has by a payment, a subscription or from staff stays."),
    ),
)  # fmt: skip
def revoke_action(row: AccessToken, confirmation: Confirmation) -> None:
    """Ends the token and the access that it gives."""
    revoke_token(token=row, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin):
    """Made here or over the API, and never edited. The token itself is shown once, to who makes it."""

    job, position = Job.LEARNING, 2
    actions = (revoke_action,)
    add_permission = "modules_access.add_accesstoken"
    form = TokenForm
    add_text = gettext_lazy("Create a token")
    list_display = ("prefix", "person", "module", "uses", "state", "expires_at", "rests_on", "last_used_at")
    list_filter = (
        "module", ("revoked_at", admin.EmptyFieldListFilter), ("expires_at", admin.DateFieldListFilter),
        ("order", admin.EmptyFieldListFilter),
    )  # fmt: skip
    list_select_related = ("user", "module", "order", "grant", "access")
    ordering = ("-id",)
    search_fields = ("user__email__exact",)
    search_help_text = gettext_lazy(
        "Whole e-mail address, beginning of the token as it is shown, its id in the old system, order number."
    )
    fields = (
        ("prefix", "state", "external_id"), ("person", "module"), ("access_level", "rests_on"),
        ("expires_at", "uses", "last_used_at"),
        ("access_link", "service_key"), ("created_at", "created_by"), "reason",
        ("revoked_at", "revoked_by"), "revoked_reason",
    )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: AccessToken | None = None) -> Any:
        return (
            super().get_fields(request, obj) if obj else ("email", "module", "access_level", "hours", "uses", "reason")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: AccessToken | None = None) -> Any:
        return ("prefix", "state", "person", "rests_on", "uses", "access_link") if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"access_level": STANDARD_LEVEL, **super().get_changeform_initial_data(request)}

    def search_condition(self, term: str) -> Q | None:
        if order := key_of_order(term):
            return Q(order=order)
        if own := read_uuid(term):
            return Q(jti=own)
        return beginning_condition(term) or (Q(external_id=term) if may_be_old_id(term) else None)

    def named(self, term: str) -> Q | None:
        return beginning_condition(term)

    def row_links(self, request: HttpRequest, row: AccessToken) -> list[tuple[str, str]]:
        return doctor_link(request, row)

    def save_model(self, request: HttpRequest, obj: AccessToken, form: Any, change: bool) -> None:
        given, at = form.cleaned_data, timezone.now()
        made = create_token(
            user=given["email"], module=given["module"], access_level=given["access_level"],
            expires_at=at + timedelta(hours=given["hours"]), max_usage=given["uses"], reason=given["reason"],
            by=signed_in(request), at=at,
        )  # fmt: skip
        obj.pk = made.pk

    def response_add(
        self, request: HttpRequest, obj: AccessToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        token = AccessToken.objects.select_related("user", "module").get(pk=obj.pk)
        notes = [
            _("It lets %(person)s into “%(module)s”, %(uses)d times.")
            % {"person": token.user, "module": token.module, "uses": token.max_usage},
            _("It is shown only once: it is not stored and cannot be shown again."),
        ]
        jwt = mint_token(token, at=timezone.now())
        return secret_page(self, request, token, jwt, title=_("The new token"), notes=notes)

    @admin.display(description=gettext_lazy("begins with"), ordering="jti")
    def prefix(self, row: AccessToken) -> str:
        return row.prefix

    @admin.display(description=gettext_lazy("person"), ordering="user__email")
    def person(self, row: AccessToken) -> str:
        return link_to(row.user)

    @admin.display(description=gettext_lazy("state"), ordering="revoked_at")
    def state(self, row: AccessToken) -> str:
        return token_state(row, at=timezone.now())

    @admin.display(description=gettext_lazy("uses"), ordering="used")
    def uses(self, row: AccessToken) -> str:
        return uses_text(row)

    @tells_of("payments.order", description=gettext_lazy("rests on"))
    def rests_on(self, row: AccessToken) -> str:
        if row.order:
            return link_to_order(row.order)
        return link_to(row.grant) if row.grant else _("staff")

    @tells_of("modules_access.moduleaccess", description=gettext_lazy("gives the access"))
    def access_link(self, row: AccessToken) -> str:
        return link_to(getattr(row, "access", None))


def beginning_condition(term: str) -> Q | None:
    """What finds the tokens that begin so, as they are shown; None: nothing that a token could begin with."""
    match = BEGINNING.fullmatch(term)
    return Q(jti__range=(UUID(match[1] + LEAST_REST), UUID(match[1] + GREATEST_REST))) if match else None
