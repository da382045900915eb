"""Modules, what was bought of them, and tokens of another system; what they open follows them as it always does."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.db.models import Q
from django.template.defaultfilters import slugify

from accounts.models import User
from modules_access.entitlements import follow_tokens
from modules_access.jwt import STANDARD_LEVEL
from modules_access.models import ORDER_KIND, AccessToken, Module, Purchase
from modules_access.services.follow_plan import request_follow
from payments.moving_in.files import Row
from payments.moving_in.importers import Importer, Outcome, Result, RowRefused, brings
from payments.moving_in.orders import COLUMNS, Draft, OrderImporter, names_of_order, new_order
from payments.moving_in.people import find_people
from payments.moving_in.values import (
    Column,
    amount,
    currency,
    moment,
    number,
    old_id,
    optional,
    slug,
    text,
    web_address,
    yes_or_no,
)
from payments.names import ORDER, read_uuid
from payments.orders.models import Reference

# Orders of what nobody sells any more: their money counts, and nothing follows them.
NO_LONGER_SOLD = "imported"
REASON = "It was made by the old system."
NOT_ACTIVE = "It was not active in the old system."
BY = "manage.py import_data"


def find_modules(names: Collection[str]) -> Mapping[str, Module]:
    """What is called so, by old id or slug; the old id comes first. One query."""
    rows = list(Module.objects.filter(Q(external_id__in=names) | Q(slug__in=names)))
    return {row.slug: row for row in rows} | {str(row.external_id): row for row in rows if row.external_id}


class ModuleImporter(Importer):
    """What is here stays as staff have it, and learns its old id."""

    kind = "modules"
    columns = (
        Column("id", old_id, is_unique=True),
        Column("title", text()),
        optional("slug", slug, fallback="", is_unique=True),
        Column("price", amount),
        optional("currency", currency, fallback="eur"),
        Column("url", web_address),
        optional("summary", text(300), fallback=""),
        optional("description", text(20_000), fallback=""),
        optional("access_days", number),
        optional("is_on_sale", yes_or_no, fallback=True),
    )

    def take(self, rows: Sequence[Row], *, at: datetime, is_dry_run: bool) -> Sequence[Result]:
        slugs = {row.number: row["slug"] or slugify(row["title"])[:50] for row in rows}
        known = find_modules([*slugs.values(), *(row.id for row in rows)])
        results: dict[int, Result] = {}
        fresh: dict[int, Module] = {}
        for row in rows:
            try:
                row_slug = slugs[row.number]
                if found := known.get(row.id) or known.get(row_slug):
                    results[row.number] = _name_module(found, row)
                else:
                    fresh[row.number] = _module(row, row_slug, taken=fresh.values())
            except RowRefused as refusal:
                results[row.number] = refusal.result
        if fresh:
            Module.objects.bulk_create(fresh.values())
            request_follow(plan_id=None, at=at)
        return [results.get(row.number, Result(Outcome.CREATED)) for row in rows]


def _name_module(module: Module, row: Row) -> Result:
    if module.external_id == row.id:
        return Result(Outcome.THERE, module.slug)
    if module.external_id is not None:
        raise RowRefused("slug", f"The module {module.slug} is that of {module.external_id} already.")
    module.external_id = row.id
    module.save(update_fields=["external_id"])
    return Result(Outcome.CHANGED, f"{module.slug} was here; its old id is known now.")


def _module(row: Row, row_slug: str, *, taken: Collection[Module]) -> Module:
    if not row_slug or any(row_slug == other.slug for other in taken):
        raise RowRefused("slug", "Its title gives no address of its own: write one into the column slug.")
    if row["access_days"] == 0:
        raise RowRefused("access_days", "Nobody could enter it; leave it empty for lifetime access.")
    if settings.PRODUCTION and not row["url"].startswith("https://"):
        raise RowRefused("url", "People are sent there with a token: the address must begin with https://.")
    return Module(
        external_id=row.id, slug=row_slug, title=row["title"], summary=row["summary"], url=row["url"],
        description=row["description"], price=row["price"], currency=row["currency"],
        access_days=row["access_days"], is_on_sale=row["is_on_sale"],
    )  # fmt: skip


class PurchaseImporter(OrderImporter):
    """Orders that bought a module; without a module, what is not sold here: then only its money counts."""

    kind = "orders"
    columns = (
        *COLUMNS,
        optional("user", old_id, fallback=""),
        optional("module", old_id, fallback=""),
        optional("label", text(), fallback=""),
    )

    def known_orders(self, ids: Collection[str]) -> Mapping[str, int]:
        rows = Reference.objects.filter(name__in=[f"{ORDER}{name}" for name in ids], order__isnull=False)
        return {name.removeprefix(ORDER): key for name, key in rows.values_list("name", "order")}

    def drafts(self, rows: Sequence[Row], *, at: datetime) -> Sequence[Draft | RowRefused]:
        people = find_people({row["user"] or row["email"] for row in rows})
        modules = find_modules({row["module"] for row in rows if row["module"]})
        return [_draft(row, people.get(row["user"] or row["email"]), modules) for row in rows]

    def keep(self, drafts: Sequence[Draft], *, at: datetime) -> None:
        purchases = [draft.thing for draft in drafts if draft.thing]
        for draft in drafts:
            if draft.thing:
                draft.thing.order = draft.order
        Purchase.objects.bulk_create(purchases)


def _draft(row: Row, user: User | None, modules: Mapping[str, Module]) -> Draft | RowRefused:
    if row["user"] and user is None:
        return RowRefused("user", f"Nobody here is called {row['user']}: import the users first.")
    if not row["module"]:
        order = new_order(row, kind=NO_LONGER_SOLD, label=row["label"] or row.id)
        order.user = user
        return Draft(row, order, names_of_order(row))
    module = modules.get(row["module"])
    if module is None:
        return RowRefused("module", f"No module here is called {row['module']}: import the modules first.")
    if user is None:
        return RowRefused("email", "Nobody here has an account with this address: import the users first.")
    order = new_order(row, kind=ORDER_KIND, label=row["label"] or module.title)
    order.user = user
    thing = Purchase(module=module, user=user, access_days=module.access_days, created_at=row["created_at"])
    return Draft(row, order, names_of_order(row), thing)


class TokenImporter(Importer):
    """Tokens that rest on no payment of ours. Of one that is here, uses only grow, and what was ended stays so."""

    kind = "tokens"
    columns = (
        Column("id", old_id, is_unique=True),
        Column("user", old_id),
        Column("module", old_id),
        Column("expires_at", moment),
        optional("access_level", text(30), fallback=STANDARD_LEVEL),
        optional("max_usage", number, fallback=100),
        optional("current_usage", number, fallback=0),
        optional("is_active", yes_or_no, fallback=True),
        optional("created_at", moment),
    )

    def take(self, rows: Sequence[Row], *, at: datetime, is_dry_run: bool) -> Sequence[Result]:
        people = find_people({row["user"] for row in rows})
        modules = find_modules({row["module"] for row in rows})
        locked = AccessToken.objects.filter(external_id__in=[row.id for row in rows]).order_by("pk")
        known = {token.external_id: token for token in locked.select_for_update(no_key=True)}
        results, moved, fresh = {}, [], []
        for row in rows:
            try:
                _require_token(row)
                if token := known.get(row.id):
                    results[row.number] = _news_of(token, row, at=at)
                    moved += [token] if results[row.number].outcome == Outcome.CHANGED else []
                else:
                    fresh.append(_token(row, people.get(row["user"]), modules.get(row["module"]), at=at))
            except RowRefused as refusal:
                results[row.number] = refusal.result
        follow_tokens([*moved, *AccessToken.objects.bulk_create(fresh)], at=at)
        return [results.get(row.number, Result(Outcome.CREATED)) for row in rows]


def _require_token(row: Row) -> None:
    if row["max_usage"] < 1:
        raise RowRefused("max_usage", "It could not be used once.")
    if row["current_usage"] > row["max_usage"]:
        raise RowRefused("current_usage", "It was used more often than it may be.")


def _token(row: Row, user: User | None, module: Module | None, *, at: datetime) -> AccessToken:
    if user is None:
        raise RowRefused("user", f"Nobody here is called {row['user']}: import the users first.")
    if module is None:
        raise RowRefused("module", f"No module here is called {row['module']}: import the modules first.")
    token = AccessToken(
        external_id=row.id, jti=read_uuid(row.id) or uuid4(), user=user, module=module,
        access_level=row["access_level"], expires_at=row["expires_at"], max_usage=row["max_usage"],
        used=row["current_usage"], created_at=row["created_at"] or at, reason=REASON,
    )  # fmt: skip
    if not row["is_active"]:
        _revoke(token, at=at)
    return token


def _news_of(token: AccessToken, row: Row, *, at: datetime) -> Result:
    news = {}
    if token.used < (used := min(row["current_usage"], token.max_usage)):
        news["used"] = f"{token.used} → {used}"
        token.used = used
    if not row["is_active"] and token.revoked_at is None:
        news["is_active"] = "true → false"
        _revoke(token, at=at)
    if not news:
        return Result(Outcome.THERE, token.prefix)
    token.save(update_fields=["used", "revoked_at", "revoked_by", "revoked_reason"])
    return Result(Outcome.CHANGED, ", ".join(f"{name}: {words}" for name, words in news.items()))


def _revoke(token: AccessToken, *, at: datetime) -> None:
    token.revoked_at, token.revoked_by, token.revoked_reason = at, BY, NOT_ACTIVE


for importer in (ModuleImporter, PurchaseImporter, TokenImporter):
    brings(importer)
