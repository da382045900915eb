"""The incident that every page of staff names, and the pause of which every public page tells."""

from django import template
from django.http import HttpRequest

from payments.incidents.models import Incident
from payments.incidents.switches import current_incident, sales_pause

register = template.Library()


@register.inclusion_tag("admin/kit/incident.html")
def staff_banner(request: HttpRequest) -> dict[str, Incident | bool | None]:
    """For staff: what is switched off, since when, why; with the way to it for who may see it."""
    return {"incident": current_incident(), "may_see": request.user.has_perm("payments.view_incident")}


@register.inclusion_tag("public/pause.html")
def pause_banner() -> dict[str, Incident | None]:
    """For everybody: that nothing can be bought."""
    return {"incident": sales_pause()}
