"""The shop: one row, which staff fill in; what is empty there is shown nowhere."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.pictures.models import Picture
from accounts.shop.colours import check_accent

# The one row.
SHOP_ID = 1
LONGEST_TEXT = 60_000
TEXT_LANGUAGES = ("en", "fr")
# Digits, and what people write between them.
PHONE = RegexValidator(r"^\+?[0-9][0-9 ().-]{3,}$", _("Write digits and spaces, for example +33 4 78 00 00 00."))


class ShopPage(models.TextChoices):
    """What a shop lets people read before they buy, by the names in the addresses."""

    TERMS = "terms", _("Terms of sale")
    REFUNDS = "refunds", _("Refunds and withdrawal")
    PRIVACY = "privacy", _("Privacy")
    LEGAL_NOTICE = "legal-notice", _("Legal notice")

    @property
    def column(self) -> str:
        """How the columns of its texts begin."""
        return self.value.replace("-", "_")


class Shop(models.Model):
    """Who sells. The texts are Markdown, each in English and in French; a reader without their own gets the other.

    `accent`: "#1d5c96", or "" for the colours of the house. `legal_entity`: as it stands in contracts.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=SHOP_ID, editable=False)
    name = models.CharField(
        _("name"), max_length=80, blank=True,
        help_text=_("As visitors know you: on every page, in e-mails, on receipts."),
    )  # fmt: skip
    logo = models.ForeignKey(
        Picture, models.PROTECT, null=True, blank=True, related_name="shops", verbose_name=_("logo"), db_index=False,
    )  # fmt: skip
    accent = models.CharField(
        _("accent colour"), max_length=7, blank=True, validators=[check_accent],
        help_text=_("Of buttons and links, for example #1d5c96. For dark screens it is made paler by itself."),
    )  # fmt: skip
    email = models.EmailField(_("contact e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True, validators=[PHONE])
    legal_entity = models.CharField(
        _("legal entity"), max_length=200, blank=True,
        help_text=_("Company name, form and registration number, as they stand in contracts and on receipts."),
    )  # fmt: skip
    address = models.TextField(_("postal address"), max_length=500, blank=True)
    terms_en = models.TextField(_("terms of sale (English)"), max_length=LONGEST_TEXT, blank=True)
    terms_fr = models.TextField(_("terms of sale (French)"), max_length=LONGEST_TEXT, blank=True)
    refunds_en = models.TextField(_("refunds and withdrawal (English)"), max_length=LONGEST_TEXT, blank=True)
    refunds_fr = models.TextField(_("refunds and withdrawal (French)"), max_length=LONGEST_TEXT, blank=True)
    privacy_en = models.TextField(_("privacy (English)"), max_length=LONGEST_TEXT, blank=True)
    privacy_fr = models.TextField(_("privacy (French)"), max_length=LONGEST_TEXT, blank=True)
    legal_notice_en = models.TextField(_("legal notice (English)"), max_length=LONGEST_TEXT, blank=True)
    legal_notice_fr = models.TextField(_("legal notice (French)"), max_length=LONGEST_TEXT, blank=True)

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("name, look and texts")
        default_permissions = ("view", "change")
        constraints = [models.CheckConstraint(name="shop_is_one", condition=models.Q(id=SHOP_ID))]

    def __str__(self) -> str:
        return self.name or str(_("Shop"))

    def text_of(self, page: ShopPage, language: str) -> tuple[str, str]:
        """The text in this language, or else in another; with the language that it is in. "" where there is none."""
        others = [code for code in TEXT_LANGUAGES if code != language]
        for code in (language, *others):
            if text := getattr(self, f"{page.column}_{code}", ""):
                return text, code
        return "", language
