"""Forgets the addresses of accounts that somebody began and nobody ever confirmed."""

from datetime import datetime, timedelta

import structlog
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction

from accounts.models import User

log = structlog.get_logger(__name__)
PATIENCE = timedelta(days=30)


@transaction.atomic
def purge_accounts(*, at: datetime, dry_run: bool = False) -> int:
    """Delete customers who have neither a password nor a confirmed address for 30 days. Returns how many.

    `dry_run`: only count. The lock keeps a link that is opened at this moment from confirming an account that goes.
    """
    begun = User.objects.filter(
        email_confirmed_at=None, password__startswith=UNUSABLE_PASSWORD_PREFIX, is_staff=False, is_active=True,
        date_joined__lt=at - PATIENCE,
    )  # fmt: skip
    if dry_run:
        return begun.count()
    ids = list(begun.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True))
    User.objects.filter(pk__in=ids).delete()
    log.info("account.purged", count=len(ids))
    return len(ids)
