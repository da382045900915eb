"""Parameters as clients write them."""

import pytest

from stripe_emulator.api.form import MOST_PARAMETERS, read_form
from stripe_emulator.errors import StripeRefusal


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
