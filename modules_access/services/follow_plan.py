"""Lets the subscriptions of a plan open what it opens by now: in the background, as an effect, a few at a time.

As an effect it is enqueued in the transaction that changes the plan, so it is never lost, and the process that answers
people needs no broker for it.
"""

from datetime import datetime
from typing import Any
from uuid import uuid4

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from modules_access.models import ModuleAccess
from payments.apply.apply import follow_subscriptions_again
from payments.bell import ring_on_commit
from payments.billing.models import Subscription
from payments.effects.deliver import delivers
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect

log = structlog.get_logger(__name__)
KIND = "module.follow_plan"
SOURCE = "modules of the plan"
# Locked together; other effects wait for one such delivery at most.
BATCH_SIZE = 200


def request_follow(*, plan_id: int | None, at: datetime) -> None:
    """Enqueue that the subscriptions of the plan (None: of all plans) follow it. Belongs in a transaction."""
    _enqueue(run=uuid4().hex, plan_id=plan_id, after=0, at=at)


@delivers(KIND, repeatable=True, words=gettext_lazy("Access of the plan’s subscribers is brought into line"))
def deliver(effect: Effect) -> None:
    """Follow the next few, and enqueue that the others are still to come."""
    follow_batch(**effect.data, at=timezone.now())


@transaction.atomic
def follow_batch(*, run: str, plan: int | None, after: int, at: datetime) -> int:
    """Follow the first subscriptions whose id is greater than `after`. Returns how many; 0: that was all."""
    ids = list(
        _subscriptions_concerned(plan).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]
    )
    if not ids:
        return 0
    follow_subscriptions_again(ids, source=SOURCE, at=at)
    if len(ids) == BATCH_SIZE:
        _enqueue(run=run, plan_id=plan, after=ids[-1], at=at)
    log.info("plan.followed", plan=plan, count=len(ids), last=ids[-1])
    return len(ids)


def _enqueue(*, run: str, plan_id: int | None, after: int, at: datetime) -> None:
    data: dict[str, Any] = {"run": run, "plan": plan_id, "after": after}
    enqueue([EffectRequest(key=f"{KIND}:{run}:{after}", kind=KIND, order_id=None, data=data)], at=at)
    ring_on_commit()


def _subscriptions_concerned(plan_id: int | None) -> QuerySet[Subscription]:
    """Who has something to open, and who has something open that may have to be closed."""
    opened = ModuleAccess.objects.filter(is_active=True, subscription__isnull=False).values("subscription")
    is_live = Q(pk__in=Subscription.objects.live().values("pk")) | Q(covered_until__isnull=False)
    rows = Subscription.objects.filter(is_live | Q(pk__in=opened))
    return (
        rows.filter(Q(plan_id=plan_id) | Q(further_plans__contains=[plan_id])) if plan_id else rows.exclude(plan=None)
    )
