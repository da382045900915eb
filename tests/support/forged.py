"""Tokens as somebody makes them who would like to be let in: header, claims and signature as they please."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import jwt
from django.conf import LazySettings

OLD_SECRET = "the-secret-that-signed-until-yesterday-0"
NEW_SECRET = "the-secret-that-signs-from-today-on-0000"
OTHER_SECRET = "a-secret-that-somebody-else-has-made-up"
HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def use_secrets(settings: LazySettings, *secrets: str) -> None:
    """The first signs, all verify."""
    settings.MODULES = replace(settings.MODULES, jwt_secrets=secrets)


def parts_of(raw: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token, unverified."""
    return jwt.get_unverified_header(raw), jwt.decode(raw, options={"verify_signature": False})


def forge(raw: str, *, secret: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """The token with another header or other claims (None: without), signed with this secret as HMAC."""
    old_header, old_claims = parts_of(raw)
    new_header = _without_none({**old_header, **(header or {})})
    digest = HASHES.get(str(new_header.get("alg")), hashlib.sha256)
    return seal(json.dumps(new_header), json.dumps(_without_none({**old_claims, **claims})), secret, digest=digest)


def seal(header: str, payload: str, secret: str, *, digest: Any = hashlib.sha256) -> str:
    """Any two texts, signed with HMAC."""
    signed = f"{_encoded(header.encode())}.{_encoded(payload.encode())}"
    return f"{signed}.{_encoded(hmac.new(secret.encode(), signed.encode(), digest).digest())}"


def unsigned(raw: str, *, alg: str = "none") -> str:
    """The token without a signature, as its header says."""
    header, claims = parts_of(raw)
    return f"{_encoded(json.dumps({**header, 'alg': alg}).encode())}.{_encoded(json.dumps(claims).encode())}."


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
