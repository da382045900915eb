"""The screen "E-mails": every mail to buyers as it would look, with made-up people and things, in both languages.

The HTML stands in a frame from an address of its own, whose policy lets it load and run nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.staff_site import Job, staff_context, staff_page
from config.middleware import CONTENT_SECURITY_POLICY, content_security_policy
from payments.effects.mail import ALERT, Mail, amount_in_words, build

PERMISSION = "accounts.view_shop"
ENDING = ".subject.txt"
# A mail brings its own style and nothing else; "sandbox" takes scripts, forms and links away from it.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; sandbox"
FOLDER = settings.BASE_DIR / "templates/email"
KINDS = sorted(
    name for path in FOLDER.glob(f"*{ENDING}") if not (name := path.name.removesuffix(ENDING)).startswith(ALERT)
)


@staff_page(
    "mails/", name="mail_previews", title=gettext_lazy("E-mails"), job=Job.SHOP, permission=PERMISSION, position=1
)
def previews_view(request: HttpRequest) -> HttpResponse:
    """All kinds by their subjects."""
    at, language = timezone.now(), (get_language() or "en")[:2]
    rows = [
        (kind, preview(kind, language=language, at=at).subject, reverse("admin:mail_preview", args=[kind, language]))
        for kind in KINDS
    ]
    context = staff_context(request, title=_("E-mails"), mails=rows)
    return TemplateResponse(request, "admin/payments/mail_previews.html", context)


@staff_page(
    "mails/<str:kind>/<str:language>/", name="mail_preview", title=gettext_lazy("E-mail"), job=None,
    permission=PERMISSION,
)  # fmt: skip
def preview_view(request: HttpRequest, kind: str, language: str) -> HttpResponse:
    """One of them in one language: subject, HTML, plain text."""
    mail = _asked_for(kind, language)
    context = staff_context(
        request, title=mail.subject, kind=kind, language=language, plain=mail.body,
        frame=reverse("admin:mail_frame", args=[kind, language]),
        others=[(code, name, reverse("admin:mail_preview", args=[kind, code])) for code, name in settings.LANGUAGES],
    )  # fmt: skip
    response = TemplateResponse(request, "admin/payments/mail_preview.html", context)
    response.headers[CONTENT_SECURITY_POLICY] = f"{content_security_policy()}; frame-src 'self'"
    return response


@staff_page(
    "mails/<str:kind>/<str:language>/frame/", name="mail_frame", title=gettext_lazy("E-mail"), job=None,
    permission=PERMISSION,
)  # fmt: skip
@xframe_options_sameorigin
def frame_view(request: HttpRequest, kind: str, language: str) -> HttpResponse:
    """The HTML as it would be sent."""
    response = HttpResponse(str(_asked_for(kind, language).alternatives[0][0]))
    response.headers[CONTENT_SECURITY_POLICY] = MAIL_POLICY
    return response


def _asked_for(kind: str, language: str) -> EmailMultiAlternatives:
    if kind not in KINDS or language not in dict(settings.LANGUAGES):
        raise Http404
    return preview(kind, language=language, at=timezone.now())


def preview(kind: str, *, language: str, at: datetime) -> EmailMultiAlternatives:
    """The mail with made-up content; nothing is read, nothing sent."""
    with override(language):
        context = sample_context(at=at)
    return build(Mail(to=("ada@example.com",), language=language, context=context), kind=kind, key="preview")


def sample_context(*, at: datetime) -> Mapping[str, Any]:
    """What any of the templates may ask for."""
    price, soon, later = amount_in_words(4900, "eur"), at + timedelta(hours=3), at + timedelta(days=14)
    title = _("Pottery for beginners")
    activity = SimpleNamespace(
        title=title, name=title, slug="pottery", starts_at=later, ends_at=later + timedelta(hours=3),
        place=_("The workshop"), where=_("The workshop"), address="12 rue des Tanneurs", city="Lyon", price=4900,
        price_text=price, called_off_reason=_("The potter is ill."), refund_days=7,
    )  # fmt: skip
    order = SimpleNamespace(
        number="O-000123", label=title, amount=4900, currency="eur", price=price, is_free=False, kind="registration"
    )
    plan = SimpleNamespace(name="Premium", price_text=amount_in_words(400, "eur"))
    subscription = SimpleNamespace(
        plan=plan, price_text=plan.price_text, period_end=later, cancel_at=later, trial_end=later, money_back="refunded"
    )
    page = f"{settings.SITE_URL}/…"
    return {
        "name": "Ada Martin", "activity": activity, "order": order, "plan": plan, "subscription": subscription,
        "module": SimpleNamespace(title=_("Drawing from nature"), summary="", slug="drawing"),
        "incident": SimpleNamespace(pauses_sales=True, ends_at=soon), "site": settings.SITE_NAME, "hours": 24,
        "link": page, "receipt": page, "confirmation": page, "again": page, "calendar": page, "until": soon,
        "reason": _("Your card has expired."), "next_try_at": later, "has_access": True, "is_kept": True,
        "goes_on": True, "is_waiting": True, "has_money": True, "is_expired": True, "can_register": True,
        "amount": price, "received": price, "refunded": amount_in_words(1900, "eur"),
    }  # fmt: skip
