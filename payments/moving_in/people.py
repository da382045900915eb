"""People of another system: an account each, under the old id, without a password until they choose one here."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import Q

from accounts.hooks import join, join_all
from accounts.models import User
from payments.moving_in.files import Row
from payments.moving_in.importers import Importer, Outcome, Result, RowRefused, brings
from payments.moving_in.values import Column, address, moment, old_id, one_of, optional, text, yes_or_no

LANGUAGES = {code: code for code, _name in settings.LANGUAGES}


def find_people(names: Collection[str]) -> Mapping[str, User]:
    """Who is called so, by old id or by address; the old id comes first. Two queries."""
    addresses = {name: name.lower() for name in names if "@" in name}
    found = {user.email: user for user in User.objects.filter(email__in=addresses.values())}
    by_id = {str(user.external_id): user for user in User.objects.filter(external_id__in=names)}
    return {name: found[email] for name, email in addresses.items() if email in found} | by_id


class PeopleImporter(Importer):
    """What is here stays as it is; what is empty is filled in. `email_confirmed`: the old system has seen to that."""

    kind = "users"
    columns = (
        Column("id", old_id, is_unique=True),
        Column("email", address, is_unique=True),
        optional("name", text(), fallback=""),
        optional("language", one_of(LANGUAGES), fallback=settings.LANGUAGE_CODE),
        optional("email_confirmed", yes_or_no, fallback=False),
        optional("created_at", moment),
    )

    def take(self, rows: Sequence[Row], *, at: datetime, is_dry_run: bool) -> Sequence[Result]:
        named = Q(external_id__in=[row.id for row in rows]) | Q(email__in=[row["email"] for row in rows])
        users = list(User.objects.filter(named).order_by("pk").select_for_update(no_key=True))
        by_id = {user.external_id: user for user in users if user.external_id}
        by_email = {user.email: user for user in users}
        results, fresh = {}, []
        for row in rows:
            try:
                if known := by_id.get(row.id) or by_email.get(row["email"]):
                    results[row.number] = _fill(known, row, at=at)
                else:
                    fresh.append(row)
            except RowRefused as refusal:
                results[row.number] = refusal.result
        _make(fresh, at=at)
        return [results.get(row.number, Result(Outcome.CREATED)) for row in rows]


def _make(rows: Sequence[Row], *, at: datetime) -> None:
    # Django's text for "no password" is another one each time.
    users = [
        User(
            external_id=row.id, email=row["email"], name=row["name"], language=row["language"],
            password=make_password(None), date_joined=row["created_at"] or at,
            email_confirmed_at=(row["created_at"] or at) if row["email_confirmed"] else None,
        )
        for row in rows
    ]  # fmt: skip
    join_all(User.objects.bulk_create(users), at=at)


def _fill(user: User, row: Row, *, at: datetime) -> Result:
    """Raises RowRefused where the account belongs to another old id."""
    if user.external_id not in (None, row.id):
        raise RowRefused("email", f"The account with this address is that of {user.external_id} already.")
    news: dict[str, Any] = {}
    if user.external_id is None:
        news["external_id"] = row.id
    if row["name"] and not user.name:
        news["name"] = row["name"]
    # Who has signed up here and never opened the link; there is no password that a stranger could have chosen.
    if row["email_confirmed"] and user.is_sign_up_pending and user.email == row["email"]:
        news["email_confirmed_at"] = row["created_at"] or at
    if not news:
        note = "" if user.email == row["email"] else "The account has another address here, which stays."
        return Result(Outcome.THERE, note)
    for name, value in news.items():
        setattr(user, name, value)
    user.save(update_fields=list(news))
    join(user, at=at)
    return Result(Outcome.CHANGED, f"Filled in: {', '.join(news)}.")


brings(PeopleImporter)
