import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction
from django.db.models.functions import Upper

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def camille():
    return User.objects.create_user("Camille@Example.com", "a-long-password")


class TestUser:
    def test_is_known_by_an_address_in_lower_case(self, camille):
        assert camille.email == "camille@example.com"

    @pytest.mark.parametrize("spelling", ["camille@example.com", "CAMILLE@EXAMPLE.COM", " Camille@example.com "])
    def test_signs_in_with_any_spelling_of_the_address(self, camille, spelling):
        assert authenticate(None, username=spelling, password="a-long-password") == camille

    def test_is_unique_in_any_spelling(self, camille):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create_user("camille@EXAMPLE.com")

    def test_cannot_be_stored_in_another_spelling_even_by_sql(self, camille):
        with pytest.raises(IntegrityError, match="user_email_is_lower_case"):
            User.objects.filter(pk=camille.pk).update(email=Upper("email"))

    def test_reads_french_unless_told_otherwise(self, camille):
        assert camille.language == "fr"

    def test_needs_an_address(self):
        with pytest.raises(ValueError, match="address"):
            User.objects.create_user("")

    def test_counts_as_confirmed_when_made_by_command(self):
        assert User.objects.create_superuser("boss@example.com").email_confirmed_at


class TestFindConfirmed:
    def test_finds_who_reads_mail_there_in_any_spelling(self, camille):
        User.objects.update(email_confirmed_at=camille.date_joined)

        assert User.objects.find_confirmed("CAMILLE@example.com") == camille

    @pytest.mark.parametrize("change", [{}, {"is_active": False}])
    def test_finds_nobody_else(self, camille, change):
        fields = {"email_confirmed_at": camille.date_joined if change else None, **change}
        User.objects.update(**fields)

        assert User.objects.find_confirmed(camille.email) is None
