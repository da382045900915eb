import pytest
from django.core.exceptions import ValidationError

from accounts.fields import AddressField, normal_address
from accounts.models import User


class TestNormalAddress:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("Ada@Example.com", "ada@example.com"),
            (" ada@example.com. ", "ada@example.com"),
            ("ada@ＥＸＡＭＰＬＥ．ｃｏｍ", "ada@example.com"),
            ("ada@example。com", "ada@example.com"),
            ("ada@EXÄMPLE.com", "ada@xn--exmple-cua.com"),
            ("ada@xn--exmple-cua.com", "ada@xn--exmple-cua.com"),
            ("ada@straße.de", "ada@xn--strae-oqa.de"),
            ("", ""),
            ("ada", "ada"),
            ("ada@", "ada@"),
            ("ada@é..com", "ada@é..com"),
        ],
    )
    def test_has_one_spelling_for_each_domain(self, typed, kept):
        assert normal_address(typed) == kept
        assert normal_address(kept) == kept


class TestAddressField:
    def test_takes_an_address_with_a_dot_at_its_end(self):
        assert AddressField().clean("Ada@Example.com.") == "ada@example.com"

    @pytest.mark.parametrize("nowhere", ["x@[127.0.0.1]", "x@[::1]", "x@127.0.0.1", "x@localhost", "x@intranet"])
    def test_refuses_what_is_no_name_of_a_domain(self, nowhere):
        with pytest.raises(ValidationError):
            AddressField().clean(nowhere)
        with pytest.raises(ValidationError):
            User._meta.get_field("email").clean(nowhere, None)
