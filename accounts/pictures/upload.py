"""From a file that somebody uploads to a picture that a page can show: turned upright, scaled, and without its past."""

import hashlib
from io import BytesIO
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import ProtectedError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image, ImageOps, UnidentifiedImageError

from accounts.pictures.models import WIDTHS, Picture
from accounts.pictures.pages import picture_path, shown_size

FORMATS = ("JPEG", "PNG", "WEBP")
LARGEST_BYTES = 10 * 1024 * 1024
# Decoded, each takes four bytes: 120 MB for as long as it is scaled.
MOST_PIXELS = 30_000_000
QUALITY = 80


def keep_picture(file: UploadedFile | BytesIO) -> Picture:
    """The picture in this file, kept; the one that is there already if it is the same. Raises ValidationError."""
    narrow, wide, size = scaled(file)
    digest = hashlib.sha256(wide).hexdigest()[:32]
    told = {"narrow": narrow, "wide": wide, "width": size[0], "height": size[1]}
    picture, _is_new = Picture.objects.get_or_create(digest=digest, defaults=told)
    return picture


def forget_picture(picture: Picture | None) -> None:
    """Delete it, unless something shows it still."""
    if picture is None:
        return
    try:
        picture.delete()
    except ProtectedError:
        return


def scaled(file: UploadedFile | BytesIO) -> tuple[bytes, bytes, tuple[int, int]]:
    """Narrow, wide, and the size of the wide one in pixels; nothing is made larger. Raises ValidationError."""
    if getattr(file, "size", 0) > LARGEST_BYTES:
        raise ValidationError(_("The file is too large: 10 MB at most."))
    try:
        opened = Image.open(file, formats=FORMATS)
        if opened.width * opened.height > MOST_PIXELS:
            raise ValidationError(_("The picture is too large: 30 megapixels at most."))
        image = ImageOps.exif_transpose(opened)
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise ValidationError(_("This is no picture that can be read: JPEG, PNG or WebP are.")) from error
    narrow, wide = (_as_webp(image, width=width) for width in WIDTHS)
    return narrow[0], wide[0], wide[1]


def _as_webp(image: Image.Image, *, width: int) -> tuple[bytes, tuple[int, int]]:
    """Only the pixels: where and by whom it was taken stays behind."""
    small = image.copy()
    small.thumbnail((width, width * 2), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue(), small.size


class PictureInput(forms.ClearableFileInput):
    """Shows the picture that is there."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        field = forms.FileInput().render(name, None, {**(attrs or {}), "accept": "image/jpeg,image/png,image/webp"})
        if not isinstance(value, Picture):
            return format_html('<div class="picture-field">{}</div>', field)
        return format_html(
            '<div class="picture-field"><img src="{}" alt="" width="{}" height="{}">{}'
            '<label><input type="checkbox" name="{}"> {}</label></div>',
            picture_path(value, width=WIDTHS[0]), *shown_size(value, width=200), field,
            self.clear_checkbox_name(name), _("Remove the picture"),
        )  # fmt: skip


class PictureField(forms.FileField):
    """A file becomes a Picture; nothing chosen keeps what is there, the box beside it takes it away (None)."""

    widget = PictureInput
    default_error_messages = {"empty": gettext_lazy("The file is empty.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def clean(self, data: Any, initial: Any = None) -> Picture | None:
        """Raises ValidationError."""
        if data is False:
            return None
        if not data:
            return initial if isinstance(initial, Picture) else None
        return keep_picture(super().clean(data, initial))
