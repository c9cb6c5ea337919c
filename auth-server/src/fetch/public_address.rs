//! Which addresses are globally routable: those that a stranger may make us connect to.
//!
//! After the IANA special-purpose registries (RFC 6890 and its successors), and stricter where they say «global» of
//! something that no web server has. An address that carries an IPv4 address inside (mapped, 6to4, Teredo, NAT64,
//! ISATAP) is as good as that one, for that is where the packet may go.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `address` is on the public internet, whatever way it is written.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // «This network», private, shared (carrier-grade NAT), loopback, link-local with the clouds' metadata service.
        [0 | 10 | 127, ..] | [169, 254, ..] | [192, 168, ..] => true,
        [100, b, ..] => b & 0xC0 == 64,
        [172, b, ..] => b & 0xF0 == 16,
        // Protocol assignments, documentation, 6to4 relays, benchmarks.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 51, 100, _] | [203, 0, 113, _] | [198, 18 | 19, ..] => true,
        // Azure's host agent: a public number that inside Azure is the machine's own host.
        [168, 63, 129, 16] => true,
        // Multicast, reserved, broadcast.
        [a, ..] => a >= 224,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    let inside = match segments {
        // ::ffff:a.b.c.d (RFC 4291 §2.5.5.2), 64:ff9b::a.b.c.d (RFC 6052 §2.1).
        [0, 0, 0, 0, 0, 0xFFFF, high, low] | [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => {
            return is_public_v4(v4(high, low));
        }
        // RFC 3056 §2.
        [0x2002, high, low, ..] => Some(v4(high, low)),
        // RFC 4380 §4: the server, and the client with its bits inverted.
        [0x2001, 0, high, low, _, _, client_high, client_low] => {
            return is_public_v4(v4(high, low)) && is_public_v4(v4(!client_high, !client_low));
        }
        // RFC 5214 §6.1.
        [_, _, _, _, 0 | 0x200, 0x5EFE, high, low] => Some(v4(high, low)),
        _ => None,
    };
    inside.is_none_or(is_public_v4) && is_global_unicast(segments)
}

/// RFC 4291 §2.4: only 2000::/3 is given out; of that not protocol assignments (2001::/23) and documentation.
fn is_global_unicast(segments: [u16; 8]) -> bool {
    match segments {
        [0x2001, b, ..] => b >= 0x200 && b != 0xDB8,
        [0x3FFF, b, ..] => b >= 0x1000,
        [a, ..] => a & 0xE000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn no_special_range_is_public() {
        for (range, addresses) in [
            ("this network", ["0.0.0.0", "0.255.255.255"]),
            ("private 10/8", ["10.0.0.0", "10.255.255.255"]),
            ("shared", ["100.64.0.0", "100.127.255.255"]),
            ("loopback", ["127.0.0.1", "127.255.255.255"]),
            ("link-local", ["169.254.0.0", "169.254.255.255"]),
            ("the clouds' metadata service", ["169.254.169.254", "fd00:ec2::254"]),
            ("Azure's host agent", ["168.63.129.16", "::ffff:168.63.129.16"]),
            ("private 172.16/12", ["172.16.0.0", "172.31.255.255"]),
            ("protocol assignments", ["192.0.0.0", "192.0.0.255"]),
            ("documentation", ["192.0.2.1", "198.51.100.1"]),
            ("documentation and relays", ["203.0.113.255", "192.88.99.1"]),
            ("private 192.168/16", ["192.168.0.0", "192.168.255.255"]),
            ("benchmarks", ["198.18.0.0", "198.19.255.255"]),
            ("multicast", ["224.0.0.1", "239.255.255.255"]),
            ("reserved and broadcast", ["240.0.0.0", "255.255.255.255"]),
            ("v6 unspecified and loopback", ["::", "::1"]),
            ("v4-compatible", ["::127.0.0.1", "::8.8.8.8"]),
            ("v4-mapped", ["::ffff:127.0.0.1", "::ffff:10.1.2.3"]),
            ("NAT64", ["64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808"]),
            ("6to4", ["2002:7f00:1::", "2002:a9fe:a9fe::1"]),
            ("Teredo", ["2001:0:808:808:0:0:80ff:fffe", "2001:0:7f00:1::f7f7:f7f7"]),
            ("ISATAP", ["2a00:1::5efe:7f00:1", "2a00:1::200:5efe:a00:1"]),
            ("v6 protocol assignments", ["2001:2::1", "2001:1ff::1"]),
            ("v6 documentation", ["2001:db8::1", "3fff:fff::1"]),
            ("discard and segment routing", ["100::1", "5f00::1"]),
            ("unique local", ["fc00::1", "fdff::1"]),
            ("v6 link-local and site-local", ["fe80::1", "fec0::1"]),
            ("v6 multicast", ["ff02::1", "ff0e::1"]),
        ] {
            for address in addresses {
                assert!(!public(address), "{range}: {address}");
            }
        }
    }

    #[test]
    fn the_neighbours_of_special_ranges_are_public() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "140.82.121.3",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2001:0:808:808:0:0:f7f7:f7f7",
            "2001:200::1",
            "2001:db9::1",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "3fff:1000::1",
        ] {
            assert!(public(address), "{address}");
        }
    }

    proptest! {
        #[test]
        fn an_address_in_disguise_is_no_better_than_itself(bits: u32) {
            let plain = Ipv4Addr::from(bits);
            let [high, low] = [(bits >> 16) as u16, bits as u16];
            for disguise in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0xFFFF, high, low),
                Ipv6Addr::new(0x64, 0xFF9B, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 0x808, 0x808, 0, 0, !high, !low),
            ] {
                prop_assert_eq!(is_public(disguise.into()), is_public(plain.into()), "{} in {}", plain, disguise);
            }
        }
    }
}
