"""Makes and reads the JWT of access tokens and of passes: HS256 alone; the first secret signs, all of them verify."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from modules_access.models import AccessToken, Module, ModuleAccess

# Why a token lets nobody in: one word for programs and one sentence for people each.
REFUSAL_SENTENCES: dict[str, Promise] = {
    # Known from the token alone.
    "token_malformed": _("This is no token of ours: it cannot be read."),
    "token_unsigned": _("The token is not signed."),
    "token_algorithm": _("The token is not signed in the one way that is accepted here."),
    "token_key": _("The token names a key that is not known here (any more), or not the one that has signed it."),
    "token_forged": _("The signature of the token is wrong: it was forged or changed."),
    "token_issuer": _("The token was issued by somebody else."),
    "token_audience": _("The token is for another module."),
    "token_not_yet": _("The token is not valid yet."),
    "token_expired": _("The token has expired."),
    # Known from the rows.
    "token_unknown": _("There is no such token (any more)."),
    "token_revoked": _("The token is revoked."),
    "token_used_up": _("The token has been used as often as it may be."),
    "pass_used": _("This pass has been used: it opens the module once."),
    "user_inactive": _("The account of this person is closed."),
    "access_missing": _("The access that belongs to this token is missing: we have to repair that."),
    "access_ended": _("The access has ended."),
    "access_expired": _("The access has expired."),
}
ALGORITHM = "HS256"
# Of its own: what another program has signed with the same secret for something else opens nothing (RFC 8725, 3.11).
JWT_TYPE = "module+jwt"
# Ours have less than 600.
MAX_JWT_LENGTH = 4096
# Two of our machines may differ by that much.
CLOCK_LEEWAY = timedelta(seconds=5)
STANDARD_LEVEL = "standard"
# Headers by which whoever calls would choose the key that proves them right.
KEY_HEADERS = frozenset({"jwk", "jku", "x5u", "x5c"})
# Headers that change how the rest is read; nothing of ours needs them.
PROCESSING_HEADERS = frozenset({"crit", "b64"})
# The claims are compared here, with the clock of the caller.
SIGNATURE_CHECK_ONLY: Any = {
    f"verify_{name}": name == "signature" for name in ("signature", "exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}


class TokenRefused(Exception):
    """The token lets nobody in: `code` is a word for programs, the text a sentence for people."""

    def __init__(self, code: str, sentence: str | Promise = "") -> None:
        self.code = code
        super().__init__(sentence or REFUSAL_SENTENCES[code])

    def __str__(self) -> str:
        # Translated when it is read, not when it was raised.
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Claims:
    """What a genuine token says. `access_id` is there in passes only, whose `jti` names no row."""

    jti: UUID
    user_id: int
    level: str
    expires_at: datetime
    access_id: int | None


def mint_token(token: AccessToken, *, at: datetime) -> str:
    """A JWT for the row, as long as the row lasts; whether it may be used is not asked here. Reads its module."""
    return _sign(
        token.module, token.user_id, jti=token.jti, level=token.access_level, expires_at=token.expires_at, at=at
    )


def mint_pass(access: ModuleAccess, *, at: datetime) -> str:
    """A JWT with which somebody opens a module within settings.MODULES.pass_seconds, never after the access's end.

    Whether the access is open is not asked here. Uses of an access by token count on that token. Reads its module.
    """
    expires_at = at + timedelta(seconds=settings.MODULES.pass_seconds)
    if access.expires_at:
        expires_at = min(expires_at, access.expires_at)
    level = access.token.access_level if access.token else STANDARD_LEVEL
    return _sign(
        access.module, access.user_id, jti=uuid4(), level=level, expires_at=expires_at, at=at, acc=access.pk
    )  # fmt: skip


def read_token(raw: str, *, audience: str | None, at: datetime) -> Claims:
    """The claims of a token that is genuine, valid now and meant for `audience`.

    Audience None: for any module. Nothing is looked at before the signature has been verified. Raises TokenRefused.
    """
    payload = _verified(raw, kid=_kid_in(_header(raw)))
    claims = _claims(payload)
    if payload.get("iss") != settings.SITE_URL:
        raise TokenRefused("token_issuer")
    if audience is not None and payload.get("aud") != audience:
        raise TokenRefused("token_audience")
    if max(_number(payload, "nbf"), _number(payload, "iat")) > (at + CLOCK_LEEWAY).timestamp():
        raise TokenRefused("token_not_yet")
    if at >= claims.expires_at:
        raise TokenRefused("token_expired")
    return claims


def kid_of(secret: str) -> str:
    """The name of a secret in the header: tells which one has signed, and nothing else about it."""
    return hashlib.sha256(f"module tokens, key id {secret}".encode()).hexdigest()[:8]


def _sign(
    module: Module, user_id: int, *, jti: UUID, level: str, expires_at: datetime, at: datetime, **more: int
) -> str:  # fmt: skip
    now, secret = int(at.timestamp()), settings.MODULES.jwt_secrets[0]
    claims = {
        "iss": settings.SITE_URL, "aud": module.audience, "sub": str(user_id), "jti": str(jti), "iat": now, "nbf": now,
        "exp": int(expires_at.timestamp()), "level": level, **more,
    }  # fmt: skip
    return jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"kid": kid_of(secret), "typ": JWT_TYPE})


def _header(raw: str) -> Mapping[str, Any]:
    if len(raw) > MAX_JWT_LENGTH or not raw.isascii():
        raise TokenRefused("token_malformed")
    try:
        header = jwt.get_unverified_header(raw)
    except jwt.InvalidTokenError as error:
        raise TokenRefused("token_malformed") from error
    if PROCESSING_HEADERS & header.keys() or not isinstance(header.get("alg"), str):
        raise TokenRefused("token_malformed")
    return header


def _kid_in(header: Mapping[str, Any]) -> str:
    """The `kid` of a header that asks for nothing but our own way to sign."""
    if header["alg"].strip().lower() == "none":
        raise TokenRefused("token_unsigned")
    if header["alg"] != ALGORITHM or KEY_HEADERS & header.keys():
        raise TokenRefused("token_algorithm")
    kid = str(header.get("kid", ""))
    if kid not in map(kid_of, settings.MODULES.jwt_secrets):
        raise TokenRefused("token_key")
    return kid


def _verified(raw: str, *, kid: str) -> Mapping[str, Any]:
    """What was signed with one of our secrets: the one that the header names, and no other."""
    for secret in settings.MODULES.jwt_secrets:
        try:
            decoded = jwt.decode_complete(raw, secret, algorithms=[ALGORITHM], options=SIGNATURE_CHECK_ONLY)
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError as error:
            raise TokenRefused("token_malformed") from error
        if kid_of(secret) != kid:
            raise TokenRefused("token_key")
        if decoded["header"].get("typ") != JWT_TYPE:
            raise TokenRefused("token_malformed")
        return dict(decoded["payload"])
    raise TokenRefused("token_forged")


def _claims(payload: Mapping[str, Any]) -> Claims:
    """Signed by us, and yet looked at: somebody else may have had the secret for tokens of another kind."""
    try:
        return Claims(
            jti=UUID(str(payload["jti"])), user_id=int(payload["sub"]), level=str(payload["level"]),
            expires_at=datetime.fromtimestamp(_number(payload, "exp"), UTC),
            access_id=_number(payload, "acc") if "acc" in payload else None,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise TokenRefused("token_malformed") from error


def _number(payload: Mapping[str, Any], name: str) -> int:
    value = payload.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TokenRefused("token_malformed")
    return value
