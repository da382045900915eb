"""Events: https://docs.stripe.com/api/events"""

from django.db.models import QuerySet

from stripe_emulator import store
from stripe_emulator.api.routes import Call, list_page, route
from stripe_emulator.errors import Json, NoSuchObject, StripeRefusal
from stripe_emulator.events.endpoints import is_open
from stripe_emulator.events.payload import render
from stripe_emulator.events.resend import recent_events, resend
from stripe_emulator.models import Event

MOST_TYPES = 20


@route("GET", "events", params="EventListParams")
def list_all(call: Call) -> Json:
    if "delivery_success" in call.params:
        raise StripeRefusal("The emulator lists events whatever became of them.", param="delivery_success")
    rows = _of_types(recent_events(), call.params)
    return list_page(rows.prefetch_related("deliveries"), call.params, url="/v1/events", render=_shown)


@route("GET", "events/{id}", params="EventRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return _shown(_get(id))


@route("POST", "events/{id}/retry")
def send_again(call: Call, *, id: str) -> Json:
    """What `stripe events resend` calls: to one endpoint, else to all that want it."""
    event = _get(id)
    named = call.params.get("webhook_endpoint")
    endpoint = store.get_living("webhook_endpoint", str(named), param="webhook_endpoint") if named else None
    if endpoint and not is_open(endpoint):
        raise StripeRefusal(f"The webhook endpoint {named} is disabled.", param="webhook_endpoint")
    resend(event, endpoint)
    return _shown(event)


def _get(id: str) -> Event:
    event = recent_events().filter(stripe_id=id).first()
    if event is None:
        raise NoSuchObject("event", id)
    return event


def _shown(event: Event) -> Json:
    """In the shapes of the account's version at that moment, whatever version asks."""
    return render(event, event.api_version)


def _of_types(rows: QuerySet[Event], params: Json) -> QuerySet[Event]:
    """Those of the one type (`charge.*` is a group) or of the types that were asked for."""
    if "type" in params and "types" in params:
        raise StripeRefusal("You may pass either `type` or `types`, but not both.", param="types")
    if group := params.get("type"):
        start, star, _rest = group.partition("*")
        return rows.filter(type__startswith=start) if star else rows.filter(type=group)
    if "types" not in params:
        return rows
    types = params["types"]
    if not isinstance(types, list) or not 0 < len(types) <= MOST_TYPES:
        raise StripeRefusal(f"Invalid types: an array of 1 to {MOST_TYPES} event types.", param="types")
    return rows.filter(type__in=types)
