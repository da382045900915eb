"""What the OpenAPI schema says about each address beside what the code says of itself. In English, as code is."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from config.api import INVALID, LIMIT_HEADERS, NO_LENGTH, NOT_JSON, TOO_LARGE, refusal
from modules_access.api.serializers import (
    MadeTokenSerializer,
    OwnModulesSerializer,
    RevokedSerializer,
    TokenToRevokeSerializer,
    TokenToVerifySerializer,
    VerifiedSerializer,
    WantedTokenSerializer,
)

TOKEN_ID = "0b6f1f9c-6f0e-4c0e-9a53-0d8d3a1b2c4d"
JWT = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjVmMWMyZDNhIiwidHlwIjoibW9kdWxlK2p3dCJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"
REQUEST = {
    "moduleId": "drawing",
    "userId": 42,
    "paymentId": "cs_live_a1b2c3",
    "accessLevel": "standard",
    "expirationHours": 72,
    "maxUsage": 100,
}
MADE_TOKEN = {
    "token": JWT,
    "tokenId": TOKEN_ID,
    "moduleId": "drawing",
    "userId": 42,
    "accessLevel": "standard",
    "expiresAt": "2026-09-04T12:00:00+02:00",
    "maxUsage": 100,
    "usesLeft": 100,
}
VERIFIED = {
    "userId": 42,
    "email": "camille@example.com",
    "name": "Camille Martin",
    "language": "fr",
    "moduleId": "drawing",
    "accessLevel": "standard",
    "expiresAt": "2026-09-04T12:00:00+02:00",
    "usesLeft": 99,
}
REVOKED = {
    "tokenId": TOKEN_ID,
    "moduleId": "drawing",
    "revokedAt": "2026-09-01T12:00:00+02:00",
    "reason": "The person has asked for it.",
}
OWN_MODULES = {
    "accesses": [
        {
            "accessId": 7,
            "moduleId": "drawing",
            "title": "Drawing",
            "state": "active",
            "source": "purchase",
            "expiresAt": None,
            "usesLeft": None,
        }
    ],
    "waiting": [],
}
KEY_CODES = {
    "key_scope": "This service key may not do that.",
    "key_module": "This service key is for another module.",
}
# Known from the token alone, before anything is looked up.
TOKEN_CODES = {
    "token_malformed": "This is no token of ours: it cannot be read.",
    "token_unsigned": "The token is not signed.",
    "token_algorithm": "The token is not signed in the one way that is accepted here.",
    "token_key": "The token names a key that is not known here (any more), or not the one that has signed it.",
    "token_forged": "The signature of the token is wrong: it was forged or changed.",
    "token_issuer": "The token was issued by somebody else.",
    "token_not_yet": "The token is not valid yet.",
    "token_expired": "The token has expired.",
}
NO_KEY = refusal(
    "No service key, or none that is valid.",
    key_missing="A service key is needed: send it as “Authorization: Bearer …”.",
    key_invalid="This service key is not known, or not valid any more.",
)
TOO_OFTEN = refusal(
    "The key was used too often, or this client has sent too many wrong keys.",
    throttled="You have tried too often. Try again in 1 minute.",
)
REFUSALS = {400: INVALID, 401: NO_KEY, 411: NO_LENGTH, 413: TOO_LARGE, 415: NOT_JSON, 429: TOO_OFTEN}
MODULE_UNKNOWN = {"unknown_module": "There is no such module."}

GENERATE: dict[str, Any] = {
    "operation_id": "generate_module_token",
    "tags": ["module-tokens"],
    "summary": "Make the token that a payment gives",
    "description": (
        "Rests on a paid order of this person for this module, or on what staff gave. One payment has one token: asked "
        "again with any spelling of the same payment, the answer is the same token with a fresh JWT and the uses that "
        "are left; parameters that are sent then must be those of the token. Needs a key for `tokens:generate`."
    ),
    "request": WantedTokenSerializer,
    "examples": [OpenApiExample("After a payment", value=REQUEST, request_only=True)],
    "parameters": LIMIT_HEADERS,
    "responses": {
        201: OpenApiResponse(
            MadeTokenSerializer, description="Made.", examples=[OpenApiExample("Made", value=MADE_TOKEN)]
        ),
        200: OpenApiResponse(MadeTokenSerializer, description="There was one for this payment already."),
        403: refusal("The key is not for this.", **KEY_CODES),
        409: refusal(
            "As things stand, this payment gives no token, or none like this.",
            payment_not_paid="The order is not paid, or its money has gone back.",
            payment_of_another="The payment is of somebody else, or for something else.",
            grant_ended="What staff had given has ended.",
            access_ended="Staff have taken back what was bought.",
            access_expired="What was bought has expired.",
            generated_otherwise="There is a token for this payment already, made with other parameters.",
            token_revoked="The token is revoked.",
            token_expired="The token has expired.",
            token_used_up="The token has been used as often as it may be.",
        ),
        422: refusal(
            "Something that the request names does not exist.",
            **MODULE_UNKNOWN,
            unknown_user="There is no such account, or its e-mail address is not confirmed.",
            unknown_payment="There is no such payment.",
        ),
        **REFUSALS,
    },
}
VERIFY: dict[str, Any] = {
    "operation_id": "verify_module_token",
    "tags": ["module-tokens"],
    "summary": "Verify a token and count its use",
    "description": (
        "Says whom to let into the module, and counts one use. A token is never accepted more often than it may be "
        "used, however many ask at once. The pass with which somebody opens a module is taken once: whoever is not let "
        "in by it opens the module anew. Let nobody in unless the answer is 200. Needs a key for `tokens:verify`."
    ),
    "request": TokenToVerifySerializer,
    "examples": [OpenApiExample("A token", value={"token": JWT, "moduleId": "drawing"}, request_only=True)],
    "parameters": LIMIT_HEADERS,
    "responses": {
        200: OpenApiResponse(VerifiedSerializer, examples=[OpenApiExample("Let in", value=VERIFIED)]),
        403: refusal(
            "The token lets nobody in, or the key is not for this.",
            **TOKEN_CODES,
            token_audience="The token is for another module.",
            token_unknown="There is no such token (any more).",
            token_revoked="The token is revoked.",
            token_used_up="The token has been used as often as it may be.",
            pass_used="This pass has been used: it opens the module once.",
            user_inactive="The account of this person is closed.",
            access_missing="The access that belongs to this token is missing: we have to repair that.",
            access_ended="The access has ended. The money has gone back.",
            access_expired="The access has expired.",
            **KEY_CODES,
        ),
        422: refusal("There is no such module.", **MODULE_UNKNOWN),
        **REFUSALS,
    },
}
REVOKE: dict[str, Any] = {
    "operation_id": "revoke_module_token",
    "tags": ["module-tokens"],
    "summary": "Revoke a token",
    "description": (
        "Ends the token and the access that it gives, at once and for good. A token that was revoked before is "
        "answered the same way. Needs a key for `tokens:revoke`."
    ),
    "request": TokenToRevokeSerializer,
    "examples": [
        OpenApiExample("By its id", value={"tokenId": TOKEN_ID, "reason": REVOKED["reason"]}, request_only=True)
    ],
    "parameters": LIMIT_HEADERS,
    "responses": {
        200: OpenApiResponse(RevokedSerializer, examples=[OpenApiExample("Revoked", value=REVOKED)]),
        403: refusal("The JWT is not accepted, or the key is not for this.", **TOKEN_CODES, **KEY_CODES),
        404: refusal("There is no such token.", token_unknown="There is no such token (any more)."),
        409: refusal(
            "The JWT is a pass.",
            not_revocable="This is a pass, which is over within minutes: there is nothing to revoke.",
        ),
        **REFUSALS,
    },
}
LIST_OWN: dict[str, Any] = {
    "operation_id": "list_own_modules",
    "summary": "The person's modules",
    "description": "For who is signed in on the site: the request carries the session's cookie.",
    "responses": {
        200: OpenApiResponse(OwnModulesSerializer, examples=[OpenApiExample("One module", value=OWN_MODULES)]),
        403: refusal("Nobody is signed in.", not_authenticated="Authentication credentials were not provided."),
    },
}
