"""Every mail to buyers can be looked at before anybody gets it."""

import re

import pytest
from django.urls import reverse

from payments.admin.mail_previews import KINDS, preview
from tests.support.factories import NOON, make_staff
from tests.support.mails import english_in, html_of, read
from tests.support.shop import open_shop

pytestmark = pytest.mark.django_db


class TestEveryKind:
    @pytest.mark.parametrize("language", ["en", "fr"])
    @pytest.mark.parametrize("kind", KINDS)
    def test_is_whole_in_both_languages(self, kind, language):
        open_shop()

        mail = preview(kind, language=language, at=NOON)

        html, words = html_of(mail), read(mail)
        assert mail.subject
        assert f'<html lang="{language}">' in html
        assert html.count('class="button"') <= 1
        assert "prefers-color-scheme: dark" in html
        assert re.findall(r"https?://\S+", words[1]) == []
        assert all("Maison des arts bonjour@maison.example" in text for text in words)
        if language == "fr":
            assert [piece for text in words for piece in english_in(text)] == []


class TestPreviewView:
    @pytest.fixture
    def page(self, client):
        client.force_login(make_staff())
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
        return client

    def test_lists_all_and_shows_each_in_a_frame_that_can_do_nothing(self, page):
        listed = page.get(reverse("admin:mail_previews")).content.decode()
        assert [kind for kind in KINDS if f"<code>{kind}</code>" not in listed] == []

        one = page.get(reverse("admin:mail_preview", args=["module.opened", "fr"]))
        frame = page.get(reverse("admin:mail_frame", args=["module.opened", "fr"]))

        assert "frame-src 'self'" in one["Content-Security-Policy"]
        assert "Votre module est ouvert" in one.content.decode()
        assert frame["Content-Security-Policy"].endswith("sandbox")
        assert "script-src" not in frame["Content-Security-Policy"]
        assert frame["X-Frame-Options"] == "SAMEORIGIN"
        assert 'class="button"' in frame.content.decode()

    def test_knows_no_other(self, page):
        assert page.get(reverse("admin:mail_preview", args=["alert.opened", "fr"])).status_code == 404
        assert page.get(reverse("admin:mail_frame", args=["module.opened", "de"])).status_code == 404
