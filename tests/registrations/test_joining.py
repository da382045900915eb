import pytest

from accounts.hooks import join
from registrations.models import Registration
from registrations.services.register import register
from tests.support.factories import NOON, RegistrationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def camille():
    return UserFactory(email="camille@example.com", email_confirmed_at=NOON)


def owner_of(row: Registration):
    return Registration.objects.get(pk=row.pk).user


class TestJoinRegistrations:
    def test_brings_what_was_registered_for_with_the_address(self, camille):
        first, second = RegistrationFactory.create_batch(2, email="camille@example.com")

        join(camille, at=NOON)

        assert owner_of(first) == owner_of(second) == camille

    def test_leaves_what_is_somebody_elses(self, camille):
        other = UserFactory()
        theirs, of_another = RegistrationFactory(email=camille.email, user=other), RegistrationFactory()

        join(camille, at=NOON)

        assert owner_of(theirs) == other
        assert owner_of(of_another) is None

    def test_can_be_called_again(self, camille):
        row = RegistrationFactory(email=camille.email)
        join(camille, at=NOON)

        join(camille, at=NOON)

        assert owner_of(row) == camille


class TestRegister:
    def registered(self, activity, email="Camille@Example.com"):
        return register(activity=activity, name="Camille", email=email, language="fr", at=NOON)

    def test_is_of_the_account_from_the_beginning_where_the_address_is_confirmed(self, activity, camille):
        assert owner_of(self.registered(activity)) == camille

    @pytest.mark.parametrize("change", [{"email_confirmed_at": None}, {"is_active": False}])
    def test_is_of_nobody_otherwise(self, activity, camille, change):
        type(camille).objects.update(**change)

        assert owner_of(self.registered(activity)) is None
