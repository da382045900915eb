import pytest

from accounts.models import User
from accounts.services.sign_up import sign_up
from tests.support.factories import NOON

pytestmark = pytest.mark.django_db


def signed_up(email, name="Somebody", language="fr"):
    return sign_up(email=email, name=name, language=language, at=NOON)


class TestSignUp:
    def test_makes_an_account_to_which_nobody_can_sign_in(self, visitor):
        user = signed_up("new@example.com")

        assert (user.email_confirmed_at, user.has_usable_password(), user.date_joined) == (None, False, NOON)

    def test_believes_the_newest_name_until_the_link_is_opened(self, begun):
        user = signed_up(begun.email, name="The owner", language="fr")

        assert (user.pk, user.name, user.language) == (begun.pk, "The owner", "fr")

    @pytest.mark.parametrize("who", ["camille", "closed"])
    def test_leaves_any_other_account_as_it_is(self, who, request):
        there = request.getfixturevalue(who)

        user = signed_up(there.email, name="A stranger")

        there.refresh_from_db()
        assert user == there
        assert there.name != "A stranger"
        assert User.objects.count() == 1

    def test_gives_a_new_account_a_link_that_no_other_has(self):
        first, second = signed_up("a@example.com"), signed_up("b@example.com")

        assert first.password != second.password
