import pytest
from django.urls import reverse
from django.utils import timezone

from modules_access.models import Module, ModuleAccess, PlanOpening
from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from tests.support.factories import UserFactory
from tests.support.members import make_member
from tests.support.modules import make_grant, make_module, make_purchase
from tests.support.pages import text_of

LIST = reverse("admin:modules_access_module_changelist")
ADD = reverse("admin:modules_access_module_add")


def own_page(module, page="change"):
    return reverse(f"admin:modules_access_module_{page}", args=[module.pk])


def typed(**changes):
    usual = {
        "title": "Singing", "slug": "singing", "summary": "", "description": "", "price": "49.00", "currency": "EUR",
        "access_days": "", "url": "https://singing.example/enter", "is_on_sale": "on", "position": "0",
    }  # fmt: skip
    return {**usual, **changes}


class TestAdd:
    def test_makes_a_module_that_is_on_sale(self, page):
        page.post(ADD, typed())

        module = Module.objects.get()
        assert (module.slug, module.price, module.currency, module.is_on_sale) == ("singing", 4900, "eur", True)

    def test_lets_the_plans_that_open_all_open_it(self, page, module):
        members = [make_member(user=UserFactory()) for _ in range(2)]

        text = text_of(page.post(ADD, typed(), follow=True))
        deliver_all(clock=timezone.now)

        assert "their subscribers get access shortly" in text
        opened = ModuleAccess.objects.filter(module__slug="singing").values_list("subscription_id", flat=True)
        assert set(opened) == {member.pk for member in members}

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"currency": "e1r"}, "is not one of the available choices"),
            ({"currency": "eu"}, "is not one of the available choices"),
            ({"price": "-1"}, "“-1” is no amount."),
            ({"access_days": "0"}, "greater than or equal to 1"),
            ({"url": "nowhere"}, "valid URL"),
            ({"slug": "drawing"}, "already exists"),
        ],
    )
    def test_says_what_is_wrong(self, page, module, wrong, why):
        response = page.post(ADD, typed(**wrong))

        assert why in text_of(response)
        assert Module.objects.count() == 1

    def test_wants_an_address_that_nobody_can_read_on_its_way_in_production(self, page, settings):
        settings.PRODUCTION = True

        response = page.post(ADD, typed(url="http://singing.example/"))

        assert "must begin with https://" in text_of(response)
        assert not Module.objects.exists()


class TestChange:
    def test_keeps_the_address_that_tokens_are_for(self, page, module):
        page.post(own_page(module), typed(slug="other", title="New"))

        module.refresh_from_db()
        assert (module.slug, module.title) == ("drawing", "New")

    def test_leaves_subscribers_alone(self, page, module):
        page.post(own_page(module), typed(is_on_sale=""))

        module.refresh_from_db()
        assert not module.is_on_sale
        assert not Effect.objects.exists()


class TestDelete:
    def test_removes_what_nobody_holds(self, page, module):
        page.post(own_page(module, "delete"), {"post": "yes"})

        assert not Module.objects.exists()

    def test_is_refused_once_somebody_holds_it_or_has_begun_to_buy_it(self, page, module, learner):
        bought = make_module("bought")
        make_grant(learner, module)
        make_purchase(learner, bought)

        for each in (module, bought):
            assert page.post(own_page(each, "delete"), {"post": "yes"}).status_code == 403

        assert Module.objects.count() == 2


class TestList:
    def test_counts_the_accesses_that_let_somebody_in_and_leads_to_them(self, page, module, learner):
        make_grant(learner, module)
        make_grant(learner, module)
        ended = make_grant(learner, module)
        ModuleAccess.objects.filter(pk=ended.pk).update(expires_at=timezone.now())

        content = page.get(LIST).content.decode()

        address = f"/admin/modules_access/moduleaccess/?module__id__exact={module.pk}&amp;state=active"
        assert f'<a href="{address}">2</a>' in content
        behind = page.get(address.replace("&amp;", "&"))
        assert behind.context["cl"].result_count == 2

    def test_takes_as_many_queries_for_many(self, module, learner, queries_of):
        few = queries_of(LIST)
        for number in range(5):
            make_grant(learner, make_module(f"more-{number}"))

        assert queries_of(LIST) == few <= 10


class TestOpenings:
    LIST = reverse("admin:modules_access_planopening_changelist")
    ADD = reverse("admin:modules_access_planopening_add")

    def test_say_what_they_mean(self, page, module):
        member = make_member()
        opening = PlanOpening.objects.create(plan=member.plan, is_all=False)
        assert "Opens no module." in text_of(page.get(self.LIST))

        opening.modules.set([make_module("singing", position=2), module])
        assert "Opens 2 modules: Drawing, Singing." in text_of(page.get(self.LIST))

        PlanOpening.objects.update(is_all=True)
        assert "Opens all modules, later ones too." in text_of(page.get(self.LIST))

    def test_are_followed_by_the_subscriptions_of_their_plan(self, page, module):
        other, member = make_module("singing"), make_member()

        data = {"plan": member.plan_id, "modules": [module.pk]}
        text = text_of(page.post(self.ADD, data, follow=True))
        deliver_all(clock=timezone.now)

        assert "are updated in the background" in text
        assert [row.module for row in ModuleAccess.objects.filter(is_active=True)] == [module]

        opening = PlanOpening.objects.get()
        address = reverse("admin:modules_access_planopening_change", args=[opening.pk])
        page.post(address, {"modules": [other.pk]})
        deliver_all(clock=timezone.now)
        assert [row.module for row in ModuleAccess.objects.filter(is_active=True)] == [other]

    def test_are_not_followed_when_nothing_has_changed(self, page, module):
        opening = PlanOpening.objects.create(plan=make_member().plan, is_all=False)
        opening.modules.set([module])

        page.post(
            reverse("admin:modules_access_planopening_change", args=[opening.pk]), {"modules": [module.pk]}
        )  # fmt: skip

        assert not Effect.objects.exists()

    def test_are_all_modules_or_some(self, page, module):
        data = {"plan": make_member().plan_id, "is_all": "on", "modules": [module.pk]}

        response = page.post(self.ADD, data)

        assert "not both" in text_of(response)
        assert not PlanOpening.objects.exists()

    def test_are_one_for_each_plan(self, page, module):
        plan = make_member().plan
        PlanOpening.objects.create(plan=plan)

        response = page.post(self.ADD, {"plan": plan.pk, "is_all": "on"})

        assert "already exists" in text_of(response)

    def test_are_not_deleted(self, page, module):
        opening = PlanOpening.objects.create(plan=make_member().plan)

        address = reverse("admin:modules_access_planopening_delete", args=[opening.pk])
        assert page.post(address, {"post": "yes"}).status_code == 403
