"""The customers' screen: one person as Stripe knows them, with all that they have bought."""

from collections.abc import Iterable, Iterator

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext, gettext_lazy

from accounts.menu import Job
from accounts.personal import people_called, shown_name
from payments.admin.kit.display import (
    NONE,
    link_to,
    moment_text,
    stripe_id,
    stripe_id_column,
    subscription_pill,
    tells_of,
)
from payments.admin.kit.screens import is_page, may_see
from payments.admin.kit.story import Fact, PersonPage
from payments.admin.resync import resync_customer_action
from payments.billing.models import Customer
from payments.timeline.people import Person


@admin.register(Customer)
class CustomerAdmin(PersonPage):
    """Who somebody is stands as Stripe told it; the account here is linked."""

    job, position = Job.PEOPLE, 0
    actions = (resync_customer_action,)
    list_display = (
        "person", "name_text", "city", "country", "user_link", "subscriptions_text", "stripe_id_text", "deleted_at",
    )  # fmt: skip
    list_filter = (("deleted_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    ordering = ("-id",)
    search_fields = ("name__icontains", "email__icontains")
    search_help_text = gettext_lazy(
        "Part of the name or of the e-mail address, whole id of the customer or of a subscription."
    )

    stripe_id_text = stripe_id_column("stripe_id", gettext_lazy("Stripe customer"))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.select_related("user") if is_page(request) else rows.prefetch_related("subscriptions__plan")

    def search_condition(self, term: str) -> Q | None:
        if term.startswith("cus_"):
            return Q(stripe_id=term)
        return Q(subscriptions__stripe_id=term) if term.startswith("sub_") else people_called(term)

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def name_text(self, row: Customer) -> str:
        return shown_name(row.name)

    def person_of(self, row: Customer) -> Person:
        return Person.of_customer(row)

    def facts(self, request: HttpRequest, person: Person, row: Customer) -> Iterator[Fact]:
        yield gettext("E-mail"), row.email
        yield gettext("Name"), shown_name(row.name)
        yield gettext("Lives in"), ", ".join(part for part in (row.city, row.country) if part)
        if row.user and may_see(request, "accounts.user"):
            yield gettext("Account"), link_to(row.user)
        yield gettext("Stripe customer"), stripe_id(row.stripe_id)
        yield gettext("Deleted at Stripe"), moment_text(row.deleted_at)

    def named(self, term: str) -> Q | None:
        return Q(stripe_id=term) if term.startswith("cus_") else None

    def found(self, term: str) -> Q | None:
        return Q(email=term.lower()) if "@" in term else self.search_condition(term)

    @admin.display(description=gettext_lazy("person"), ordering="email")
    def person(self, row: Customer) -> str:
        return str(row)

    @tells_of("accounts.user", description=gettext_lazy("user"))
    def user_link(self, row: Customer) -> str:
        return link_to(row.user)

    @tells_of("payments.subscription", description=gettext_lazy("subscriptions"))
    def subscriptions_text(self, row: Customer) -> str:
        pills: Iterable[tuple[str]] = ((subscription_pill(each),) for each in row.subscriptions.all())
        return format_html_join(" ", "{}", pills) or NONE
