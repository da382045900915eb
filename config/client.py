"""Who is asking, as far as it can be known: an address that a caller cannot choose for itself."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# Whoever has one address of IPv6 has the whole network of it.
IPV6_NETWORK_BITS = 64


def client_of(request: HttpRequest) -> str:
    """An IPv4 address, or the /64 network of an IPv6 one; "" where the web server tells no address.

    Behind `TRUSTED_PROXY_COUNT` proxies it is the address that the outermost of them has seen. Each appends one to
    X-Forwarded-For, so what stands further left was written by the caller and is not looked at.
    """
    named = [hop for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    hop = named[-settings.TRUSTED_PROXY_COUNT :][:1] if settings.TRUSTED_PROXY_COUNT else []
    address = _read(*hop) if hop else None
    address = address or _read(request.META.get("REMOTE_ADDR", ""))
    return _group(address) if address else ""


def _read(text: str) -> IPv4Address | IPv6Address | None:
    """Some proxies write the port too: `203.0.113.7:4711`, `[2001:db8::1]:4711`."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return ip_address(host)
    except ValueError:
        return None


def _group(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address.packed, IPV6_NETWORK_BITS), strict=False))
