//! The bytes of a connection: they tell when a request begins, and a client that takes nothing is given up.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::connection::Watch;
use super::gate::Permit;

/// Longest that a client is listened to after the last word, so that it can read that word.
const LINGER: Duration = Duration::from_secs(2);

/// A connection's stream. It holds the permit, and so keeps it through an upgrade.
pub(super) struct Wire {
    stream: TcpStream,
    watch: Arc<Watch>,
    patience: Duration,
    /// Runs while the client takes nothing of what waits to be sent.
    stalled: Option<Pin<Box<Sleep>>>,
    permit: Permit,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, watch: Arc<Watch>, patience: Duration, permit: Permit) -> Self {
        Self { stream, watch, patience, stalled: None, permit }
    }

    /// Says a last word and closes; without the word where the client has not taken what came before.
    pub(super) async fn dismiss(self, word: &[u8]) {
        if self.stalled.is_none() {
            dismiss(self.stream, word).await;
        }
        drop(self.permit);
    }

    fn patient<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Says a last word, as far as it fits into the system's buffer, and closes. What the client still sends is thrown away
/// for a moment: closing with it unread would reset the connection, and take the word back.
pub(super) async fn dismiss(mut stream: TcpStream, word: &[u8]) {
    if !word.is_empty() && stream.writable().await.is_err() {
        return;
    }
    let said = word.is_empty() || stream.try_write(word).is_ok();
    if !said || stream.shutdown().await.is_err() {
        return;
    }
    let rest = async {
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut [0; 4096]) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, rest).await;
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            this.watch.bytes_came();
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.patient(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.patient(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
