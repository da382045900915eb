"""One door for every call: key, idempotency, expansion, and the answer as Stripe gives it."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from stripe_emulator import clock
from stripe_emulator.api.parameters import check_params, params_class, read_form
from stripe_emulator.api.routes import Call, Route, find_route
from stripe_emulator.errors import CardDeclined, Json, StripeRefusal
from stripe_emulator.events.emit import Origin, caused_by
from stripe_emulator.models import KeptAnswer, StoredObject
from stripe_emulator.objects.parts import EXPANDABLE
from stripe_emulator.store import new_id, serialize_changes, shown

LONGEST_IDEMPOTENCY_KEY = 255
DEEPEST_EXPANSION, MOST_EXPANSIONS = 4, 20


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


def expand(answer: Json, paths: list[str]) -> Json:
    """A copy of the answer with what these paths name, such as "data.payment_intent.latest_charge"."""
    if len(paths) > MOST_EXPANSIONS:
        raise StripeRefusal(f"You can expand at most {MOST_EXPANSIONS} properties at once.", param="expand")
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEEPEST_EXPANSION + (steps[0] == "data"):
            raise StripeRefusal(f"You cannot expand more than {DEEPEST_EXPANSION} levels: {path}", param="expand")
        answer = _expanded(answer, steps, path)
    return answer


def _reply(request: HttpRequest, path: str, request_id: str) -> Reply:
    method = request.method or ""
    route, ids = find_route(method, path)
    given = _given(request)
    paths = _paths(given.pop("expand", {}))
    is_pinned = request.headers.get("Stripe-Version") == settings.STRIPE_API_VERSION
    params = check_params(given, params_class(route.params), strict=is_pinned) if route.params else given
    call = Call(params=params, at=clock.real_now(), is_pinned=is_pinned)
    key = request.headers.get("Idempotency-Key", "") if method == "POST" else ""
    fingerprint = _hash([method, path, {**params, "expand": paths}])
    with transaction.atomic(), caused_by(Origin(request_id, key)):
        if key and (kept := _find_answer(key, fingerprint)):
            return Reply(kept.status, kept.body, replayed_from=kept.request_id)
        if method != "GET":
            serialize_changes()
        reply = _carry_out(route, call, ids, paths)
        if key:
            answer = {"status": reply.status, "body": reply.body, "request_id": request_id}
            KeptAnswer.objects.create(key=key, fingerprint=fingerprint, **answer)
        return reply


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _find_answer(key: str, fingerprint: str) -> KeptAnswer | None:
    """What was answered before. Holds the key until the end of the transaction.

    Raises StripeRefusal: 409 while another call with the key is under way, 400 for other parameters or a long key.
    """
    if len(key) > LONGEST_IDEMPOTENCY_KEY:
        message = f"Idempotency keys have at most {LONGEST_IDEMPOTENCY_KEY} characters."
        raise StripeRefusal(message, type="idempotency_error")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        message = "There is currently another in-progress request using this Stripe-Idempotency-Key"
        raise StripeRefusal(message, code="idempotency_key_in_use", status=409)
    kept = KeptAnswer.objects.filter(key=key).first()
    if kept and kept.fingerprint != fingerprint:
        message = "Keys for idempotent requests can only be used with the same parameters they were first used with"
        raise StripeRefusal(f"{message} ('{key}').", type="idempotency_error")
    return kept


def _carry_out(route: Route, call: Call, ids: dict[str, str], paths: list[str]) -> Reply:
    """A declined card is an outcome, kept and committed; every other refusal leaves nothing behind."""
    try:
        answer = route.answer(call, **ids)
    except CardDeclined as decline:
        return _refused(decline)
    if isinstance(answer, StoredObject):
        answer.refresh_from_db()  # much may have followed from the call
        answer = shown(answer)
    return Reply(200, expand(answer, paths))


def _refused(refusal: StripeRefusal) -> Reply:
    return Reply(refusal.status, {"error": {**refusal.body, "request_log_url": f"{settings.STRIPE_EMULATOR_URL}/"}})


def _given(request: HttpRequest) -> Json:
    """The parameters: in the body of a POST, else in the query."""
    if request.method == "POST":
        return read_form(request.body.decode(errors="replace"))
    return read_form(urlsplit(request.get_full_path()).query)


def _authenticate(request: HttpRequest) -> None:
    """Raises StripeRefusal (401) for any key but ours."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    key = _of_basic(credentials) if scheme.lower() == "basic" else credentials.strip()
    if not key:
        message = "You did not provide an API key: the Authorization header carries it, as 'Bearer YOUR_SECRET_KEY'."
        raise StripeRefusal(message, status=401)
    if not settings.STRIPE_SECRET_KEY or key != settings.STRIPE_SECRET_KEY:
        raise StripeRefusal(f"Invalid API Key provided: {key[:8]}{'*' * 12}{key[-4:]}", status=401)


def _of_basic(credentials: str) -> str:
    """The user name of basic authentication, as curl sends it with `-u KEY:`."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _paths(expansions: Any) -> list[str]:
    """What is to be expanded. Raises StripeRefusal."""
    paths = list(expansions.values()) if isinstance(expansions, dict) else [expansions]
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


def _expanded(part: Any, steps: list[str], path: str) -> Any:
    """The part with its first step replaced by its object, and the rest of the steps inside that."""
    if isinstance(part, list):
        return [_expanded(each, steps, path) for each in part]
    if not steps or not isinstance(part, dict):
        return part
    step, *deeper = steps
    maker = EXPANDABLE.get((part.get("object", ""), step))
    if step not in part and maker is None:
        raise StripeRefusal(f"This property cannot be expanded ({path}).", param="expand[0]")
    value = part.get(step)
    if maker and not isinstance(value, dict):
        value = maker(StoredObject.objects.get(stripe_id=part["id"]))
    return {**part, step: _expanded(_object_of(value), deeper, path)}


def _object_of(value: Any) -> Any:
    """The object that an id names; anything else stays."""
    if isinstance(value, list):
        return [_object_of(each) for each in value]
    if not isinstance(value, str):
        return value
    found = StoredObject.objects.filter(stripe_id=value).first()
    return shown(found) if found else value
