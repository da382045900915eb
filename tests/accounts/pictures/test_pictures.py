from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.pictures import upload
from accounts.pictures.models import Picture
from accounts.pictures.pages import picture_path
from accounts.pictures.upload import PictureField, forget_picture, keep_picture
from tests.support.factories import ActivityFactory

pytestmark = pytest.mark.django_db


def file_of(size=(1600, 900), *, kind="JPEG", exif=None):
    out = BytesIO()
    told = {"exif": exif} if exif else {}
    Image.new("RGB", size, "teal").save(out, kind, **told)
    return SimpleUploadedFile("photo.jpg", out.getvalue())


class TestKeep:
    def test_makes_two_widths_and_keeps_the_same_picture_once(self, client):
        picture = keep_picture(file_of())
        again = keep_picture(file_of())

        assert picture == again
        assert (picture.width, picture.height) == (800, 450)
        for width in (400, 800):
            response = client.get(picture_path(picture, width=width))
            shown = Image.open(BytesIO(response.content))
            assert (shown.format, shown.width) == ("WEBP", width)
            assert "immutable" in response["Cache-Control"]

    def test_turns_it_upright_and_forgets_where_it_was_taken(self):
        exif = Image.Exif()
        exif[0x0112], exif[0x010F] = 6, "a camera"

        picture = keep_picture(file_of(exif=exif))

        assert picture.height > picture.width
        assert not Image.open(BytesIO(picture.wide)).getexif()

    @pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg/>", b"\xff\xd8\xff\xe0 broken"])
    def test_refuses_what_is_no_picture(self, content):
        with pytest.raises(ValidationError, match="no picture that can be read"):
            keep_picture(BytesIO(content))

    def test_refuses_what_is_too_large(self, monkeypatch):
        monkeypatch.setattr(upload, "MOST_PIXELS", 1000)
        with pytest.raises(ValidationError, match="megapixels"):
            keep_picture(file_of((100, 11)))
        monkeypatch.setattr(upload, "LARGEST_BYTES", 10)
        with pytest.raises(ValidationError, match="10 MB"):
            keep_picture(file_of())


class TestForget:
    def test_keeps_what_something_shows_still(self):
        picture = keep_picture(file_of())
        activity = ActivityFactory(picture=picture)

        forget_picture(picture)
        assert Picture.objects.count() == 1
        activity.delete()
        forget_picture(picture)

        assert not Picture.objects.exists()


class TestField:
    def test_keeps_replaces_and_takes_away(self):
        field, before = PictureField(), keep_picture(file_of())

        assert field.clean(None, before) == before
        assert field.clean(False, before) is None
        assert field.clean(file_of((10, 10)), before).width == 10


@pytest.mark.parametrize("name", ["0" * 32 + "-400", "x-401", "-400"])
def test_what_is_not_there_is_404(client, name):
    assert client.get(f"/pictures/{name}.webp").status_code == 404
