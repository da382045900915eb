"""One door for every call: who calls, what is asked, the answer as Stripe gives it."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from stripe_emulator import clock
from stripe_emulator.api.expansion import expand
from stripe_emulator.api.form import read_form
from stripe_emulator.api.idempotency import Key
from stripe_emulator.api.parameters import check, named
from stripe_emulator.api.routes import Call, Route, find_route
from stripe_emulator.errors import CardDeclined, Json, StripeRefusal
from stripe_emulator.events.emit import Origin, caused_by
from stripe_emulator.ids import new_id
from stripe_emulator.store import one_at_a_time


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. `replayed_from`: the first request with this idempotency key."""

    status: int
    body: Json
    replayed_from: str = ""


@csrf_exempt
def api(request: HttpRequest, path: str) -> JsonResponse:
    """Answer a call under `/v1/`; refusals are answers too."""
    request_id = new_id("req_", length=14)
    try:
        _authenticate(request)
        reply = _reply(request, path.rstrip("/"), request_id)
    except StripeRefusal as refusal:
        reply = _refused(refusal)
    return _response(request, reply, request_id)


def _reply(request: HttpRequest, path: str, request_id: str) -> Reply:
    method = request.method or ""
    route, ids = find_route(method, path)
    given = _given(request)
    paths = _paths(given.pop("expand", {}))
    is_pinned = request.headers.get("Stripe-Version") == settings.STRIPE_API_VERSION
    params = check(given, named(route.params), strict=is_pinned) if route.params else given
    call = Call(params=params, at=clock.real_now(), is_pinned=is_pinned)
    told = request.headers.get("Idempotency-Key", "") if method == "POST" else ""
    key = Key.of(told, method=method, path=path, params={**params, "expand": paths}) if told else None
    with transaction.atomic(), caused_by(Origin(request_id, told)):
        if key and (kept := key.find_answer()):
            return Reply(kept.status, kept.body, replayed_from=kept.request_id)
        if method != "GET":
            one_at_a_time()
        reply = _carry_out(route, call, ids, paths)
        if key:
            key.keep(status=reply.status, body=reply.body, request_id=request_id)
        return reply


def _carry_out(route: Route, call: Call, ids: dict[str, str], paths: list[str]) -> Reply:
    """A declined card is an outcome, kept and committed; every other refusal leaves nothing behind."""
    try:
        return Reply(200, expand(route.answer(call, **ids), paths))
    except CardDeclined as decline:
        return _refused(decline)


def _refused(refusal: StripeRefusal) -> Reply:
    return Reply(refusal.status, {"error": {**refusal.body, "request_log_url": f"{settings.STRIPE_EMULATOR_URL}/"}})


def _given(request: HttpRequest) -> Json:
    """The parameters: in the body of a POST, else in the query."""
    if request.method == "POST":
        return read_form(request.body.decode(errors="replace"))
    return read_form(urlsplit(request.get_full_path()).query)


def _authenticate(request: HttpRequest) -> None:
    """Raises StripeRefusal (401) for any key but ours."""
    scheme, _, told = request.headers.get("Authorization", "").partition(" ")
    key = _of_basic(told) if scheme.lower() == "basic" else told.strip()
    if not key:
        message = "You did not provide an API key: the Authorization header carries it, as 'Bearer YOUR_SECRET_KEY'."
        raise StripeRefusal(message, status=401)
    if not settings.STRIPE_SECRET_KEY or key != settings.STRIPE_SECRET_KEY:
        raise StripeRefusal(f"Invalid API Key provided: {key[:8]}{'*' * 12}{key[-4:]}", status=401)


def _of_basic(told: str) -> str:
    """The user name of basic authentication, as curl sends it with `-u KEY:`."""
    try:
        return base64.b64decode(told, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _paths(told: Any) -> list[str]:
    """What is to be expanded. Raises StripeRefusal."""
    paths = list(told.values()) if isinstance(told, dict) else [told]
    if not all(isinstance(path, str) for path in paths):
        raise StripeRefusal("Invalid array: expand is a list of properties.", param="expand")
    return paths


def _response(request: HttpRequest, reply: Reply, request_id: str) -> JsonResponse:
    response = JsonResponse(reply.body, status=reply.status, json_dumps_params={"indent": 2})
    response["Request-Id"] = request_id
    response["Stripe-Version"] = request.headers.get("Stripe-Version", settings.STRIPE_API_VERSION)
    if key := request.headers.get("Idempotency-Key"):
        response["Idempotency-Key"] = key
    if reply.replayed_from:
        response["Idempotent-Replayed"] = "true"
        response["Original-Request"] = reply.replayed_from
    return response
