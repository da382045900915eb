import pytest

from config.rate_limit import client_of


def client(rf, *, peer="203.0.113.7", forwarded=None):
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return client_of(rf.get("/", REMOTE_ADDR=peer, **headers))


class TestWithoutProxies:
    def test_is_the_address_that_connects(self, rf):
        assert client(rf) == "203.0.113.7"

    @pytest.mark.parametrize("forged", ["198.51.100.1", "198.51.100.1, 198.51.100.2", "", "x"])
    def test_listens_to_nobody_else(self, rf, forged):
        assert client(rf, forwarded=forged) == "203.0.113.7"

    def test_is_the_same_for_all_addresses_of_one_ipv6_network(self, rf):
        one = client(rf, peer="2001:db8:1:2::1")

        assert one == client(rf, peer="2001:db8:1:2:ffff:ffff:ffff:ffff") == "2001:db8:1:2::/64"
        assert one != client(rf, peer="2001:db8:1:3::1")

    def test_knows_ipv4_in_the_clothes_of_ipv6(self, rf):
        assert client(rf, peer="::ffff:203.0.113.7") == "203.0.113.7"

    def test_is_empty_where_the_server_knows_no_address(self, rf):
        assert client(rf, peer="") == ""


class TestBehindProxies:
    @pytest.mark.parametrize(
        ("count", "forwarded", "known"),
        [
            (1, "198.51.100.1", "198.51.100.1"),
            (1, "192.0.2.66, 198.51.100.1", "198.51.100.1"),
            (2, "192.0.2.66, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
            (2, "192.0.2.66,192.0.2.67,198.51.100.1,10.0.0.1", "198.51.100.1"),
            (3, "198.51.100.1, 10.0.0.1", "198.51.100.1"),
            (1, "198.51.100.1:4711", "198.51.100.1"),
            (1, "[2001:db8::1]:4711", "2001:db8::/64"),
            (1, " 2001:db8::1 ", "2001:db8::/64"),
        ],
    )
    def test_is_the_address_that_the_outermost_of_ours_has_seen(self, rf, settings, count, forwarded, known):
        settings.TRUSTED_PROXY_COUNT = count

        assert client(rf, peer="10.0.0.2", forwarded=forwarded) == known

    def test_cannot_be_chosen_by_the_caller(self, rf, settings):
        settings.TRUSTED_PROXY_COUNT = 1

        forged = {client(rf, forwarded=f"192.0.2.{number}, 198.51.100.1") for number in range(50)}

        assert forged == {"198.51.100.1"}

    @pytest.mark.parametrize("odd", [None, "", " , ", "unknown", "_hidden", "1.2.3.4.5", "é", "[", "999.1.1.1"])
    def test_falls_back_to_the_address_that_connects(self, rf, settings, odd):
        settings.TRUSTED_PROXY_COUNT = 1

        assert client(rf, peer="10.0.0.2", forwarded=odd) == "10.0.0.2"
