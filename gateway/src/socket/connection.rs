//! One socket: its state, and whose turn it is.
//!
//! In each turn the client says at most one thing and every operation that has something to say says at most one thing,
//! as long as that fits into a few kilobytes. The next turn begins when all of it is written. So no operation starves
//! another or the client, and a client that does not read holds one turn's messages: its operations wait, unpolled. In the
//! meantime it is heard, so that it can complete an operation, until it says what needs an answer; that waits, too.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use async_graphql::ServerError;
use futures_util::future::BoxFuture;
use futures_util::stream::SelectAll;
use futures_util::{FutureExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use serde_json::{Map, Value};
use tokio::sync::futures::OwnedNotified;
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::close::Close;
use super::frame::{self, Frame};
use super::host::{Ended, Host};
use super::hub::{Hub, Seat, Word};
use super::message::{self, Message};
use super::operation::Operation;
use super::wire::{self, Wire};
use crate::request::Incoming;

/// Bytes of messages that are collected before they are written, and one message more.
const ROOM: usize = 4 * 1024;
/// Turns until other sockets get theirs.
const TURNS: usize = 32;

/// How far the client has come.
enum Phase<P> {
    Opened,
    Connecting,
    Ready(P),
}

/// What was asked of the host, and answered.
enum Answer<P> {
    Connected(Result<P, Ended>),
    Verified(Result<(), Ended>),
}

/// How a socket ends.
enum End {
    Lost,
    Left(Option<u16>),
    Closed(Close),
}

/// What needs an answer, and so room for it.
enum Said {
    Ping(Vec<u8>),
    Init(Map<String, Value>),
    PingMessage(Option<Map<String, Value>>),
    /// With the bytes of the message.
    Subscribe(String, Box<Incoming>, usize),
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Closed(close)
    }
}

struct Connection<H: Host> {
    host: H,
    hub: Hub,
    seat: Seat,
    wire: Wire,
    phase: Phase<H::Peer>,
    asking: Option<BoxFuture<'static, Answer<H::Peer>>>,
    operations: SelectAll<Operation>,
    /// What is answered when there is room.
    said: Option<Box<Said>>,
    opened: Instant,
    /// When the client last gave a sign of life.
    heard: Instant,
    pinged: Instant,
    /// When the host is asked next whether the peer may stay.
    verify_at: Instant,
}

/// Serves a socket until it ends.
pub(super) async fn serve<H: Host>(upgrade: OnUpgrade, hub: Hub, seat: Seat, host: H) {
    let Ok(io) = upgrade.await else { return };
    let now = Instant::now();
    let word = hub.next_word();
    let mut connection = Connection {
        wire: Wire::new(io, hub.settings().most_message_bytes),
        phase: Phase::Opened,
        asking: None,
        operations: SelectAll::new(),
        said: None,
        opened: now,
        heard: now,
        pinged: now,
        verify_at: now + hub.settings().verify_every,
        host,
        hub,
        seat,
    };
    let end = if connection.hub.is_closed() {
        going_away().into()
    } else {
        let mut word = pin!(word);
        let mut sleep = pin!(sleep_until(now));
        std::future::poll_fn(|cx| connection.poll(cx, word.as_mut(), sleep.as_mut())).await
    };
    // What it held is given back before the client is waited for. Boxed, for a socket that is open need not hold the room.
    let (wire, hub, seat) = connection.into_parts();
    match end {
        End::Lost => {}
        End::Left(code) => Box::pin(wire.answer_close(code, hub.settings())).await,
        End::Closed(close) => {
            tracing::debug!(code = close.code, reason = %close.reason, "socket closed");
            Box::pin(wire.close(&close, hub.settings())).await;
        }
    }
    drop(seat);
}

/// Tells a client that there is no room for its socket.
pub(super) async fn refuse(upgrade: OnUpgrade, hub: Hub, close: Close) {
    if let Ok(io) = upgrade.await {
        Wire::new(io, 0).close(&close, hub.settings()).await;
    }
}

fn going_away() -> Close {
    Close::new(Close::GOING_AWAY, "going away: reconnect")
}

impl<H: Host> Connection<H> {
    /// Drops what was going on.
    fn into_parts(self) -> (Wire, Hub, Seat) {
        (self.wire, self.hub, self.seat)
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut word: Pin<&mut OwnedNotified>,
        mut sleep: Pin<&mut Sleep>,
    ) -> Poll<End> {
        while let Poll::Ready(word) = self.hub.poll_word(word.as_mut(), cx) {
            match word {
                Word::Closing => return Poll::Ready(going_away().into()),
                Word::Doubt => self.doubt(),
            }
        }
        loop {
            if let Err(end) = self.on_time(Instant::now()) {
                return Poll::Ready(end.into());
            }
            let mut turns = 0;
            loop {
                match self.turn(cx) {
                    Err(end) => return Poll::Ready(end),
                    Ok(false) if has_budget_remaining() => break,
                    Ok(_) => turns += 1,
                }
                if turns == TURNS || !has_budget_remaining() {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            // A timer that goes off too early is cheaper than one that is set anew at each message.
            let next = self.next_time();
            if sleep.deadline() > next || sleep.is_elapsed() {
                sleep.as_mut().reset(next);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Has the peer verified soon. Who is being looked up now may have been looked up too early: it is verified as well.
    fn doubt(&mut self) {
        if !matches!(&self.phase, Phase::Ready(peer) if !self.host.concerns(peer)) {
            self.verify_at = self.verify_at.min(Instant::now() + self.hub.turn());
        }
    }

    /// Ends what has taken too long, and does what is due.
    fn on_time(&mut self, now: Instant) -> Result<(), Close> {
        let settings = self.hub.settings();
        if matches!(self.phase, Phase::Opened) && now >= self.opened + settings.init_within {
            return Err(Close::new(Close::INIT_TIMEOUT, "Connection initialisation timeout"));
        }
        if self.wire.stuck_since().is_some_and(|since| now >= since + settings.write_within) {
            return Err(Close::new(
                Close::TOO_SLOW,
                "you do not read what is sent: read faster or ask for less",
            ));
        }
        if self.wire.partial_since().is_some_and(|since| now >= since + settings.message_within) {
            return Err(Close::new(Close::TOO_SLOW, "your message has taken too long"));
        }
        if now >= self.heard + settings.silence {
            return Err(Close::new(Close::TOO_SLOW, "you do not answer pings"));
        }
        if self.wire.is_flushed() && now >= self.pinged + settings.ping_every {
            self.pinged = now;
            frame::ping(self.wire.out());
        }
        if let Phase::Ready(peer) = &self.phase
            && self.asking.is_none()
            && now >= self.verify_at
        {
            self.verify_at = now + settings.verify_every;
            let (host, peer, within) = (self.host.clone(), peer.clone(), settings.init_within);
            self.asking = Some(Box::pin(async move {
                // An answer that does not come is none: it is asked again.
                Answer::Verified(timeout(within, host.verify(&peer)).await.unwrap_or(Ok(())))
            }));
        }
        Ok(())
    }

    /// When [`Self::on_time`] has something to do next.
    fn next_time(&self) -> Instant {
        let settings = self.hub.settings();
        let mut next = self.heard + settings.silence;
        let mut at = |time: Option<Instant>| next = next.min(time.unwrap_or(next));
        at(matches!(self.phase, Phase::Opened).then(|| self.opened + settings.init_within));
        at(self.wire.stuck_since().map(|since| since + settings.write_within));
        at(self.wire.partial_since().map(|since| since + settings.message_within));
        at(self.wire.is_flushed().then(|| self.pinged + settings.ping_every));
        let verifies = matches!(self.phase, Phase::Ready(_)) && self.asking.is_none();
        at(verifies.then_some(self.verify_at));
        next
    }

    /// One turn. Answers whether anything has happened.
    fn turn(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let mut progress = false;
        if let Some(asking) = &mut self.asking
            && let Poll::Ready(answer) = asking.poll_unpin(cx)
        {
            self.asking = None;
            self.answered(answer)?;
            progress = true;
        }
        let has_written = !self.wire.is_flushed();
        let has_room = match self.wire.poll_flush(cx) {
            Poll::Ready(Ok(())) => true,
            Poll::Ready(Err(_)) => return Err(End::Lost),
            Poll::Pending => false,
        };
        progress |= has_written && has_room;
        if self.said.is_none() {
            match self.wire.poll_frame(cx) {
                Poll::Ready(Ok(frame)) => {
                    self.heard = Instant::now();
                    self.said = self.received(frame)?.map(Box::new);
                    progress = true;
                }
                Poll::Ready(Err(wire::Ended::Lost)) => return Err(End::Lost),
                Poll::Ready(Err(wire::Ended::Broken(close))) => return Err(close.into()),
                Poll::Pending => {}
            }
        }
        if !has_room {
            return Ok(progress);
        }
        if let Some(said) = self.said.take() {
            self.answer(*said)?;
            progress = true;
        }
        let mut left = self.operations.len();
        // Without budget what they wait for would not answer: they would lose their turn, and some always the same.
        while left > 0
            && self.wire.out().len() < ROOM
            && has_budget_remaining()
            && let Poll::Ready(Some(message)) = self.operations.poll_next_unpin(cx)
        {
            frame::text(self.wire.out(), &message);
            left -= 1;
            progress = true;
        }
        Ok(progress)
    }

    fn answered(&mut self, answer: Answer<H::Peer>) -> Result<(), Close> {
        match answer {
            Answer::Connected(Ok(peer)) => {
                if self.seat.settle(&self.host.client(&peer)).is_err() {
                    let most = self.hub.settings().most_connections_of_client;
                    let reason = format!("a client has at most {most} sockets and event streams");
                    return Err(Close::new(Close::TOO_MANY, reason));
                }
                self.phase = Phase::Ready(peer);
                frame::text(self.wire.out(), &message::ack());
            }
            Answer::Verified(Ok(()) | Err(Ended::Unavailable(_))) => {}
            Answer::Connected(Err(Ended::Unavailable(reason))) => {
                return Err(Close::new(Close::TRY_AGAIN, reason));
            }
            Answer::Connected(Err(Ended::Forbidden(reason)))
            | Answer::Verified(Err(Ended::Forbidden(reason))) => {
                return Err(Close::new(Close::FORBIDDEN, reason));
            }
        }
        Ok(())
    }

    /// Does what needs no answer, and gives back what does.
    fn received(&mut self, frame: Frame) -> Result<Option<Said>, End> {
        let text = match frame {
            Frame::Text(text) => text,
            Frame::Ping(payload) => return Ok(Some(Said::Ping(payload))),
            Frame::Pong => return Ok(None),
            Frame::Close(code) => return Err(End::Left(code)),
        };
        Ok(match Message::read(&text)? {
            Message::Init(payload) => Some(Said::Init(payload)),
            Message::Ping(payload) => Some(Said::PingMessage(payload)),
            Message::Subscribe(id, incoming) => Some(Said::Subscribe(id, incoming, text.len())),
            Message::Complete(id) => {
                if let Some(operation) = self.operations.iter_mut().find(|one| one.id() == Some(&id)) {
                    operation.cancel();
                }
                None
            }
            Message::Pong => None,
        })
    }

    fn answer(&mut self, said: Said) -> Result<(), Close> {
        match said {
            Said::Ping(payload) => frame::pong(self.wire.out(), &payload),
            Said::PingMessage(payload) => frame::text(self.wire.out(), &message::pong(payload.as_ref())),
            Said::Init(payload) => self.connect(payload)?,
            Said::Subscribe(id, incoming, bytes) => self.subscribe(id, bytes, *incoming)?,
        }
        Ok(())
    }

    fn connect(&mut self, payload: Map<String, Value>) -> Result<(), Close> {
        if !matches!(self.phase, Phase::Opened) {
            return Err(Close::new(Close::TOO_MANY, "Too many initialisation requests"));
        }
        self.phase = Phase::Connecting;
        self.verify_at = Instant::now() + self.hub.settings().verify_every;
        let (host, within) = (self.host.clone(), self.hub.settings().init_within);
        self.asking = Some(Box::pin(async move {
            let late = Ended::Unavailable("who you are could not be looked up in time: reconnect".into());
            Answer::Connected(timeout(within, host.connect(payload)).await.unwrap_or(Err(late)))
        }));
        Ok(())
    }

    fn subscribe(&mut self, id: String, bytes: usize, incoming: Incoming) -> Result<(), Close> {
        let Phase::Ready(peer) = &self.phase else {
            return Err(Close::new(Close::UNAUTHORIZED, "Unauthorized"));
        };
        let (mut count, mut held) = (1, bytes);
        for operation in &self.operations {
            match operation.id() {
                Some(taken) if taken == id => {
                    let reason = format!("Subscriber for {id} already exists");
                    return Err(Close::new(Close::SUBSCRIBER_EXISTS, reason));
                }
                Some(_) => (count, held) = (count + 1, held + operation.bytes()),
                None => {}
            }
        }
        let settings = self.hub.settings();
        if count > settings.most_operations || held > settings.most_operation_bytes {
            let mut error = ServerError::new(
                format!(
                    "a socket has at most {} operations of {} bytes together: complete one first",
                    settings.most_operations, settings.most_operation_bytes
                ),
                None,
            );
            error.extensions.get_or_insert_default().set("code", "TOO_MANY_OPERATIONS");
            frame::text(self.wire.out(), &message::error(&id, &[error]));
            return Ok(());
        }
        let (host, peer) = (self.host.clone(), peer.clone());
        let starting = Box::pin(async move { host.start(&peer, incoming, None).await });
        self.operations.push(Operation::new(id, bytes, starting));
        Ok(())
    }
}
