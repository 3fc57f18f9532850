//! Tests which address limits count, for header lines of proxies and of clients.

use axum::http::HeaderValue;

use super::*;

const LIST: &str = "x-forwarded-for";
const ELEMENTS: &str = "forwarded";

fn rules(trusted: &str, header: ForwardingHeader) -> AddressRules {
    AddressRules { trusted_proxies: TrustedProxies::parse([trusted]).unwrap(), header, ipv6_prefix_length: 64 }
}

fn counted(rules: &AddressRules, peer: &str, lines: &[(&'static str, &[u8])]) -> String {
    let mut headers = HeaderMap::new();
    for (name, line) in lines {
        headers.append(*name, HeaderValue::from_bytes(line).unwrap());
    }
    rules.counted(peer.parse().unwrap(), &headers).to_string()
}

/// The peer, its header lines, and the address that is counted.
type Case = (&'static str, &'static [(&'static str, &'static [u8])], &'static str);

#[test]
fn client_cannot_choose_its_address_with_header_lines_of_its_own() {
    let rules = rules("127.0.0.1, 10.0.0.0/8", ForwardingHeader::Any);
    let cases: &[Case] = &[
        ("127.0.0.1", &[], "127.0.0.1"),
        // No trusted proxy.
        ("192.0.2.1", &[(LIST, b"203.0.113.7")], "192.0.2.1"),
        ("192.0.2.1", &[(ELEMENTS, b"for=203.0.113.7")], "192.0.2.1"),
        // The proxy appends a line, or to the client's line.
        ("127.0.0.1", &[(LIST, b"1.2.3.4"), (LIST, b"203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", &[(LIST, b"1.2.3.4, 203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", &[(LIST, b"1.2.3.4, 5.6.7.8"), (LIST, b"203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", &[(LIST, b"\xff\xfe, 203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", &[(LIST, b"\"1.2.3.4, 203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", &[(ELEMENTS, b"for=\"1.2.3.4, for=203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", &[(ELEMENTS, b"for=\"1.2.3.4\\, for=203.0.113.7")], "203.0.113.7"),
        // An entry that a client invents names a trusted proxy.
        ("127.0.0.1", &[(LIST, b"1.2.3.4, 10.0.0.9, 203.0.113.7")], "203.0.113.7"),
        // Several hops, as CIDR.
        ("10.1.2.3", &[(LIST, b"1.2.3.4, 203.0.113.7, 10.9.9.9, 10.0.0.1")], "203.0.113.7"),
        ("10.1.2.3", &[(LIST, b"203.0.113.7, 10.9.9.9"), (LIST, b"10.0.0.1")], "203.0.113.7"),
        // Only trusted proxies: the first of them is the client.
        ("127.0.0.1", &[(LIST, b"10.0.0.3, 10.0.0.2")], "10.0.0.3"),
        // An entry without an address ends the walk at the proxy that wrote it.
        ("127.0.0.1", &[(LIST, b"1.2.3.4, unknown")], "127.0.0.1"),
        ("127.0.0.1", &[(LIST, b"1.2.3.4, _hidden, 10.0.0.1")], "10.0.0.1"),
        ("127.0.0.1", &[(ELEMENTS, b"for=1.2.3.4, for=_hidden")], "127.0.0.1"),
        ("127.0.0.1", &[(ELEMENTS, b"for=1.2.3.4, by=10.0.0.1")], "127.0.0.1"),
        // One header is the proxy's and the other the client's, and nothing distinguishes them.
        ("127.0.0.1", &[(LIST, b"203.0.113.7"), (ELEMENTS, b"for=1.2.3.4")], "127.0.0.1"),
        ("127.0.0.1", &[(LIST, b"203.0.113.7"), (ELEMENTS, b"for=203.0.113.7;proto=https")], "203.0.113.7"),
    ];
    for (peer, lines, expected) in cases {
        assert_eq!(counted(&rules, peer, lines), *expected, "{peer} {lines:?}");
    }
    let both: &[(&'static str, &[u8])] = &[(LIST, b"203.0.113.7"), (ELEMENTS, b"for=198.51.100.9")];
    for (header, expected) in
        [(ForwardingHeader::XForwardedFor, "203.0.113.7"), (ForwardingHeader::Forwarded, "198.51.100.9")]
    {
        let rules = AddressRules { header, ..rules.clone() };
        assert_eq!(counted(&rules, "127.0.0.1", both), expected, "{header:?}");
    }
}

#[test]
fn address_is_read_in_every_form_that_proxies_write() {
    let rules = rules("127.0.0.1", ForwardingHeader::Any);
    for (entry, expected) in [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("\"203.0.113.7:51234\"", "203.0.113.7"),
        ("  203.0.113.7 ,, ", "203.0.113.7"),
        ("203.0.113.7,", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
        ("[::FFFF:cb00:7107]", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::"),
        ("[2001:db8:1:2:3:4:5:6]:51234", "2001:db8:1:2::"),
        ("\"[2001:DB8:1:2::9]:51234\"", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        // Not an address.
        ("203.0.113", "127.0.0.1"),
        ("203.0.113.256", "127.0.0.1"),
        ("[2001:db8::1", "127.0.0.1"),
        ("[2001:db8::1]x", "127.0.0.1"),
        ("example.org", "127.0.0.1"),
    ] {
        assert_eq!(counted(&rules, "127.0.0.1", &[(LIST, entry.as_bytes())]), expected, "{entry}");
    }
    for (elements, expected) in [
        ("for=203.0.113.7", "203.0.113.7"),
        ("For = \"203.0.113.7:8080\" ;proto=https", "203.0.113.7"),
        ("by=10.0.0.1; FOR=\"[2001:db8:1:2::17]:4711\" ; host=\"a,b;for=1.2.3.4\"", "2001:db8:1:2::"),
        ("for=1.2.3.4;proto=http, for=203.0.113.7;proto=https,", "203.0.113.7"),
        ("proto=https", "127.0.0.1"),
        ("nonsense", "127.0.0.1"),
    ] {
        assert_eq!(counted(&rules, "127.0.0.1", &[(ELEMENTS, elements.as_bytes())]), expected, "{elements}");
    }
}

#[test]
fn ipv6_client_is_counted_by_its_network_and_a_mapped_one_as_ipv4() {
    for (prefix, peer, expected) in [
        (64, "2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        (56, "2001:db8:1:2ff:ffff::1", "2001:db8:1:200::"),
        (128, "2001:db8::1", "2001:db8::1"),
        (64, "::ffff:192.0.2.1", "192.0.2.1"),
        (64, "192.0.2.1", "192.0.2.1"),
        (64, "::1", "::"),
    ] {
        let rules = AddressRules { ipv6_prefix_length: prefix, ..rules("", ForwardingHeader::Any) };
        assert_eq!(counted(&rules, peer, &[]), expected, "{peer}/{prefix}");
    }
    let direct = rules("10.0.0.1", ForwardingHeader::Any);
    for (peer, expected) in
        [("2001:db8:1:2:ffff::1", Some("2001:db8:1:2::")), ("10.0.0.1", None), ("::ffff:10.0.0.1", None)]
    {
        assert_eq!(direct.connection(peer.parse().unwrap()), expected.map(|text| text.parse().unwrap()), "{peer}");
    }
    // A proxy that is reached by a socket of both families.
    let rules = rules("10.0.0.1", ForwardingHeader::Any);
    assert_eq!(counted(&rules, "::ffff:10.0.0.1", &[(LIST, b"203.0.113.7")]), "203.0.113.7");
}

#[test]
fn invalid_trusted_network_is_refused_with_a_sentence() {
    for (text, count) in [
        ("", 0),
        ("  ", 0),
        (",,", 0),
        ("10.0.0.10", 1),
        (" 10.0.0.10 , 10.0.0.11,", 2),
        ("10.0.0.0/8\t192.168.0.0/16\n::1", 3),
        ("[::1]", 1),
        ("2001:db8::/32", 1),
        ("10.0.0.5/8", 1),
    ] {
        assert_eq!(TrustedProxies::parse([text]).map(|trusted| trusted.0.len()), Ok(count), "{text:?}");
    }
    let mapped = TrustedProxies::parse(["::ffff:10.0.0.0/104"]).unwrap();
    assert_eq!(mapped, TrustedProxies::parse(["10.0.0.0/8"]).unwrap());
    for (text, expected) in [
        ("10.0.0.300", "`10.0.0.300` is neither an address nor a network"),
        ("10.0.0.0/33", "`10.0.0.0/33` is neither"),
        ("10.0.0.0/", "is neither"),
        ("10.0.0.1:8080", "is neither"),
        ("proxy.example.org", "is neither"),
        ("0.0.0.0/0", "`0.0.0.0/0` contains every address"),
        ("10.0.0.1,::/0", "`::/0` contains every address"),
        ("::ffff:0:0/96", "contains every address"),
    ] {
        let error = TrustedProxies::parse([text]).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn trusted_network_that_is_too_wide_is_refused() {
    for (text, expected) in [
        ("10.0.0.0/8", None),
        ("10.0.0.0/7", Some("wider than /8")),
        ("0.0.0.0/1", Some("wider than /8")),
        ("128.0.0.0/1", Some("wider than /8")),
        ("0.0.0.0/0", Some("every address")),
        ("2001::/16", None),
        ("2000::/15", Some("wider than /16")),
        ("fc00::/7", Some("wider than /16")),
        ("::/0", Some("every address")),
        ("::/16", Some("every address")),
        ("::ffff:0:0/90", Some("every address")),
        ("::ffff:0:0/96", Some("every address")),
        ("::ffff:10.0.0.0/103", Some("wider than /8")),
        ("::ffff:10.0.0.0/104", None),
    ] {
        let refused = TrustedProxies::parse([text]).err().map(|error| error.to_string());
        match expected {
            None => assert_eq!(refused, None, "{text}"),
            Some(part) => {
                assert!(refused.as_ref().is_some_and(|refused| refused.contains(part)), "{text}: {refused:?}")
            }
        }
    }
}
