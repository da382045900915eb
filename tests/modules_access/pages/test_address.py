import pytest

from modules_access.pages.address import NotReachable, find_origin, origin_of, with_token

ODD = [
    "javascript:alert(1)", "//learn.example/x", "ftp://learn.example/", "https:///x", "https://", "", "learn.example",
    "https://user@learn.example/", "https://a;script-src%20*/", "https://a b/", "https://a,b/", "https://a..b/",
    "https://[::1/", "https://*/",
]  # fmt: skip


class TestWithToken:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("https://learn.example", "https://learn.example?token=t.o.k"),
            ("https://learn.example/a?b=%20c&d#e", "https://learn.example/a?b=%20c&d&token=t.o.k#e"),
            ("https://learn.example/?token=old&a=1", "https://learn.example/?a=1&token=t.o.k"),
            ("http://127.0.0.1:8000/demo/", "http://127.0.0.1:8000/demo/?token=t.o.k"),
        ],
    )
    def test_keeps_what_the_address_has(self, url, expected):
        assert with_token(url, "t.o.k") == expected

    @pytest.mark.parametrize("url", ODD)
    def test_leads_nobody_to_anything_else(self, url):
        with pytest.raises(NotReachable):
            with_token(url, "t.o.k")

    def test_sends_no_token_through_the_open_in_production(self, settings):
        settings.PRODUCTION = True

        assert with_token("https://learn.example/", "t")
        with pytest.raises(NotReachable):
            with_token("http://learn.example/", "t")


class TestOriginOf:
    @pytest.mark.parametrize(
        ("url", "origin"),
        [
            ("https://Learn.Example:8443/a?b", "https://learn.example:8443"),
            ("https://élan.example/", "https://xn--lan-9la.example"),
            ("http://[::1]:8000/", "http://[::1]:8000"),
        ],
    )
    def test_is_as_a_policy_names_it(self, url, origin):
        assert origin_of(url) == find_origin(url) == origin

    @pytest.mark.parametrize("url", ODD)
    def test_is_none_for_anything_else(self, url):
        assert find_origin(url) is None
