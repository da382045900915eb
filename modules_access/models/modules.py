"""What can be learned, which plan opens it, and who has bought it."""

from functools import reduce
from operator import or_

from django.conf import settings
from django.core.validators import MaxValueValidator, MinLengthValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts.pictures.models import Picture
from payments.money import Chargeable, format_amount

MAX_ACCESS_DAYS = 36_500


class ModuleQuerySet(models.QuerySet["Module"]):
    """The lists that people ask for."""

    def on_sale(self) -> "ModuleQuerySet":
        """What the catalogue shows."""
        return self.filter(is_on_sale=True)

    def matching(self, text: str) -> "ModuleQuerySet":
        """Those in which each of the words occurs."""
        columns = ("title", "summary", "description")
        words = (reduce(or_, (Q(**{f"{name}__icontains": word}) for name in columns)) for word in text.split())
        return self.filter(*words)


class Module(Chargeable, models.Model):
    """A learning module, which lives at an address of its own. `price` in minor units; 0: free."""

    price_field = "price"
    slug = models.SlugField(_("address"), unique=True, help_text=_("Its name in addresses, and in its tokens."))
    external_id = models.CharField(
        _("id in the old system"), max_length=255, null=True, blank=True, unique=True, editable=False
    )
    title = models.CharField(_("title"), max_length=200)
    summary = models.CharField(_("in one sentence"), max_length=300, blank=True)
    description = models.TextField(_("description"), blank=True)
    picture = models.ForeignKey(
        Picture, models.PROTECT, null=True, blank=True, related_name="modules", verbose_name=_("picture"),
        db_index=False,  # few rows, looked for only where a picture is taken away
    )  # fmt: skip
    price = models.PositiveBigIntegerField(
        _("price"), help_text=_("In the smallest unit: 4900 is 49.00 EUR; 0 is free.")
    )
    currency = models.CharField(_("currency"), max_length=3, default="eur", validators=[MinLengthValidator(3)])
    access_days = models.PositiveIntegerField(
        _("days of access"), null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_ACCESS_DAYS)],
        help_text=_("For purchases from now on; leave empty for lifetime access."),
    )  # fmt: skip
    url = models.URLField(
        _("where it is"), max_length=500, help_text=_("People are led there, with a token that it has verified here.")
    )
    is_on_sale = models.BooleanField(_("on sale"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = ModuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("module")
        verbose_name_plural = _("modules")
        ordering = ["position", "slug"]
        permissions = [
            ("diagnose_access", gettext_noop("Can ask why somebody has no access")),
            ("repair_access", gettext_noop("Can repair accesses")),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def price_text(self) -> str:
        """The price in words for people."""
        return format_amount(self.price, self.currency)

    @property
    def audience(self) -> str:
        """For whom its tokens are (`aud`)."""
        return f"module:{self.slug}"


class PlanOpening(models.Model):
    """Which modules a plan opens. A plan without a row here opens all, those too that come later."""

    plan = models.OneToOneField("payments.Plan", models.CASCADE, related_name="opening", verbose_name=_("plan"))
    is_all = models.BooleanField(_("all modules, later ones too"), default=True)
    modules = models.ManyToManyField(
        Module, blank=True, related_name="openings", verbose_name=_("modules"),
        help_text=_("Counts where not all modules are opened."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("modules in a plan")
        verbose_name_plural = _("modules in each plan")

    def __str__(self) -> str:
        return str(self.plan)


# Of the orders that buy modules.
ORDER_KIND = "module"


class Purchase(models.Model):
    """Which module an order of kind "module" buys, and for whom. `access_days` as they were when it was begun."""

    order = models.OneToOneField(
        "payments.Order", models.PROTECT, related_name="module_purchase", verbose_name=_("order")
    )
    module = models.ForeignKey(Module, models.PROTECT, related_name="purchases", verbose_name=_("module"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="module_purchases", verbose_name=_("user")
    )
    access_days = models.PositiveIntegerField(_("days of access"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        indexes = [models.Index(fields=["user", "module"], name="purchase_of_user")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.user_id}:{self.module_id}"
