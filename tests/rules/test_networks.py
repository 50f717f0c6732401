"""Whose address it is, and whether a list holds it."""

import json
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware.errors import SettingsError
from nexus_middleware.rules.forwarded import forwarded
from nexus_middleware.rules.networks import Networks, bucket, client_address

CASES = json.loads((Path(__file__).parents[1] / "vectors" / "client_ip.json").read_text())
ADDRESSES = st.ip_addresses().map(str)
CIDRS = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), st.tuples(st.ip_addresses(v=6), st.integers(0, 128))
).map(lambda pair: str(ip_network(f"{pair[0]}/{pair[1]}", strict=False)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_client_is_whom_the_trusted_hops_vouch_for(case):
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in case["headers"]]
    hops = case.get("hops") if case["mode"] == "count" else None

    found = client_address(case["peer"], headers, trusted=case["trusted"], header=case["header"], hops=hops)
    assert found == case["expected"]


@pytest.mark.parametrize(
    ("hops", "entries", "expected"),
    [
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9", "6.6.6.6"),
        (3, "6.6.6.6, 203.0.113.9", "10.0.0.1"),
    ],
)
def test_counted_hops_take_that_entry_and_refuse_a_shorter_chain(hops, entries, expected):
    headers = [(b"x-forwarded-for", entries.encode())]
    assert client_address("10.0.0.1", headers, hops=hops) == expected
    assert client_address("10.0.0.1", headers, hops=hops, trusted=["192.0.2.0/24"]) == "10.0.0.1"


@given(claimed=st.lists(ADDRESSES, max_size=5), client=ADDRESSES, proxies=st.integers(0, 5))
def test_nothing_that_a_client_claims_changes_who_it_is(claimed, client, proxies):
    ours = ["10.0.0.0/8"]
    if client in Networks(ours) or _mapped(client).is_unspecified:
        return
    chain = ", ".join([*claimed, client, *["10.0.0.2"] * proxies])
    plain = client_address("10.0.0.1", [(b"x-forwarded-for", client.encode())], trusted=ours)
    assert client_address("10.0.0.1", [(b"x-forwarded-for", chain.encode())], trusted=ours) == plain


@given(st.binary(max_size=80), st.sampled_from(["x-forwarded-for", "forwarded"]))
def test_any_bytes_at_all_give_an_address_or_the_last_verified_hop(value, header):
    found = client_address("10.0.0.1", [(header.encode(), value)], trusted=["10.0.0.0/8"], header=header)
    assert found is not None
    ip_address(found)


@given(cidrs=st.lists(CIDRS, max_size=20), address=ADDRESSES)
def test_a_set_of_networks_holds_what_one_of_its_networks_holds(cidrs, address):
    networks = Networks(cidrs)
    for tried in (address, *(cidr.partition("/")[0] for cidr in cidrs)):
        wanted = any(_mapped(tried) in _mapped_network(cidr) for cidr in cidrs)
        assert (tried in networks) == wanted


def _mapped(address):
    parsed = ip_address(address)
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _mapped_network(cidr):
    network = ip_network(cidr)
    first = getattr(network.network_address, "ipv4_mapped", None)
    return ip_network(f"{first}/{network.prefixlen - 96}") if first and network.prefixlen >= 96 else network


@pytest.mark.parametrize("odd", ["", "x", "127.1", "0177.0.0.1", "1.2.3.4:80", "\uff11.2.3.4", "1.2.3.4 ", "::1::"])
def test_what_is_no_address_is_in_no_network(odd):
    assert odd not in Networks(["0.0.0.0/0", "::/0"])


def test_a_hundred_thousand_networks_are_one_set():
    networks = Networks(f"{9 + i // 65536}.{i >> 8 & 255}.{i & 255}.0/25" for i in range(100_000))
    assert len(networks) == 100_000
    assert "10.9.9.1" in networks
    assert "10.9.9.129" not in networks


@pytest.mark.parametrize("cidr", ["::ffff:10.0.0.0/104", "10.0.0.0/255.0.0.0", " 10.0.0.0/8 "])
def test_a_network_may_be_written_as_a_mapped_one_or_with_a_mask_in_dots(cidr):
    networks = Networks([cidr])

    assert all(address in networks for address in ("10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"))
    assert all(address not in networks for address in ("9.255.255.255", "11.0.0.0", "::1"))


def test_of_a_chain_of_proxies_32_are_read():
    def client(proxies):
        chain = ", ".join(["203.0.113.9", *["10.0.0.1"] * proxies])
        return client_address("10.0.0.1", [(b"x-forwarded-for", chain.encode())], trusted=["10.0.0.0/8"])

    assert (client(31), client(32)) == ("203.0.113.9", "10.0.0.1")


@pytest.mark.parametrize("cidr", ["300.0.0.0/8", "10.0.0.0/33", "lan", ""])
def test_a_network_that_cannot_be_read_is_named(cidr):
    with pytest.raises(SettingsError) as told:
        Networks([cidr])
    assert repr(cidr) in str(told.value)


def test_ipv6_callers_are_counted_by_their_network():
    assert bucket("2001:db8::1") == bucket("2001:DB8:0:0:ffff::2") == "2001:db8::/64"
    assert bucket("2001:db8::1", 48) == "2001:db8::/48"
    assert bucket("not an address") == "not an address"


@pytest.mark.parametrize("bad", ['for="', "for", "for=a b=c", "for==", "=x", 'for="a"b'])
def test_a_malformed_forwarded_header_says_nothing(bad):
    elements = forwarded(bad)
    assert elements is None or all("for" not in e or e["for"] == "a" for e in elements)
