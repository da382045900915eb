"""Parameters are checked against the types that the official client declares."""

import pytest

from stripe_emulator.api.parameters import MOST_PARAMETERS, check_params, params_class, read_form
from stripe_emulator.errors import StripeRefusal

INTENT = "PaymentIntentCreateParams"
SESSION = "checkout.SessionCreateParams"


def checked(encoded, params, *, strict=True):
    return check_params(read_form(encoded), params_class(params), strict=strict)


class TestCheck:
    def test_converts_texts_to_their_types(self):
        found = checked("amount=4900&currency=eur&confirm=true&off_session=one_off&metadata[n]=1", INTENT)

        assert found == {
            "amount": 4900,
            "currency": "eur",
            "confirm": True,
            "off_session": "one_off",
            "metadata": {"n": "1"},
        }

    def test_turns_numbered_fields_into_lists(self):
        found = checked("line_items[0][quantity]=2&line_items[0][price]=price_1&mode=payment", SESSION)

        assert found["line_items"] == [{"quantity": 2, "price": "price_1"}]

    @pytest.mark.parametrize(
        ("encoded", "code", "param"),
        [
            ("currency=eur", "parameter_missing", "amount"),
            ("amount=4900&currency=eur&shoe_size=42", "parameter_unknown", "shoe_size"),
            ("amount=4900&currency=eur&shipping[street]=a&shipping[name]=b&shipping[address][city]=c",
             "parameter_unknown", "shipping[street]"),
            ("amount=4900&currency=eur&shipping[address][city]=c", "parameter_missing", "shipping[name]"),
            ("amount=4.9&currency=eur", "parameter_invalid_integer", "amount"),
            ("amount=&currency=eur", "parameter_invalid_integer", "amount"),
            ("amount=9999999999999999999&currency=eur", "parameter_invalid_integer", "amount"),
            ("amount=٤٩&currency=eur", "parameter_invalid_integer", "amount"),
            ("amount[x]=1&currency=eur", "parameter_unknown", "amount"),
            ("amount=4900&currency=eur&confirm=yes", "", "confirm"),
            ("amount=4900&currency=eur&capture_method=later", "", "capture_method"),
            ("amount=4900&currency=eur&confirm=", "parameter_invalid_empty", "confirm"),
            ("amount=4900&currency=eur&metadata=order", "", "metadata"),
        ],
    )  # fmt: skip
    def test_refuses_what_does_not_fit(self, encoded, code, param):
        with pytest.raises(StripeRefusal) as refusal:
            checked(encoded, INTENT)

        assert (refusal.value.code, refusal.value.param) == (code, param)

    def test_names_the_row_that_is_wrong(self):
        with pytest.raises(StripeRefusal) as refusal:
            checked("mode=payment&line_items[1][quantity]=two", SESSION)

        assert refusal.value.param == "line_items[1][quantity]"

    def test_lets_an_empty_text_unset_what_can_be_unset(self):
        assert checked("shipping=&metadata=", "PaymentIntentUpdateParams") == {"shipping": "", "metadata": ""}

    def test_lets_older_parameters_pass_under_other_versions(self):
        found = checked("amount=4900&payment_method_types[]=card", INTENT, strict=False)

        assert found == {"amount": 4900, "payment_method_types": {"0": "card"}}

    def test_converts_under_other_versions_too(self):
        with pytest.raises(StripeRefusal):
            checked("amount=many&currency=eur", INTENT, strict=False)

    @pytest.mark.parametrize("option", ["idempotency_key", "stripe_version", "api_key"])
    def test_does_not_take_options_of_the_client_for_parameters(self, option):
        with pytest.raises(StripeRefusal) as refusal:
            checked(f"amount=4900&currency=eur&{option}=x", INTENT)

        assert refusal.value.code == "parameter_unknown"


class TestReadForm:
    @pytest.mark.parametrize(
        ("encoded", "found"),
        [
            ("", {}),
            ("email=a%40example.com", {"email": "a@example.com"}),
            ("name=", {"name": ""}),
            ("name=a+b", {"name": "a b"}),
            ("metadata[order]=7&metadata[user]=8", {"metadata": {"order": "7", "user": "8"}}),
            ("items[0][price]=p&items[1][price]=q", {"items": {"0": {"price": "p"}, "1": {"price": "q"}}}),
            ("expand[]=a&expand[]=b", {"expand": {"0": "a", "1": "b"}}),
            ("items[][price]=p", {"items": {"0": {"price": "p"}}}),
            ("a%5Bb%5D=1", {"a": {"b": "1"}}),
            ("a=1&a=2", {"a": "2"}),
        ],
    )
    def test_reads_nested_names(self, encoded, found):
        assert read_form(encoded) == found

    @pytest.mark.parametrize("encoded", ["=1", "[a]=1", "a[b=1", "a]b=1", "a[b]c=1", "a[[b]]=1", f"{'a' * 401}=1"])
    def test_refuses_names_that_make_no_sense(self, encoded):
        with pytest.raises(StripeRefusal, match="Invalid parameter name"):
            read_form(encoded)

    @pytest.mark.parametrize("encoded", ["a=1&a[b]=2", "a[b]=1&a[b][c]=2"])
    def test_refuses_a_value_that_has_inner_fields_too(self, encoded):
        with pytest.raises(StripeRefusal) as refusal:
            read_form(encoded)

        assert refusal.value.param == "a"

    def test_refuses_too_many_parameters(self):
        encoded = "&".join(f"a{number}=1" for number in range(MOST_PARAMETERS + 1))

        with pytest.raises(StripeRefusal, match="too many"):
            read_form(encoded)
