"""The user: signs in with an e-mail address, reads one language."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts.fields import LowercaseEmailField, normal_address
from accounts.pictures.models import Picture
from accounts.shop.models import Shop

__all__ = ["GivenRight", "Picture", "Shop", "User", "UserManager"]


class UserManager(BaseUserManager["User"]):
    """Makes users; an address means the same person in any spelling."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normal_address(username or ""))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user without rights of their own. Raises ValueError without an address, IntegrityError if it is taken."""
        if not email:
            raise ValueError("An e-mail address is needed.")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user who may do everything. Whoever can run the command answers for the address."""
        fields.setdefault("email_confirmed_at", timezone.now())
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def find_confirmed(self, email: str) -> "User | None":
        """Who has shown that they read what is sent to this address; None if nobody has, or may no longer sign in."""
        return self.filter(email=email, email_confirmed_at__isnull=False, is_active=True).first()


class User(AbstractBaseUser, PermissionsMixin):
    """A person with a password: staff or customer."""

    email = LowercaseEmailField(_("e-mail"), unique=True)
    email_confirmed_at = models.DateTimeField(_("e-mail confirmed"), null=True, blank=True, editable=False)
    external_id = models.CharField(
        _("id in the old system"), max_length=255, null=True, blank=True, unique=True, editable=False
    )
    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    is_staff = models.BooleanField(_("may enter the admin"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)
    # The person wants to be erased (accounts/own_data.py): staff see to it.
    erasure_asked_at = models.DateTimeField(_("erasure asked for"), null=True, blank=True, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions = [
            ("view_personal_data", gettext_noop("Can read names and addresses of buyers in full")),
            ("export_personal_data", gettext_noop("Can export all that is known of one person")),
            ("erase_personal_data", gettext_noop("Can erase a person from what must be kept")),
        ]
        constraints = [
            models.CheckConstraint(name="user_email_is_lower_case", condition=models.Q(email=Lower("email"))),
        ]
        # Staff search by a part of either.
        indexes = [
            models.Index(fields=["email"], name="user_is_staff", condition=models.Q(is_staff=True)),
            models.Index(fields=["email"], name="user_is_superuser", condition=models.Q(is_superuser=True)),
            models.Index(fields=["email"], name="user_is_off", condition=models.Q(is_active=False)),
            models.Index(
                fields=["erasure_asked_at"],
                name="user_to_be_erased",
                condition=models.Q(erasure_asked_at__isnull=False),
            ),
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="user_name_parts"),
            GinIndex(OpClass(Upper("email"), "gin_trgm_ops"), name="user_email_parts"),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email

    @property
    def has_any_rights(self) -> bool:
        """May do something that customers may not, or could if they were let into the admin (again)."""
        return (
            self.is_staff or self.is_superuser or self.groups.exists() or self.user_permissions.exists()
        )  # fmt: skip

    @property
    def is_sign_up_pending(self) -> bool:
        """Somebody has signed up with this address, and nobody has opened the link that went there."""
        return self.email_confirmed_at is None and not self.has_usable_password()


class GivenRight(models.Model):
    """That a group of staff was given a right once ("payments.view_order"): taken away by hand, it stays away.

    Without a group: that who had this right got those into which it was split.
    """

    group_name = models.CharField(max_length=150, blank=True)
    permission = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["group_name", "permission"], name="given_once")]

    def __str__(self) -> str:
        return f"{self.group_name}: {self.permission}"
