//! Which addresses a server may be asked to reach by somebody else: those of the public internet.
//!
//! A company names the issuer, and so a host that this server will connect to. What stands beside the server (databases,
//! neighbours, the metadata service of its cloud) must not be reachable by that way, whatever the name resolves to and
//! whenever (server-side request forgery, DNS rebinding): [`crate::Http`] asks here about the very address that it then
//! connects to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is wrong with an address, by the special-purpose registries of IANA (RFC 6890); `None` for a public one.
pub fn refused(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refused_v4(address),
        IpAddr::V6(address) => refused_v6(address),
    }
}

fn refused_v4(address: Ipv4Addr) -> Option<&'static str> {
    let within = |network: [u8; 4], bits: u32| {
        let mask = u32::MAX << (32 - bits);
        address.to_bits() & mask == Ipv4Addr::from(network).to_bits() & mask
    };
    let networks: [([u8; 4], u32, &'static str); 16] = [
        ([0, 0, 0, 0], 8, "this network"),
        ([10, 0, 0, 0], 8, "private"),
        ([100, 64, 0, 0], 10, "shared by a carrier"),
        ([127, 0, 0, 0], 8, "loopback"),
        ([169, 254, 0, 0], 16, "link-local"),
        ([172, 16, 0, 0], 12, "private"),
        ([192, 0, 0, 0], 24, "reserved for protocols"),
        ([192, 0, 2, 0], 24, "for documentation"),
        ([192, 88, 99, 0], 24, "reserved"),
        ([192, 168, 0, 0], 16, "private"),
        // Platform addresses of a cloud that lie outside the private ranges.
        ([168, 63, 129, 16], 32, "a metadata service"),
        ([198, 18, 0, 0], 15, "for benchmarks"),
        ([198, 51, 100, 0], 24, "for documentation"),
        ([203, 0, 113, 0], 24, "for documentation"),
        ([224, 0, 0, 0], 4, "multicast"),
        ([240, 0, 0, 0], 4, "reserved"),
    ];
    networks.iter().find(|(network, bits, _)| within(*network, *bits)).map(|(_, _, why)| *why)
}

fn refused_v6(address: Ipv6Addr) -> Option<&'static str> {
    let within = |network: Ipv6Addr, bits: u32| {
        let mask = u128::MAX << (128 - bits);
        address.to_bits() & mask == network.to_bits() & mask
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return refused_v4(mapped);
    }
    // NAT64 (RFC 6052): the last four bytes are where it leads.
    if within(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96) {
        let [.., a, b, c, d] = address.octets();
        return refused_v4(Ipv4Addr::new(a, b, c, d));
    }
    if address.is_loopback() {
        return Some("loopback");
    }
    if address.is_unicast_link_local() {
        return Some("link-local");
    }
    if address.is_unique_local() {
        return Some("unique-local");
    }
    let special: [(Ipv6Addr, u32, &'static str); 4] = [
        (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved for protocols"),
        (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "for documentation"),
        (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "a tunnel"),
        (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "for documentation"),
    ];
    if let Some((_, _, why)) = special.iter().find(|(network, bits, _)| within(*network, *bits)) {
        return Some(why);
    }
    // Global unicast is 2000::/3; nothing else is handed out (RFC 4291, section 2.4).
    (!within(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)).then_some("not a public address")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn is_refused(address: &str) {
        assert!(refused(address.parse().expect("an address")).is_some(), "{address}");
    }

    #[test]
    fn what_stands_beside_the_server_is_not_reached() {
        for inside in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "168.63.129.16",
            "255.255.255.255",
            "224.0.0.1",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            is_refused(inside);
        }
    }

    #[test]
    fn an_address_in_the_clothes_of_another_is_seen_through() {
        for dressed in ["::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "::127.0.0.1"] {
            is_refused(dressed);
        }
    }

    #[test]
    fn the_public_internet_is_reached() {
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::8.8.8.8"] {
            assert_eq!(refused(public.parse().expect("an address")), None, "{public}");
        }
    }

    proptest! {
        #[test]
        fn what_the_standard_library_calls_private_is_refused(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            let inside = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_unspecified() || address.is_multicast() || address.is_documentation();
            if inside {
                prop_assert!(refused_v4(address).is_some());
                prop_assert!(refused_v6(address.to_ipv6_mapped()).is_some());
            }
        }

        #[test]
        fn no_address_outside_global_unicast_is_reached(bits in any::<u128>()) {
            let address = Ipv6Addr::from_bits(bits);
            if bits >> 125 != 1 && address.to_ipv4_mapped().is_none() {
                prop_assert!(refused_v6(address).is_some() || address.segments()[0] == 0x64);
            }
        }
    }
}
