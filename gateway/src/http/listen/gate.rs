//! How many connections are open, in total and by address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Counts open connections.
pub(super) struct Gate {
    most: usize,
    most_each: Option<usize>,
    open: Mutex<Open>,
    emptied: Notify,
}

#[derive(Default)]
struct Open {
    total: usize,
    /// Only where addresses have a limit.
    by_address: HashMap<IpAddr, usize>,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// All connections are taken.
    Server,
    /// All that one address may have.
    Address,
}

impl Full {
    /// What the client is told, without having been read.
    pub(super) const fn answer(self) -> &'static [u8] {
        match self {
            Self::Server => {
                b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json; charset=utf-8\r\n\
                  content-length: 98\r\nretry-after: 1\r\nconnection: close\r\n\r\n\
                  {\"errors\":[{\"message\":\"too many connections: try again\",\"extensions\":{\"code\":\"UNAVAILABLE\"}}]}    "
            }
            Self::Address => {
                b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json; charset=utf-8\r\n\
                  content-length: 98\r\nretry-after: 1\r\nconnection: close\r\n\r\n\
                  {\"errors\":[{\"message\":\"too many connections of yours\",\"extensions\":{\"code\":\"RATE_LIMITED\"}}]}     "
            }
        }
    }
}

/// The right to an open connection, given back when it is dropped.
pub(super) struct Permit {
    gate: Arc<Gate>,
    address: IpAddr,
}

impl Gate {
    pub(super) fn new(most: usize, most_each: Option<usize>) -> Arc<Self> {
        Arc::new(Self { most, most_each, open: Mutex::default(), emptied: Notify::new() })
    }

    /// Lets a connection in, if there is room.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Permit, Full> {
        let address = household(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.most {
            return Err(Full::Server);
        }
        if let Some(most) = self.most_each {
            let of_address = open.by_address.get(&address).copied().unwrap_or_default();
            if of_address >= most {
                return Err(Full::Address);
            }
            open.by_address.insert(address, of_address + 1);
        }
        open.total += 1;
        Ok(Permit { gate: Arc::clone(self), address })
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).total
    }

    /// Ends when no connection is open.
    pub(super) async fn empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.open() == 0 {
                return;
            }
            emptied.await;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.gate.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        if let Some(of_address) = open.by_address.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                open.by_address.remove(&self.address);
            }
        }
        if open.total == 0 {
            self.gate.emptied.notify_waiters();
        }
    }
}

/// The address that connections are counted by: a customer of IPv6 has a whole /64.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_that_is_full_leaves_room_for_the_others() {
        let gate = Gate::new(3, Some(2));
        let first = gate.admit(ip("192.0.2.1")).expect("room");
        let _second = gate.admit(ip("::ffff:192.0.2.1")).expect("room");
        assert_eq!(gate.admit(ip("192.0.2.1")).err(), Some(Full::Address));
        let _third = gate.admit(ip("192.0.2.2")).expect("room");
        assert_eq!(gate.admit(ip("192.0.2.3")).err(), Some(Full::Server));
        drop(first);
        assert!(gate.admit(ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn the_addresses_of_one_ipv6_household_count_as_one() {
        let gate = Gate::new(9, Some(1));
        let _one = gate.admit(ip("2001:db8:0:1::1")).expect("room");
        assert_eq!(gate.admit(ip("2001:db8:0:1:ffff::2")).err(), Some(Full::Address));
        assert!(gate.admit(ip("2001:db8:0:2::1")).is_ok());
    }

    #[test]
    fn nothing_is_kept_of_an_address_that_left() {
        let gate = Gate::new(9, Some(9));
        drop(gate.admit(ip("192.0.2.1")));
        assert!(gate.open.lock().expect("a lock").by_address.is_empty());
        assert_eq!(gate.open(), 0);
    }

    #[test]
    fn refusals_are_as_long_as_they_say() {
        for full in [Full::Server, Full::Address] {
            let text = std::str::from_utf8(full.answer()).expect("text");
            let (head, body) = text.split_once("\r\n\r\n").expect("a head");
            assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{}", body.len());
            serde_json::from_str::<serde_json::Value>(body).expect("JSON");
        }
    }
}
