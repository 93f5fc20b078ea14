//! One operation of a socket.

use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use async_graphql::{Response, ServerError};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, Stream, StreamExt};

use super::host::is_request_error;
use super::message;

/// What [`super::Host::start`] answers in the end.
pub(super) type Started = Result<BoxStream<'static, Response>, Vec<ServerError>>;

/// An operation as the stream of its messages. It is polled only when a message can be sent.
pub(super) struct Operation {
    id: Box<str>,
    bytes: usize,
    state: State,
    waker: Option<Waker>,
}

enum State {
    Starting(BoxFuture<'static, Started>),
    /// No response yet: the first may be a request error.
    Started(BoxStream<'static, Response>),
    Running(BoxStream<'static, Response>),
    Ended,
}

impl Operation {
    /// Starts an operation that came in a message of so many bytes.
    pub(super) fn new(id: String, bytes: usize, starting: BoxFuture<'static, Started>) -> Self {
        Self { id: id.into(), bytes, state: State::Starting(starting), waker: None }
    }

    /// The id, until it has ended.
    pub(super) fn id(&self) -> Option<&str> {
        (!matches!(self.state, State::Ended)).then_some(&*self.id)
    }

    /// How many bytes the client has sent for it.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops what it is doing, at once; its messages end.
    pub(super) fn cancel(&mut self) {
        self.state = State::Ended;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn end(&mut self, message: Vec<u8>) -> Poll<Option<Vec<u8>>> {
        self.state = State::Ended;
        Poll::Ready(Some(message))
    }
}

impl Stream for Operation {
    type Item = Vec<u8>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        loop {
            let is_first = matches!(self.state, State::Started(_));
            let stream = match &mut self.state {
                State::Starting(starting) => match ready!(starting.poll_unpin(cx)) {
                    Ok(stream) => {
                        self.state = State::Started(stream);
                        continue;
                    }
                    Err(errors) => {
                        let message = message::error(&self.id, &errors);
                        return self.end(message);
                    }
                },
                State::Started(stream) | State::Running(stream) => stream,
                State::Ended => return Poll::Ready(None),
            };
            let Some(response) = ready!(stream.poll_next_unpin(cx)) else {
                let message = message::complete(&self.id);
                return self.end(message);
            };
            if is_first && is_request_error(&response) {
                let message = message::error(&self.id, &response.errors);
                return self.end(message);
            }
            if is_first && let State::Started(stream) = std::mem::replace(&mut self.state, State::Ended) {
                self.state = State::Running(stream);
            }
            return Poll::Ready(Some(message::next(&self.id, &response)));
        }
    }
}
