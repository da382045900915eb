"""Verifies a token for a module and counts its use, exactly, however many do so at once."""

import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from django.db import Error as DatabaseFailure
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import User
from modules_access.figures import OK, count_check
from modules_access.jwt import REFUSAL_SENTENCES, STANDARD_LEVEL, Claims, TokenRefused, read_token
from modules_access.models import AccessToken, Module, ModuleAccess, PassUse, ServiceKey

log = structlog.get_logger(__name__)
# What closed an access can be gone when the reason is looked up: then it is tried once more.
MAX_ATTEMPTS = 3

# One statement: the row's lock decides who takes the last use, and whoever waited for it looks at all of this again.
USE_TOKEN = """
    UPDATE access_tokens AS token SET used = token.used + 1, last_used_at = %(at)s
    FROM module_access AS access JOIN accounts_user AS person ON person.id = access.user_id
    WHERE access.id = %(access)s AND token.id = access.token_id
        AND token.used < token.max_usage AND token.revoked_at IS NULL AND token.expires_at > %(at)s
        AND access.is_active AND (access.expires_at IS NULL OR access.expires_at > %(at)s)
        AND person.id = %(user)s AND person.is_active
    RETURNING token.max_usage - token.used
"""
# Of many who bring a pass at once one is first; the others wait here until it is let in, or refused.
USE_PASS = """
    INSERT INTO modules_access_passuse (jti, key_id, used_at, expires_at)
    VALUES (%(jti)s, %(key)s, %(at)s, %(ends)s) ON CONFLICT (jti) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Verified:
    """Whom to let in, and until when (None: without end). `uses_left` None: they are not limited."""

    user: User
    module: Module
    access_level: str
    expires_at: datetime | None
    uses_left: int | None


def verify(raw: str, *, module: Module, at: datetime, by: ServiceKey | None = None) -> Verified:
    """Whom the token lets into the module, and counts it as one use. Raises TokenRefused.

    `by`: the key that asks. A pass is taken once. Not to be called inside a transaction: others who use the same token
    would wait for its end.
    """
    began = time.perf_counter_ns()
    try:
        claims = read_token(raw, audience=module.audience, at=at)
        use = _use if claims.access_id is None else partial(_use_pass, by=by)
        verified = use(claims, module, at=at)
    except TokenRefused as refusal:
        _count_outcome(refusal.code, began=began, at=at)
        log.info("token.refused", module=module.slug, code=refusal.code)
        raise
    _count_outcome(OK, began=began, at=at)
    return verified


def find_refusal(access: ModuleAccess, *, at: datetime) -> TokenRefused | None:
    """What keeps the person out, the most final first; None if nothing does. Reads its user and token."""
    token = access.token
    if not access.user.is_active:
        return TokenRefused("user_inactive")
    if token and token.revoked_at:
        return TokenRefused("token_revoked")
    if not access.is_active:
        return TokenRefused("access_ended", f"{REFUSAL_SENTENCES['access_ended']} {access.get_ended_reason_display()}")
    if token and token.expires_at <= at:
        return TokenRefused("token_expired")
    if access.expires_at and access.expires_at <= at:
        return TokenRefused("access_expired")
    return TokenRefused("token_used_up") if token and not token.uses_left else None


def forget_passes(*, at: datetime) -> None:
    """Remove what nobody asks about any more: a pass that is over is refused for that."""
    PassUse.objects.filter(expires_at__lt=at).delete()


def _use_pass(claims: Claims, module: Module, *, at: datetime, by: ServiceKey | None) -> Verified:
    taken = {"jti": claims.jti, "key": by.pk if by else None, "at": at, "ends": claims.expires_at}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(USE_PASS, taken)
        if cursor.rowcount:
            # What is refused now is rolled back: the pass is not used.
            return _use(claims, module, at=at)
    raise TokenRefused("pass_used")


def _use(claims: Claims, module: Module, *, at: datetime) -> Verified:
    for _attempt in range(MAX_ATTEMPTS):
        access = _find(claims, module)
        if access.token:
            left = _use_token(access, at=at)
            is_used = left is not None
        else:
            left, is_used = None, _use_access(access, at=at)
        if is_used:
            return _verified(access, module, uses_left=left)
        if refusal := find_refusal(_find(claims, module), at=at):
            raise refusal
    raise TokenRefused("access_ended")


def _verified(access: ModuleAccess, module: Module, *, uses_left: int | None) -> Verified:
    level = access.token.access_level if access.token else STANDARD_LEVEL
    return Verified(access.user, module, level, access.expires_at, uses_left)


def _find(claims: Claims, module: Module) -> ModuleAccess:
    """The access that the token opens, read again. A name that was signed for another person or module is no name."""
    is_pass, owner = claims.access_id is not None, {"user_id": claims.user_id, "module": module}
    which = Q(pk=claims.access_id) if is_pass else Q(token__jti=claims.jti)
    if access := ModuleAccess.objects.filter(which, **owner).select_related("user", "token").first():
        return access
    is_there = not is_pass and AccessToken.objects.filter(jti=claims.jti, **owner).exists()
    raise TokenRefused("access_missing" if is_there else "token_unknown")


def _use_token(access: ModuleAccess, *, at: datetime) -> int | None:
    """How many uses are left after this one; None where it was not granted."""
    with connection.cursor() as cursor:
        cursor.execute(USE_TOKEN, {"access": access.pk, "user": access.user_id, "at": at})
        row = cursor.fetchone()
    return int(row[0]) if row else None


def _use_access(access: ModuleAccess, *, at: datetime) -> bool:
    """Whether a use of an access that is not by token was granted."""
    # EXISTS, not a join: a join would look at the row's own columns in a subquery, which nobody reads again.
    somebody = User.objects.filter(pk=OuterRef("user_id"), is_active=True)
    lasts = Q(expires_at__isnull=True) | Q(expires_at__gt=at)
    rows = ModuleAccess.objects.filter(lasts, Exists(somebody), pk=access.pk, user=access.user_id, is_active=True)
    return bool(rows.update(used=F("used") + 1, last_used_at=at))


def _count_outcome(outcome: str, *, began: int, at: datetime) -> None:
    """Nobody is kept out, or let in twice, because it could not be counted."""
    micros = (time.perf_counter_ns() - began) // 1000
    try:
        count_check(outcome=outcome, micros=micros, at=at)
    except DatabaseFailure as error:
        log.error("token.not_counted", outcome=outcome, error=type(error).__name__)
