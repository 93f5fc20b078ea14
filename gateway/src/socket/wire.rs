//! Reading and writing of one socket.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBuf, Write};
use hyper::upgrade::Upgraded;
use tokio::time::{Instant, timeout_at};

use super::close::Close;
use super::frame::{self, Frame, Frames};
use super::settings::Settings;

/// Bytes read at a time, onto the stack.
const READ: usize = 8 * 1024;

/// Why nothing more comes from the client.
pub(super) enum Ended {
    /// The connection is gone.
    Lost,
    /// The client has broken the protocol.
    Broken(Close),
}

/// The connection and what is on its way. While nothing is, it holds no buffers.
pub(super) struct Wire {
    io: Upgraded,
    frames: Frames,
    /// Frames to be written, as far as `written` they are.
    out: Vec<u8>,
    written: usize,
    /// Since when a write waits for the client.
    stuck_since: Option<Instant>,
    /// Since when the client has been sending a message.
    partial_since: Option<Instant>,
}

impl Wire {
    pub(super) fn new(io: Upgraded, most_message_bytes: usize) -> Self {
        Self {
            io,
            frames: Frames::new(most_message_bytes),
            out: Vec::new(),
            written: 0,
            stuck_since: None,
            partial_since: None,
        }
    }

    /// What is to be written. Only add to it while nothing waits, and little: it is memory.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Whether all is written.
    pub(super) fn is_flushed(&self) -> bool {
        self.out.is_empty()
    }

    /// Since when a write waits for the client.
    pub(super) fn stuck_since(&self) -> Option<Instant> {
        self.stuck_since
    }

    /// Since when the client has been sending a message.
    pub(super) fn partial_since(&self) -> Option<Instant> {
        self.partial_since
    }

    /// Writes what is to be written.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.out.len() {
            match Pin::new(&mut self.io).poll_write(cx, &self.out[self.written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => self.written += written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.stuck_since.get_or_insert_with(Instant::now);
                    return Poll::Pending;
                }
            }
        }
        self.out = Vec::new();
        self.written = 0;
        self.stuck_since = None;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// The client's next frame.
    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Ended>> {
        loop {
            let frame = self.frames.next().map_err(Ended::Broken)?;
            if let Some(frame) = frame {
                self.partial_since = None;
                return Poll::Ready(Ok(frame));
            }
            if self.frames.is_partial() {
                self.partial_since.get_or_insert_with(Instant::now);
            }
            let mut space = [MaybeUninit::uninit(); READ];
            let mut read = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut self.io).poll_read(cx, read.unfilled())).map_err(|_| Ended::Lost)?;
            if read.filled().is_empty() {
                return Poll::Ready(Err(Ended::Lost));
            }
            self.frames.take(read.filled());
        }
    }

    /// Closes: what is on its way is finished, then comes the close frame, then the client's is waited for, so that it reads
    /// ours before the connection ends. A client that does none of it in time is cut off.
    pub(super) async fn close(mut self, close: &Close, settings: &Settings) {
        frame::close(&mut self.out, Some(close.code), &close.reason);
        let end = Instant::now() + settings.close_within;
        let _ = timeout_at(end, async {
            std::future::poll_fn(|cx| self.poll_flush(cx)).await?;
            std::future::poll_fn(|cx| self.poll_closed(cx)).await;
            std::future::poll_fn(|cx| Pin::new(&mut self.io).poll_shutdown(cx)).await
        })
        .await;
    }

    /// Answers the client's close frame.
    pub(super) async fn answer_close(mut self, code: Option<u16>, settings: &Settings) {
        frame::close(&mut self.out, code, "");
        let end = Instant::now() + settings.close_within;
        let _ = timeout_at(end, async {
            std::future::poll_fn(|cx| self.poll_flush(cx)).await?;
            std::future::poll_fn(|cx| Pin::new(&mut self.io).poll_shutdown(cx)).await
        })
        .await;
    }

    /// Reads until the client has closed, too. After a breach of the protocol nothing it sends can be read any more; then
    /// it is the end of the connection that is waited for.
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut broken = false;
        loop {
            if broken {
                let mut space = [MaybeUninit::uninit(); READ];
                let mut read = ReadBuf::uninit(&mut space);
                match ready!(Pin::new(&mut self.io).poll_read(cx, read.unfilled())) {
                    Ok(()) if !read.filled().is_empty() => {}
                    _ => return Poll::Ready(()),
                }
            } else {
                match ready!(self.poll_frame(cx)) {
                    Ok(Frame::Close(_)) | Err(Ended::Lost) => return Poll::Ready(()),
                    Ok(_) => {}
                    Err(Ended::Broken(_)) => broken = true,
                }
            }
        }
    }
}
