import pytest

from accounts.fields import AddressField, normal_address


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
