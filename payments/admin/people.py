"""The people's screens: an account with its rights on a form, and a page with all that its person has and did."""

from collections.abc import Iterator

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin import UserAdmin
from accounts.models import User
from accounts.personal import shown_name
from accounts.staff_site import staff_context, staff_page
from payments.admin.kit.buttons import row_buttons
from payments.admin.kit.display import diagnosis_links, link_to, links_to, moment_text, page_of
from payments.admin.kit.screens import StaffActions, may_see
from payments.admin.kit.story import Fact, person_context
from payments.admin.personal_data import erase_person_action, export_person_action
from payments.admin.resync import resync_user_action
from payments.timeline.people import Person

admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(StaffActions, UserAdmin):
    """The list leads to the person; the form of the account and its rights is one step further."""

    # As it is of the screen below, which comes after the kit's.
    job, position = UserAdmin.job, UserAdmin.position
    add_text = UserAdmin.add_text
    actions = (resync_user_action, export_person_action, erase_person_action)
    list_display = ("person", *UserAdmin.list_display[1:])
    list_display_links = None

    @admin.display(description=_("e-mail"), ordering="email")
    def person(self, user: User) -> str:
        return link_to(user)

    def row_links(self, request: HttpRequest, row: User) -> Iterator[tuple[str, str]]:
        yield page_of(row), gettext("Payments and history")


@staff_page(
    "accounts/user/<int:pk>/person/", name="person", title=_("Person"), job=None, permission="accounts.view_user"
)
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about them; nothing of it is edited here."""
    user = get_object_or_404(User, pk=pk)
    told = Person.of_user(user)
    context = staff_context(
        request, title=shown_name(user.name) or user.email, opts=User._meta, original=user,
        row_buttons=row_buttons(request, user), row_links=diagnosis_links(request, user.email),
        account=reverse("admin:accounts_user_change", args=[user.pk]),
        facts=[(name, value) for name, value in _facts(request, told, user) if value],
        **person_context(request, told),
    )  # fmt: skip
    return TemplateResponse(request, "admin/kit/person.html", context)


def _facts(request: HttpRequest, told: Person, user: User) -> Iterator[Fact]:
    yield gettext("E-mail"), user.email
    yield gettext("Name"), shown_name(user.name)
    yield gettext("Language"), user.get_language_display()
    yield gettext("Account"), gettext("switched off") if not user.is_active else ""
    yield gettext("Joined"), moment_text(user.date_joined)
    yield gettext("E-mail confirmed"), moment_text(user.email_confirmed_at) or gettext("no")
    yield gettext("Last sign-in"), moment_text(user.last_login)
    if may_see(request, "payments.customer"):
        yield gettext("Stripe customer"), links_to((row, row.stripe_id) for row in told.customers)
        places = {", ".join(filter(None, (row.city, row.country))) for row in told.customers}
        yield gettext("Lives in"), " · ".join(sorted(filter(None, places)))
