//! All sockets and event streams of a process: their number, what they are told together, and their end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::settings::Settings;

/// For each that is open, so long are the verifications after [`Hub::doubt`] spread.
const SPREAD_EACH: Duration = Duration::from_micros(20);
/// So long at most: 10,000 ask in turn and not at once.
const SPREAD: Duration = Duration::from_millis(200);

/// Makes sockets and event streams of requests, counts them, and ends them when the server does. Clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    settings: Settings,
    seats: Mutex<Seats>,
    closed: AtomicBool,
    /// Tells all that are open to look up: at the hub, or at their peers.
    word: Arc<Notify>,
    doubting: AtomicU32,
    drained: Notify,
}

/// What all that are open are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The server ends.
    Closing,
    /// Rights may have changed.
    Doubt,
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
            word: Arc::default(),
            doubting: AtomicU32::new(0),
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
        self.0.word.notify_waiters();
    }

    /// Says that rights may have changed: whoever is concerned (`Host::concerns`) is verified within 200 ms, and not only
    /// when `Settings::verify_every` is over. Call it when the host's own look-ups tell what is now.
    pub fn doubt(&self) {
        self.0.word.notify_waiters();
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

    /// Is ready at the next word. Make it first, then look at [`Hub::is_closed`]: so none is missed.
    pub(super) fn next_word(&self) -> OwnedNotified {
        self.0.word.clone().notified_owned()
    }

    /// The next word, again and again: ask until it is pending, and end when it is [`Word::Closing`].
    pub(super) fn poll_word(&self, mut next: Pin<&mut OwnedNotified>, cx: &mut Context<'_>) -> Poll<Word> {
        ready!(next.as_mut().poll(cx));
        // First the next, then what there is to see: what is told in between is told again.
        next.set(self.next_word());
        Poll::Ready(if self.is_closed() { Word::Closing } else { Word::Doubt })
    }

    /// How long who is in doubt waits for its turn, so that not all ask at once: evenly spread by the golden ratio.
    pub(super) fn turn(&self) -> Duration {
        let open = u32::try_from(self.open()).unwrap_or(u32::MAX);
        let spread = SPREAD_EACH.saturating_mul(open.saturating_sub(1)).min(SPREAD);
        let turn = self.0.doubting.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9);
        spread.mul_f64(f64::from(turn) / f64::from(u32::MAX))
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
    fn who_is_in_doubt_asks_in_turn_and_who_is_alone_at_once() {
        let hub = Hub::new(Settings::default());
        let alone = hub.seat(None).expect("a seat");
        assert_eq!(hub.turn(), Duration::ZERO);
        let many: Vec<Seat> = (0..12_000).map(|_| hub.seat(None).expect("a seat")).collect();
        let mut turns: Vec<Duration> = many.iter().map(|_| hub.turn()).collect();
        turns.sort();
        assert!(turns.iter().all(|turn| *turn <= SPREAD), "{:?}", turns.last());
        // In no tenth of the time does a fifth of them ask.
        for n in 0..10 {
            let (from, to) = (SPREAD / 10 * n, SPREAD / 10 * (n + 1));
            let asking = turns.iter().filter(|turn| (from..to).contains(turn)).count();
            assert!(asking < 2_400, "{asking} between {from:?} and {to:?}");
        }
        drop((alone, many));
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
