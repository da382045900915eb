"""One picture, in two widths, under the name of its own content: what is behind an address never changes."""

from django.db import models
from django.utils.translation import gettext_lazy as _

# In pixels; a screen of twice the density shows the wide one on a card.
WIDTHS = (400, 800)


class Picture(models.Model):
    """WebP, without what cameras note beside it. `width`, `height`: of the wide one."""

    digest = models.CharField(max_length=32, unique=True)
    narrow = models.BinaryField()
    wide = models.BinaryField()
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def __str__(self) -> str:
        return self.digest
