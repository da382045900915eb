"""Very many accesses at once, as the road would have left them, and the sabotage of every hundredth."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from modules_access.models import ModuleAccess
from payments.apply.apply import follow_subscriptions_again
from payments.effects.models import Effect
from tests.support.factories import NOON
from tests.support.members import make_member
from tests.support.modules import make_buyer, make_learner, make_module, make_token

MODULES = 4
# Clones begin above what stands there already; the numbers of people, orders and tokens run in step.
BASE = 1_000_000
EVERY = 100


@dataclass(frozen=True, slots=True)
class Sabotage:
    """What was done: how many accesses are gone, and the ids of those that say something wrong."""

    deleted: int
    changed: set[int]

    @property
    def total(self) -> int:
        """How many accesses a repair has to heal."""
        return self.deleted + len(self.changed)


def make_learners(accesses: int, *, at: datetime = NOON) -> None:
    """So many accesses and what gives them: half by orders, a fifth by members, the rest by tokens.

    Every other token rests on an order. Each 20th source has ended, and some accesses bear the word of staff.
    """
    modules = [make_module(f"m{number}", access_days=365) for number in range(MODULES)]
    learner = make_learner("template@example.com")
    order = make_buyer(learner, modules[0], at=at).order
    token = make_token(learner, modules[0], order=order, at=at)
    own = make_token(learner, modules[0], at=at)
    member = make_member(user=learner, at=at, started_at=NOON - timedelta(days=30))
    follow_subscriptions_again([member.pk], source="template", at=at)
    orders, tokens, members = accesses // 2, accesses * 3 // 20, accesses // 5 // MODULES
    by = {"id": "$B + n", "user_id": "$B + n"}
    module = {"module_id": f"{modules[0].pk} + n %% {MODULES}"}
    _clone("accounts_user", learner, orders, id="$B + n", email="'learner' || n || '@example.com'")
    _clone("payments_order", order, orders, public_id="gen_random_uuid()", **by)
    _clone("payments_effect", Effect.objects.get(order=order), orders, id="$B + n", order_id="$B + n",
           key="'module.opened:' || ($B + n)")  # fmt: skip
    _clone("payments_effect", Effect.objects.get(order=order), orders // 20, order_id="$B + n * 20",
           id=f"$B + {orders} + n", kind="'module.refunded'", key="'module.refunded:' || ($B + n * 20)")  # fmt: skip
    _clone("modules_access_purchase", order.module_purchase, orders, order_id="$B + n", **by, **module)
    _clone("module_access", order.module_accesses.get(), orders, order_id="$B + n", **by, **module)
    for first, row, rests in ((0, token, {"order_id": "$B + n"}), (tokens, own, {})):
        here = {"id": f"$B + {first} + n", "user_id": "$B + n"}
        _clone("access_tokens", row, tokens, jti="gen_random_uuid()", **here, **module, **rests)
        shifted = {"id": f"$B + {orders + first} + n", "user_id": "$B + n", "token_id": f"$B + {first} + n"}
        _clone("module_access", row.access, tokens, **shifted, **module)
    _clone("payments_customer", member.customer, members, stripe_id="'cus_clone' || n", **by)
    _clone("payments_subscription", member, members, id="$B + n", stripe_id="'sub_clone' || n", customer_id="$B + n")
    for number, access in enumerate(member.module_accesses.order_by("pk")):
        first = orders + 2 * tokens + number * members
        _clone("module_access", access, members, id=f"$B + {first} + n", user_id="$B + n", subscription_id="$B + n")
    _end_some()


def _clone(table: str, row: Any, count: int, **columns: str) -> None:
    """The row so many times, `n` from 1 on; `columns`: what differs, in SQL; "$B": the base of the ids."""
    told = ", ".join(f"'{name}', {value}" for name, value in columns.items()).replace("$B", str(BASE))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} SELECT r.* FROM {table} t, generate_series(1, %s) n, "
            f"LATERAL jsonb_populate_record(t, jsonb_build_object({told})) r WHERE t.id = %s",
            [count, row.pk],
        )
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")


def _end_some() -> None:
    """Each 20th clone gives nothing any more, and its accesses have followed; here and there staff had a word."""
    with connection.cursor() as cursor:
        for statement in ENDINGS:
            cursor.execute(statement, {"at": NOON, "base": BASE})
        cursor.execute("ANALYZE")


def everything() -> dict[int, tuple[object, ...]]:
    """Each access by its id, with all its columns."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM module_access")
        return {row[0]: row for row in cursor.fetchall()}


def by_source() -> dict[tuple[object, ...], tuple[object, ...]]:
    """What each access says, by what gives it: the same for a row that was deleted and made anew."""
    rows = ModuleAccess.objects.values_list(
        "order", "token", "subscription", "module", "user", "access_type", "is_active", "ended_reason", "expires_at"
    )
    return {row[:4]: row[4:] for row in rows}


def sabotage() -> Sabotage:
    """Every hundredth access, whatever gives it: deleted, ended, with another date or owner, or active again."""
    plain = ModuleAccess.objects.filter(revoked_at=None, extended_until=None).order_by("pk")
    ids = {state: list(plain.filter(is_active=state).values_list("pk", flat=True)) for state in (True, False)}
    count = ModuleAccess.objects.count() // EVERY // 5
    deleted, ended, dated, owned = (ids[True][way :: len(ids[True]) // count][:count] for way in range(4))
    active = ids[False][:: len(ids[False]) // count][:count]
    ModuleAccess.objects.filter(pk__in=deleted).delete()
    gone = {"is_active": False, "ended_at": NOON, "ended_reason": "refunded"}
    ModuleAccess.objects.filter(pk__in=ended).update(**gone)
    ModuleAccess.objects.filter(pk__in=dated).update(expires_at=NOON + timedelta(days=1, hours=1))
    ModuleAccess.objects.filter(pk__in=owned).update(user=make_learner("thief@example.com"))
    ModuleAccess.objects.filter(pk__in=active).update(is_active=True, ended_at=None, ended_reason="")
    return Sabotage(len(deleted), {*ended, *dated, *owned, *active})


ENDINGS = (
    """
    UPDATE payments_order SET status = 'REFUNDED', amount_refunded = amount_received
    WHERE id %% 20 = 0 AND id > %(base)s
    """,
    "UPDATE access_tokens SET revoked_at = %(at)s WHERE id %% 20 = 0 AND id > %(base)s AND order_id IS NULL",
    "UPDATE payments_subscription SET status = 'canceled' WHERE id %% 20 = 0 AND id > %(base)s",
    """
    UPDATE module_access a SET is_active = false, ended_at = %(at)s, ended_reason = 'refunded'
    FROM payments_order o WHERE o.status = 'REFUNDED' AND o.id = a.order_id
    """,
    """
    UPDATE module_access a SET is_active = false, ended_at = %(at)s, ended_reason = 'refunded'
    FROM access_tokens t JOIN payments_order o ON o.id = t.order_id WHERE o.status = 'REFUNDED' AND t.id = a.token_id
    """,
    """
    UPDATE module_access a SET is_active = false, ended_at = %(at)s, ended_reason = 'token_revoked'
    FROM access_tokens t WHERE t.revoked_at IS NOT NULL AND t.id = a.token_id
    """,
    """
    UPDATE module_access a SET is_active = false, ended_at = %(at)s, ended_reason = 'subscription_ended'
    FROM payments_subscription s WHERE s.status = 'canceled' AND s.id = a.subscription_id
    """,
    """
    UPDATE module_access SET is_active = false, ended_at = %(at)s, ended_reason = 'revoked', revoked_at = %(at)s
    WHERE id %% 97 = 0
    """,
    """
    UPDATE module_access SET extended_until = %(at)s + interval '900 days', expires_at = %(at)s + interval '900 days'
    WHERE id %% 89 = 0 AND is_active AND order_id IS NOT NULL
    """,
)
