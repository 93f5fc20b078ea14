//! The networks that a key may come from. Pure.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::error::Error;

/// Most networks of a key.
pub const MOST: usize = 20;

/// `::ffff:0:0/96`, the IPv4 addresses within IPv6 (RFC 4291, section 2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// The networks as they are kept: CIDR notation (RFC 4632; RFC 4291, section 2.3) without bits below the prefix, each
/// once. An address alone is the network of that address; a network of IPv4-mapped addresses is the one of IPv4, for so
/// addresses are compared.
///
/// # Errors
/// [`Error::Invalid`] for what is no network, by its place, and for more than [`MOST`].
pub fn checked(written: &[String]) -> Result<Vec<String>, Error> {
    if written.len() > MOST {
        return Err(Error::invalid("networks", format!("a key has at most {MOST} networks: join some")));
    }
    let mut kept = Vec::with_capacity(written.len());
    for (place, text) in written.iter().enumerate() {
        let network = parse(text.trim()).ok_or_else(|| {
            Error::invalid(
                format!("networks.{place}"),
                "a network is written as 203.0.113.0/24 or 2001:db8::/32, or as one address",
            )
        })?;
        let network = network.to_string();
        if !kept.contains(&network) {
            kept.push(network);
        }
    }
    Ok(kept)
}

fn parse(text: &str) -> Option<IpNet> {
    let network: IpNet = match text.parse() {
        Ok(network) => network,
        Err(_) => text.parse::<IpAddr>().ok()?.into(),
    };
    Some(unmapped(network.trunc()))
}

fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped: Option<Ipv4Net> = v6
        .prefix_len()
        .checked_sub(MAPPED_BITS)
        .and_then(|bits| Ipv4Net::new(Ipv6Addr::to_ipv4_mapped(&v6.network())?, bits).ok());
    mapped.map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use kernel::DomainError;

    fn kept(written: &[&str]) -> Vec<String> {
        checked(&written.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).expect("networks")
    }

    #[test]
    fn networks_are_kept_in_one_form() {
        assert_eq!(
            kept(&["203.0.113.7/24", " 198.51.100.1 ", "2001:DB8::1/32", "203.0.113.0/24", "2001:db8::1"]),
            ["203.0.113.0/24", "198.51.100.1/32", "2001:db8::/32", "2001:db8::1/128"]
        );
        assert_eq!(kept(&["::ffff:192.0.2.0/120", "::ffff:192.0.2.9"]), ["192.0.2.0/24", "192.0.2.9/32"]);
        assert_eq!(kept(&["::/0", "0.0.0.0/0"]), ["::/0", "0.0.0.0/0"]);
    }

    #[test]
    fn what_is_no_network_is_refused_by_its_place() {
        for wrong in
            ["", "example.com", "203.0.113.0/33", "203.0.113", "2001:db8::/129", "1.2.3.4/24/8", "١.2.3.4"]
        {
            let refused = checked(&["192.0.2.0/24".to_owned(), wrong.to_owned()]).expect_err(wrong);
            assert_eq!(refused.field().as_deref(), Some("networks.1"), "{wrong}");
        }
        let many: Vec<String> = (0..=MOST).map(|n| format!("192.0.2.{n}")).collect();
        assert_eq!(checked(&many).expect_err("too many").field().as_deref(), Some("networks"));
        assert_eq!(checked(&many[1..]).expect("twenty").len(), MOST);
    }

    proptest! {
        #[test]
        fn what_is_kept_is_kept_again_as_it_is(bytes: [u8; 16], short: [u8; 4], bits in 0_u8..=128) {
            let written = vec![
                format!("{}/{bits}", IpAddr::from(bytes)),
                format!("{}/{}", IpAddr::from(short), bits / 4),
            ];
            let once = checked(&written).expect("networks");
            prop_assert_eq!(checked(&once).expect("networks"), once);
        }

        #[test]
        fn any_text_is_taken_or_refused(text in "\\PC{0,40}") {
            let _ = checked(&[text]);
        }
    }
}
