//! All sockets and event streams of a process: their number, and their end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::settings::Settings;

/// Makes sockets and event streams of requests, counts them, and ends them when the server does. Clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    settings: Settings,
    seats: Mutex<Seats>,
    closed: AtomicBool,
    close: Arc<Notify>,
    drained: Notify,
}

#[derive(Default)]
struct Seats {
    taken: usize,
    by_holder: HashMap<Holder, usize>,
}

/// As whose a connection is counted.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Holder {
    /// Not known yet whose it is; of the address it comes from, if that is known.
    Address(IpAddr),
    Client(Arc<str>),
}

/// Why there is no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The server's are all taken.
    Server,
    /// The address's are.
    Address,
    /// The client's are.
    Client,
}

impl Hub {
    /// Nothing is open.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Shared {
            settings,
            seats: Mutex::default(),
            closed: AtomicBool::new(false),
            close: Arc::default(),
            drained: Notify::new(),
        }))
    }

    /// Its limits.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// How many sockets and event streams are open.
    pub fn open(&self) -> usize {
        self.0.seats().taken
    }

    /// Ends everything, and takes nothing more: sockets are closed with 1001, event streams end so that they are resumed.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.0.close.notify_waiters();
    }

    /// Waits until nothing is open. After [`Hub::close`] that takes at most `write_within` and `close_within` together.
    pub async fn drained(&self) {
        loop {
            let drained = self.0.drained.notified();
            if self.open() == 0 {
                return;
            }
            drained.await;
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::SeqCst)
    }

    /// Is ready at the next [`Hub::close`]. Make it first, then look at [`Hub::is_closed`]: so none is missed.
    pub(super) fn closing(&self) -> OwnedNotified {
        self.0.close.clone().notified_owned()
    }

    /// A seat for a connection of which is not known yet whose it is.
    pub(super) fn seat(&self, from: Option<IpAddr>) -> Result<Seat, Full> {
        let holder = from.map(|address| Holder::Address(network(address)));
        let mut seats = self.0.seats();
        if seats.taken >= self.0.settings.most_connections {
            return Err(Full::Server);
        }
        if let Some(holder) = &holder
            && !seats.add(holder, self.0.settings.most_unknown_of_address)
        {
            return Err(Full::Address);
        }
        seats.taken += 1;
        drop(seats);
        Ok(Seat { hub: self.clone(), holder })
    }
}

impl Shared {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        // Nothing can fail between two changes of the counts.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    fn add(&mut self, holder: &Holder, most: usize) -> bool {
        let count = self.by_holder.entry(holder.clone()).or_default();
        let fits = *count < most;
        if fits {
            *count += 1;
        } else if *count == 0 {
            self.by_holder.remove(holder);
        }
        fits
    }

    fn remove(&mut self, holder: Holder) {
        if let Entry::Occupied(mut entry) = self.by_holder.entry(holder) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// What counts as one address: whoever has an IPv6 address has the whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// A place among the open connections, given back when dropped.
pub(super) struct Seat {
    hub: Hub,
    holder: Option<Holder>,
}

impl Seat {
    /// Counts the connection as the client's from here on.
    pub(super) fn settle(&mut self, client: &str) -> Result<(), Full> {
        let mut seats = self.hub.0.seats();
        let client = Holder::Client(client.into());
        if !seats.add(&client, self.hub.0.settings.most_connections_of_client) {
            return Err(Full::Client);
        }
        if let Some(before) = self.holder.replace(client) {
            seats.remove(before);
        }
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.hub.0.seats();
        if let Some(holder) = self.holder.take() {
            seats.remove(holder);
        }
        seats.taken -= 1;
        if seats.taken == 0 {
            self.hub.0.drained.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> Hub {
        Hub::new(Settings {
            most_connections: 4,
            most_connections_of_client: 2,
            most_unknown_of_address: 2,
            ..Settings::default()
        })
    }

    #[test]
    fn a_seat_moves_from_the_address_to_the_client() {
        let hub = hub();
        let from = Some(IpAddr::from([192, 0, 2, 1]));
        let mut first = hub.seat(from).expect("a seat");
        let second = hub.seat(from).expect("a seat");
        assert_eq!(hub.seat(from).err(), Some(Full::Address));
        first.settle("a").expect("room for the client");
        let third = hub.seat(from).expect("the address's seat is free again");
        assert_eq!(hub.open(), 3);
        drop((first, second, third));
        assert_eq!(hub.open(), 0);
        assert!(hub.0.seats().by_holder.is_empty(), "who has left is forgotten");
    }

    #[test]
    fn a_client_and_the_server_have_so_many_seats_and_no_more() {
        let hub = hub();
        let mut seats: Vec<Seat> = (0..4).map(|_| hub.seat(None).expect("a seat")).collect();
        assert_eq!(hub.seat(None).err(), Some(Full::Server));
        assert_eq!(seats[0].settle("a"), Ok(()));
        assert_eq!(seats[1].settle("a"), Ok(()));
        assert_eq!(seats[2].settle("a"), Err(Full::Client));
        assert_eq!(seats[2].settle("b"), Ok(()));
        seats.truncate(1);
        assert!(hub.seat(None).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
