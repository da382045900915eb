"""Gives the groups of staff their rights, each right once: what somebody has taken away by hand is not given again.

After every `migrate`, app by app, as soon as its permissions are there. `settings.STAFF_GROUPS` says who begins with
what; `GivenRight` remembers what was given, so that only what is new reaches a group that has been changed since.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import structlog
from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import GivenRight, User

log = structlog.get_logger(__name__)


class NoSuchGroup(ValueError):
    """No group of staff is called so; the text names those that there are."""


def give_rights_after_migrate(sender: AppConfig, apps: Any = apps, **_more: object) -> None:
    """For the signal. Does nothing while the table that remembers is not there yet."""
    try:
        apps.get_model("accounts", "GivenRight")
    except LookupError:
        return
    give_rights(app_label=sender.label)


@transaction.atomic
def give_rights(*, app_label: str) -> None:
    """Give each group the rights to this app that it was never given; who had a right that was split gets its parts."""
    known = {_name(each): each for each in _permissions().filter(content_type__app_label=app_label)}
    if not known:
        return
    given = set(GivenRight.objects.values_list("group_name", "permission"))
    _split_former(known, given)
    for group_name, patterns in settings.STAFF_GROUPS.items():
        names = sorted(name for name in known if _is_meant(name, patterns) and (group_name, name) not in given)
        _give(group_name, [known[name] for name in names], is_new=not _was_made(group_name, given))
        given |= {(group_name, name) for name in names}


def ensure_group(name: str) -> Group:
    """The group with this name; made again with all of its rights where somebody has deleted it. Raises NoSuchGroup."""
    if name not in settings.STAFF_GROUPS:
        raise NoSuchGroup(f"There is no group {name!r}: choose one of {', '.join(settings.STAFF_GROUPS)}.")
    group, is_new = Group.objects.get_or_create(name=name)
    if is_new:
        group.permissions.set(each for each in _permissions() if _is_meant(_name(each), settings.STAFF_GROUPS[name]))
    return group


def _permissions() -> QuerySet[Permission]:
    return Permission.objects.select_related("content_type")


def _name(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"


def _is_meant(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _was_made(group_name: str, given: set[tuple[str, str]]) -> bool:
    return any(name == group_name for name, _permission in given)


def _give(group_name: str, permissions: list[Permission], *, is_new: bool) -> None:
    """A group that somebody has deleted or renamed is not made again."""
    group = Group.objects.filter(name=group_name).first()
    if group is None and is_new and permissions:
        group = Group.objects.create(name=group_name)
    if group:
        group.permissions.add(*permissions)
    _remember(group_name, map(_name, permissions))
    if permissions:
        log.info("group.rights_given", group=group_name, rights=[_name(each) for each in permissions])


def _split_former(known: dict[str, Permission], given: set[tuple[str, str]]) -> None:
    """Once: whoever had the one right when it was split."""
    for former, parts in settings.FORMER_RIGHTS.items():
        if former not in known or ("", former) in given:
            continue
        rights = [known[part] for part in parts if part in known]
        for group in Group.objects.filter(permissions=known[former]):
            group.permissions.add(*rights)
        for user in User.objects.filter(user_permissions=known[former]):
            user.user_permissions.add(*rights)
        _remember("", [former])


def _remember(group_name: str, names: Iterable[str]) -> None:
    rows = [GivenRight(group_name=group_name, permission=name) for name in names]
    GivenRight.objects.bulk_create(rows, ignore_conflicts=True)
