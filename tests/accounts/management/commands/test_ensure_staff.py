import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from tests.support.factories import UserFactory, make_staff


def ensure_staff(*arguments):
    output = StringIO()
    call_command("ensure_staff", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.django_db
class TestEnsureStaff:
    def test_creates_somebody_who_can_sign_in_to_the_admin_with_what_it_shows(self, client):
        said = ensure_staff()

        (password,) = re.findall(r"Password: +(\S+)", said)
        user = User.objects.get()
        assert user.email == "staff@example.com"
        assert user.email in said
        client.post("/admin/login/", {"username": user.email, "password": password})
        assert client.get("/admin/").status_code == 200

    def test_makes_another_password_each_time_it_is_needed(self):
        first = ensure_staff()
        User.objects.all().delete()

        assert ensure_staff() != first

    def test_takes_another_address(self):
        assert "me@example.com" in ensure_staff("--email", "Me@Example.com")

    def test_refuses_what_is_no_address(self):
        with pytest.raises(CommandError, match="'nonsense' is no e-mail address"):
            ensure_staff("--email", "nonsense")

        assert not User.objects.exists()

    def test_leaves_alone_who_is_there_and_says_how_to_reset_the_password(self):
        staff = make_staff(email="boss@example.com")
        password = staff.password

        said = ensure_staff()

        staff.refresh_from_db()
        assert staff.password == password
        assert User.objects.count() == 1
        assert "manage.py changepassword boss@example.com" in said
        assert "Password:" not in said

    def test_does_not_count_who_is_switched_off(self):
        make_staff(email="gone@example.com", is_active=False)

        ensure_staff()

        assert User.objects.filter(is_staff=True, is_active=True).count() == 1

    def test_makes_no_customer_a_member_of_staff(self):
        customer = UserFactory(email="staff@example.com")

        with pytest.raises(CommandError, match="--email"):
            ensure_staff()

        customer.refresh_from_db()
        assert not customer.is_staff

    def test_makes_a_member_of_groups_who_may_do_no_more_than_they(self, client):
        said = ensure_staff("--email", "kim@example.com", "--group", "support", "--group", "finance")

        user = User.objects.get()
        assert (user.is_staff, user.is_superuser) == (True, False)
        assert set(user.groups.values_list("name", flat=True)) == {"support", "finance"}
        assert user.has_perm("payments.refund_order")
        assert not user.has_perm("payments.replay_paymentevent")
        assert "Password:" in said
        assert "kim@example.com is in support, finance." in said

    def test_lets_a_colleague_join_a_group_and_can_be_run_again(self):
        colleague = UserFactory(email="kim@example.com", is_staff=True)

        for _time in range(2):
            said = ensure_staff("--email", "kim@example.com", "--group", "operator")

        assert [group.name for group in colleague.groups.all()] == ["operator"]
        assert "Password:" not in said

    def test_makes_no_customer_staff(self):
        UserFactory(email="camille@example.com")

        with pytest.raises(CommandError, match="is a customer"):
            ensure_staff("--email", "camille@example.com", "--group", "support")

    def test_names_the_groups_where_one_is_misspelt(self):
        with pytest.raises(CommandError, match="There is no group 'suport': choose one of support, "):
            ensure_staff("--group", "suport")

        assert not User.objects.exists()
