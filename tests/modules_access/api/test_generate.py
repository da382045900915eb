import pytest

from modules_access.models import AccessToken, Purchase
from tests.faults.test_races import at_once
from tests.modules_access.api.conftest import GENERATE, code_of, fields_of
from tests.support.factories import NOON
from tests.support.modules import give_back, make_grant, make_purchase

pytestmark = pytest.mark.django_db


class TestGenerate:
    def test_makes_a_token(self, program, order, learner):
        response = program.generate(order, accessLevel="premium", expirationHours=5, maxUsage=7)

        told, token = response.json(), AccessToken.objects.get()
        assert response.status_code == 201
        assert told.pop("token").count(".") == 2
        assert told == {
            "tokenId": str(token.jti), "moduleId": "drawing", "userId": learner.pk, "accessLevel": "premium",
            "expiresAt": "2026-03-02T18:00:00+01:00", "maxUsage": 7, "usesLeft": 7,
        }  # fmt: skip
        assert token.service_key == program.key
        assert response["Cache-Control"].startswith("max-age=0")

    def test_answers_the_same_again(self, program, order):
        first = program.generate(order, maxUsage=7)
        program.verify(first.json()["token"], moduleId="drawing")

        again = program.generate(order, maxUsage=7, paymentId=str(order.public_id))

        assert again.status_code == 200
        assert again.json()["tokenId"] == first.json()["tokenId"]
        assert again.json()["usesLeft"] == 6

    def test_takes_ids_as_text_or_number(self, program, order, learner, module):
        for module_id in (module.slug, module.pk, str(module.pk)):
            for user_id in (learner.pk, str(learner.pk), learner.email):
                assert program.generate(order, moduleId=module_id, userId=user_id).status_code in (200, 201)
        assert AccessToken.objects.count() == 1

    def test_can_be_reached_with_a_slash(self, program, order, module, learner):
        response = program.post(f"{GENERATE}/", moduleId="drawing", userId=learner.pk, paymentId=order.number)

        assert response.status_code == 201

    def test_rests_on_what_staff_gave(self, program, order, learner, module):
        assert program.generate(order, paymentId=make_grant(learner, module).number).status_code == 201


class TestGenerateRefuses:
    def test_what_is_missing(self, program):
        assert fields_of(program.post(GENERATE)) == {"moduleId", "userId", "paymentId"}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("accessLevel", ""), ("accessLevel", "x" * 31), ("accessLevel", None), ("accessLevel", "a\0b"),
            ("expirationHours", 0), ("expirationHours", 8761), ("expirationHours", "soon"), ("expirationHours", True),
            ("maxUsage", 0), ("maxUsage", 1_000_001), ("maxUsage", -1), ("maxUsage", 1.5), ("maxUsage", []),
            ("userId", None), ("userId", True), ("userId", {}), ("paymentId", ["O-1"]), ("paymentId", ""),
            ("moduleId", ""), ("moduleId", "x" * 256), ("role", "admin"),
        ],
    )  # fmt: skip
    def test_what_is_wrong(self, program, order, name, value):
        assert fields_of(program.generate(order, **{name: value})) == {name}
        assert not AccessToken.objects.exists()

    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            ("moduleId", "nowhere", "unknown_module"), ("moduleId", 0, "unknown_module"),
            ("userId", "bob@example.com", "unknown_user"), ("userId", 0, "unknown_user"),
            ("paymentId", "cs_nothing", "unknown_payment"), ("paymentId", "O-0", "unknown_payment"),
        ],
    )  # fmt: skip
    def test_what_is_not_there(self, program, order, name, value, code):
        assert code_of(program.generate(order, **{name: value})) == (422, code)

    def test_what_gives_nothing(self, program, order, learner, module):
        waiting = make_purchase(learner, module).order
        assert code_of(program.generate(waiting)) == (409, "payment_not_paid")

        program.generate(order, maxUsage=7)
        assert code_of(program.generate(order, maxUsage=8)) == (409, "generated_otherwise")

        give_back(order, at=NOON)
        assert code_of(program.generate(order)) == (409, "payment_not_paid")

    def test_a_token_that_was_revoked(self, program, order):
        program.revoke(tokenId=program.generate(order).json()["tokenId"])

        assert code_of(program.generate(order)) == (409, "token_revoked")

    @pytest.mark.parametrize("method", ["get", "put", "delete"])
    def test_other_ways_to_ask(self, program, method):
        assert getattr(program.client, method)(GENERATE).status_code == 405

    def test_what_is_no_json(self, program):
        assert program.client.post(GENERATE, {"moduleId": "drawing"}).status_code == 415
        assert program.client.post(GENERATE, "{", content_type="application/json").status_code == 400
        assert program.client.post(GENERATE, "[]", content_type="application/json").status_code == 400


@pytest.mark.django_db(transaction=True)
class TestGenerateAtOnce:
    def test_makes_one_token(self, program, order):
        order = Purchase.objects.select_related("order", "module").get().order

        answers = at_once(*[lambda: program.generate(order)] * 16)

        assert sorted(response.status_code for response in answers) == [200] * 15 + [201]
        assert len({response.json()["tokenId"] for response in answers}) == 1
