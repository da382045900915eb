from functools import partial

import pytest

from accounts.models import User
from accounts.services.choose_password import LinkSpent, choose_password
from accounts.tokens import link_tokens
from tests.faults.test_races import at_once
from tests.support.factories import NOON


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
