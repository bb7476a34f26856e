"""Which addresses are on the open net. Pure; the guard asks it before every connection."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

OPEN_IPV6 = ip_network("2000::/3")
"""Where addresses of hosts on the open net are; everything else in IPv6 is for something special."""
NOT_OPEN: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "100.64.0.0/10",  # carrier-grade NAT
        "192.0.0.0/24",  # protocols' own, of which Python calls some global
        "168.63.129.16/32",  # a cloud's own services, at an address that looks public
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # Teredo, ORCHID and other protocols' own
        "2001:db8::/32",  # documentation, as the next
        "3fff::/20",
        "2002::/16",  # 6to4: an IPv4 address in disguise
    )
)


def may_connect(address: Address, networks: Sequence[Network]) -> bool:
    """Whether `address` is on the open net, or in one of the `networks` that the settings allow."""
    if any(address.version == network.version and address in network for network in networks):
        return True
    if address.version == 6 and address not in OPEN_IPV6:
        return False  # loopback, link-local, unique local, IPv4-mapped, NAT64...
    if any(address.version == network.version and address in network for network in NOT_OPEN):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
