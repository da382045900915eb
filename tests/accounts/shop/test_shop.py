"""What the shop says of itself stands on pages, receipts and in mails, and nothing where it is silent."""

from io import BytesIO

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from accounts.mails import build
from accounts.pictures.models import Picture
from accounts.shop import identity
from accounts.shop.models import Shop, ShopPage
from registrations.links import token_of
from tests.support.factories import ActivityFactory, UserFactory, make_staff
from tests.support.mails import read
from tests.support.modules import make_module
from tests.support.pages import text_of
from tests.support.road import event_of, hear
from tests.support.shop import open_shop
from tests.support.subscriber import make_plans

pytestmark = pytest.mark.django_db
FORM = reverse("admin:accounts_shop_changelist")


@pytest.fixture
def visitor(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def picture_file(name="logo.png"):
    out = BytesIO()
    Image.new("RGBA", (300, 100), "#8a3b12").save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/png")


class TestPages:
    def test_say_who_sells_and_lead_to_its_texts(self, visitor):
        open_shop()

        page = visitor.get("/modules/")

        told = text_of(page)
        assert "– Maison des arts</title>" in page.content.decode()
        for words in (
            "Maison des arts SARL, RCS Lyon 123 456 789", "12 rue des Tanneurs 69001 Lyon", "bonjour@maison.example",
            "Terms of sale Refunds and withdrawal Privacy Legal notice",
        ):  # fmt: skip
            assert words in told
        assert 'href="tel:+33478000000"' in page.content.decode()

    def test_say_nothing_of_it_before_anybody_has_filled_it_in(self, visitor):
        page = visitor.get("/modules/").content.decode()

        assert "/shop" not in page
        assert "<address" not in page

    def test_show_a_text_in_the_readers_language_or_else_in_the_other(self, visitor):
        open_shop(privacy_fr="", terms_en="## Delivery\n\n<b>at once</b> [here](javascript:alert(1))")

        terms = visitor.get("/shop/terms/").content.decode()
        assert "<h3>Delivery</h3>" in terms
        assert "&lt;b&gt;at once&lt;/b&gt;" in terms
        assert 'href="javascript' not in terms
        assert "Notre legal_notice" in text_of(visitor.get("/shop/legal-notice/", HTTP_ACCEPT_LANGUAGE="fr"))
        privacy = visitor.get("/shop/privacy/", HTTP_ACCEPT_LANGUAGE="fr").content.decode()
        assert '<div lang="en">' in privacy

    @pytest.mark.parametrize("page", [ShopPage.TERMS, "nowhere"])
    def test_are_there_only_where_there_is_a_text(self, visitor, page):
        open_shop(terms_en="", terms_fr="")

        assert visitor.get(f"/shop/{page}/").status_code == 404
        assert "/shop/terms/" not in visitor.get("/").content.decode()

    def test_wear_the_accent_without_inline_style_and_at_an_address_of_its_own(self, visitor):
        open_shop()
        address = reverse("shop-style", args=[identity.current_shop().style_version])

        style = visitor.get(address)

        assert f'<link rel="stylesheet" href="{address}">' in visitor.get("/").content.decode()
        assert "--accent: #8a3b12" in style.content.decode()
        assert "immutable" in style["Cache-Control"]
        assert visitor.get(address, HTTP_IF_NONE_MATCH=style["ETag"]).status_code == 304
        assert "no-cache" in visitor.get("/shop.older.css")["Cache-Control"]
        assert visitor.get("/shop.older.css").status_code == 200

    def test_of_an_error_ask_nobody(self, visitor, django_assert_num_queries):
        identity.forget()

        with django_assert_num_queries(0):
            assert visitor.get("/nowhere").status_code == 404


class TestAgreement:
    @pytest.fixture
    def selling(self):
        make_module("drawing")
        make_plans()
        ActivityFactory(slug="pottery", starts_at="2099-01-01T12:00Z")

    @pytest.mark.parametrize("page", ["/activities/pottery/", "/plans/", "/modules/drawing/"])
    def test_stands_beside_the_button_that_costs_money(self, visitor, selling, page):
        visitor.force_login(UserFactory())
        open_shop()

        assert "agree to our terms of sale and our refund and withdrawal rule ." in text_of(visitor.get(page))
        open_shop(terms_en="", terms_fr="")
        assert "you agree to our refund and withdrawal rule ." in text_of(visitor.get(page))
        open_shop(terms_en="", terms_fr="", refunds_en="", refunds_fr="")
        assert "you agree" not in text_of(visitor.get(page))


class TestReceipt:
    def test_is_that_of_the_shop(self, visitor, registration):
        open_shop()
        hear(event_of(registration, "checkout.session.completed"))

        page = text_of(visitor.get(reverse("receipt", args=[token_of(registration)])))

        assert "Maison des arts SARL, RCS Lyon 123 456 789 12 rue des Tanneurs 69001 Lyon" in page


class TestMail:
    def test_comes_from_the_shop_and_says_how_to_reach_it(self):
        open_shop()

        plain, html = read(build("account.closed", to="ada@example.com", language="en", context={}))

        signed = "Maison des arts bonjour@maison.example +33 4 78 00 00 00 12 rue des Tanneurs 69001 Lyon"
        assert f"Kind regards {signed}" in plain
        assert html.startswith("Maison des arts Your account is closed")
        assert f"Kind regards {signed}" in html


class TestScreen:
    @pytest.fixture
    def answering(self, client):
        """Somebody who answers for the site."""
        person = UserFactory(is_staff=True)
        person.groups.add(Group.objects.get(name="admin"))
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
        client.force_login(person)
        return client

    def test_is_one_form_that_makes_the_row_and_shows_it_at_once(self, answering):
        assert answering.get(FORM).status_code == 200
        sent = {"name": "Maison des arts", "accent": "#8a3b12", "terms_en": "Pay first.", "logo": picture_file()}

        response = answering.post(reverse("admin:accounts_shop_change", args=[1]), sent, follow=True)

        assert response.status_code == 200
        shop = Shop.objects.get()
        assert (shop.name, shop.logo.width, shop.terms_en) == ("Maison des arts", 300, "Pay first.")
        assert Shop.objects.count() == 1
        assert "<title>" in response.content.decode()

    def test_forgets_a_logo_that_another_has_replaced(self, answering):
        address = reverse("admin:accounts_shop_change", args=[1])
        answering.post(address, {"logo": picture_file()})

        answering.post(address, {"logo-clear": "on"})

        assert Shop.objects.get().logo is None
        assert not Picture.objects.exists()

    def test_refuses_an_accent_that_nobody_can_read(self, answering):
        page = answering.post(reverse("admin:accounts_shop_change", args=[1]), {"accent": "#ffcc00"})

        assert "is hard to read" in page.content.decode()
        assert not Shop.objects.exists()

    def test_takes_files_from_nobody_who_is_not_staff_and_none_that_is_too_large(self, client, answering):
        address = reverse("admin:accounts_shop_change", args=[1])
        large = SimpleUploadedFile("large.png", b"x" * (11 * 1024 * 1024))

        assert answering.post(address, {"logo": large}).status_code == 413
        client.logout()
        assert client.post(address, {"logo": picture_file()}).status_code == 415


class TestCurrentShop:
    def test_is_read_once_in_a_few_seconds(self, django_assert_num_queries):
        Shop.objects.create(name="Maison des arts")
        identity.forget()

        with django_assert_num_queries(1):
            assert [identity.current_shop().name for _ in range(3)] == ["Maison des arts"] * 3

    def test_has_one_row(self):
        make_staff()
        with pytest.raises(Exception, match="shop_is_one"):
            Shop.objects.create(id=2)
