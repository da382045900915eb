from datetime import timedelta
from functools import partial

import pytest

from accounts.mails import link_tokens
from accounts.models import User
from accounts.services import UNCONFIRMED_ACCOUNT_LIFETIME, LinkSpent, choose_password, purge_accounts, sign_up
from tests.faults.test_races import at_once
from tests.support.factories import NOON, RegistrationFactory, UserFactory


def signed_up(email, name="Somebody", language="fr"):
    return sign_up(email=email, name=name, language=language, at=NOON)


@pytest.mark.django_db
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


def attempt(user_id, token, password):
    """The password, if it became that of the account."""
    try:
        choose_password(user_id=user_id, token=token, password=password, at=NOON)
    except LinkSpent:
        return None
    return password


@pytest.mark.django_db(transaction=True)
class TestChoosePassword:
    def test_lets_one_of_many_through_who_have_the_same_link(self, begun):
        token = link_tokens.make_token(begun)

        chosen = at_once(*[partial(attempt, begun.pk, token, f"password-number-{number}") for number in range(8)])

        (password,) = [each for each in chosen if each]
        assert User.objects.get().check_password(password)

    def test_does_nothing_with_a_link_of_nobody(self, begun):
        assert attempt(begun.pk + 1, link_tokens.make_token(begun), "a-good-password") is None

        begun.refresh_from_db()
        assert begun.email_confirmed_at is None


LATER = NOON + UNCONFIRMED_ACCOUNT_LIFETIME + timedelta(seconds=1)


@pytest.mark.django_db
class TestPurgeAccounts:
    def test_deletes_what_nobody_has_confirmed(self, begun):
        assert purge_accounts(at=LATER) == 1

        assert not User.objects.exists()

    def test_waits_for_thirty_days(self, begun):
        assert purge_accounts(at=NOON + timedelta(days=30)) == 0

        assert User.objects.get() == begun

    @pytest.mark.usefixtures("camille", "closed")
    def test_leaves_everybody_else(self):
        User.objects.create_user("staff@example.com", is_staff=True)
        UserFactory(email_confirmed_at=None)

        assert purge_accounts(at=LATER) == 0

    def test_only_counts_in_a_dry_run(self, begun):
        assert purge_accounts(at=LATER, dry_run=True) == 1

        assert User.objects.get() == begun

    def test_leaves_a_registration_to_its_guest(self, begun):
        row = RegistrationFactory(user=begun)

        purge_accounts(at=LATER)

        row.refresh_from_db()
        assert row.user is None
