//! Frames of the WebSocket protocol (RFC 6455, section 5), the server's side.
//!
//! A codec of our own and not a library's: those keep their read and write buffers for the life of the socket. Here a
//! socket that waits holds no buffer at all, and a big message leaves nothing behind.

use super::close::Close;

/// What a client sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A whole message.
    Text(String),
    /// Is answered with a pong of the same payload.
    Ping(Vec<u8>),
    /// A sign of life.
    Pong,
    /// The client leaves; with a code, unless it gave none.
    Close(Option<u16>),
}

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
/// Most bytes of a control frame's payload (section 5.5).
const MOST_CONTROL: usize = 125;

/// The head of a frame.
struct Head {
    is_final: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Where the payload starts and ends in what is held.
    start: usize,
    end: usize,
}

/// What has been received and is not a message yet. Empty, it holds no memory.
pub(super) struct Frames {
    held: Vec<u8>,
    /// The first fragments of a message.
    message: Option<Vec<u8>>,
    most_bytes: usize,
}

impl Frames {
    /// Takes messages of at most `most_bytes`.
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { held: Vec::new(), message: None, most_bytes }
    }

    /// Takes bytes as they came. Call [`Self::next`] until it wants more before you give more: then at most a message
    /// and what was given last is held.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Whether a message has begun and has not ended.
    pub(super) fn is_partial(&self) -> bool {
        self.message.is_some() || !self.held.is_empty()
    }

    /// The next frame, if it is whole.
    ///
    /// # Errors
    /// What the socket must be closed with: 1002 for frames against the protocol, 1003 for binary ones, 1007 for text
    /// that is not UTF-8, 1009 for a message that is too big, as soon as its head tells so.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Close> {
        while let Some(head) = self.head()? {
            let mut payload = self.held[head.start..head.end].to_vec();
            if head.end == self.held.len() {
                self.held = Vec::new();
            } else {
                self.held.drain(..head.end);
            }
            for (byte, mask) in payload.iter_mut().zip(head.mask.iter().cycle()) {
                *byte ^= mask;
            }
            let frame = match head.opcode {
                PING => Some(Frame::Ping(payload)),
                PONG => Some(Frame::Pong),
                CLOSE => Some(Frame::Close(close_code(&payload)?)),
                _ => self.fragment(payload, head.is_final)?,
            };
            if frame.is_some() {
                return Ok(frame);
            }
        }
        Ok(None)
    }

    fn fragment(&mut self, payload: Vec<u8>, is_final: bool) -> Result<Option<Frame>, Close> {
        let message = match self.message.take() {
            None => payload,
            Some(mut message) => {
                message.extend_from_slice(&payload);
                message
            }
        };
        if !is_final {
            self.message = Some(message);
            return Ok(None);
        }
        match String::from_utf8(message) {
            Ok(text) => Ok(Some(Frame::Text(text))),
            Err(_) => Err(Close::new(1007, "text must be UTF-8")),
        }
    }

    /// The head of the first frame held, once the whole frame is.
    fn head(&self) -> Result<Option<Head>, Close> {
        let [first, second, rest @ ..] = &self.held[..] else { return Ok(None) };
        let (is_final, opcode) = (first & FINAL != 0, first & 0x0F);
        if first & 0x70 != 0 {
            return Err(Close::new(1002, "no extension was agreed on"));
        }
        if second & MASKED == 0 {
            return Err(Close::new(1002, "frames of a client must be masked"));
        }
        match (opcode, self.message.is_some()) {
            (BINARY, _) => return Err(Close::new(1003, "send text frames only")),
            (TEXT, false) | (CONTINUATION, true) => {}
            (TEXT | CONTINUATION, _) => return Err(Close::new(1002, "fragments out of order")),
            (CLOSE | PING | PONG, _) if is_final => {}
            (CLOSE | PING | PONG, _) => {
                return Err(Close::new(1002, "a control frame cannot be in fragments"));
            }
            _ => return Err(Close::new(1002, "unknown opcode")),
        }
        let (length, used) = match (second & !MASKED, rest.first_chunk(), rest.first_chunk()) {
            (126, Some(length), _) => (u64::from(u16::from_be_bytes(*length)), 2),
            (127, _, Some(length)) => (u64::from_be_bytes(*length), 8),
            (126 | 127, ..) => return Ok(None),
            (short, ..) => (u64::from(short), 0),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if opcode >= CLOSE && length > MOST_CONTROL {
            return Err(Close::new(1002, "a control frame has at most 125 bytes"));
        }
        let before = if opcode >= CLOSE { 0 } else { self.message.as_ref().map_or(0, Vec::len) };
        if length.saturating_add(before) > self.most_bytes.max(MOST_CONTROL) {
            return Err(Close::new(1009, format!("a message has at most {} bytes", self.most_bytes)));
        }
        let Some(&mask) = rest[used..].first_chunk() else { return Ok(None) };
        let start = 2 + used + 4;
        let end = start + length;
        let head = Head { is_final, opcode, mask, start, end };
        Ok((end <= self.held.len()).then_some(head))
    }
}

/// The code in a close frame's payload (section 5.5.1); the reason is of no use here, but must be text.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Close> {
    match payload {
        [] => Ok(None),
        [a, b, reason @ ..] => match u16::from_be_bytes([*a, *b]) {
            _ if std::str::from_utf8(reason).is_err() => Err(Close::new(1007, "text must be UTF-8")),
            code @ (1000..=1003 | 1007..=1014 | 3000..=4999) => Ok(Some(code)),
            _ => Err(Close::new(1002, "not a code to close with")),
        },
        _ => Err(Close::new(1002, "not a code to close with")),
    }
}

/// Appends a message.
pub(super) fn text(out: &mut Vec<u8>, payload: &[u8]) {
    frame(out, TEXT, payload);
}

/// Appends a ping without payload.
pub(super) fn ping(out: &mut Vec<u8>) {
    frame(out, PING, &[]);
}

/// Appends the answer to a ping.
pub(super) fn pong(out: &mut Vec<u8>, payload: &[u8]) {
    frame(out, PONG, payload);
}

/// Appends a close frame. Without a code it has no payload.
pub(super) fn close(out: &mut Vec<u8>, code: Option<u16>, reason: &str) {
    let mut payload = Vec::new();
    if let Some(code) = code {
        payload.extend_from_slice(&code.to_be_bytes());
        payload.extend_from_slice(&reason.as_bytes()[..reason.floor_char_boundary(MOST_CONTROL - 2)]);
    }
    frame(out, CLOSE, &payload);
}

fn frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.reserve_exact(10 + payload.len());
    out.push(FINAL | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..=125), _) => out.push(short),
        (_, Ok(length)) => {
            out.push(126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A frame as a client sends it.
    fn masked(is_final: bool, opcode: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame(&mut bytes, opcode, payload);
        let head = bytes.len() - payload.len();
        if !is_final {
            bytes[0] &= !FINAL;
        }
        bytes[1] |= MASKED;
        for (byte, mask) in bytes[head..].iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        bytes.splice(head..head, mask);
        bytes
    }

    /// A message as frames, cut here and there, with a ping after every second one.
    fn message(text: &str, cuts: &[prop::sample::Index], mask: [u8; 4]) -> Vec<u8> {
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        at.extend([0, text.len()]);
        at.sort_unstable();
        let mut bytes = Vec::new();
        for (n, pair) in at.windows(2).enumerate() {
            let opcode = if n == 0 { TEXT } else { CONTINUATION };
            bytes.extend(masked(n == at.len() - 2, opcode, &text.as_bytes()[pair[0]..pair[1]], mask));
            if n % 2 == 1 {
                bytes.extend(masked(true, PING, &[7], mask));
            }
        }
        bytes
    }

    proptest! {
        #[test]
        fn messages_arrive_however_they_are_cut(
            sent in prop::collection::vec(("\\PC{0,300}", prop::collection::vec(any::<prop::sample::Index>(), 0..4)), 1..5),
            mask in any::<[u8; 4]>(),
            chunk in 1_usize..700,
        ) {
            let bytes: Vec<u8> = sent.iter().flat_map(|(text, cuts)| message(text, cuts, mask)).collect();
            let mut frames = Frames::new(4_096);
            let (mut received, mut pings) = (Vec::new(), 0);
            for part in bytes.chunks(chunk) {
                frames.take(part);
                while let Some(frame) = frames.next().expect("within the protocol") {
                    match frame {
                        Frame::Text(text) => received.push(text),
                        Frame::Ping(payload) => {
                            prop_assert_eq!(payload, [7]);
                            pings += 1;
                        }
                        other => prop_assert!(false, "{:?}", other),
                    }
                }
            }
            let texts: Vec<&String> = sent.iter().map(|(text, _)| text).collect();
            prop_assert_eq!(received.iter().collect::<Vec<_>>(), texts);
            prop_assert_eq!(pings, sent.iter().map(|(_, cuts)| cuts.len().div_ceil(2)).sum::<usize>());
            prop_assert!(!frames.is_partial());
            prop_assert_eq!(frames.held.capacity(), 0, "nothing is held when nothing is on its way");
        }

        #[test]
        fn no_bytes_are_worse_than_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut frames = Frames::new(100);
            frames.take(&bytes);
            while let Ok(Some(_)) = frames.next() {}
        }
    }

    #[test]
    fn lengths_are_written_as_the_rfc_wants_them() {
        for (length, head) in [
            (125, &[0x81, 125][..]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 0xFF, 0xFF]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut out = Vec::new();
            text(&mut out, &vec![b'x'; length]);
            assert_eq!(&out[..head.len()], head);
            assert_eq!(out.len(), head.len() + length);
        }
    }

    #[test]
    fn a_reason_is_cut_to_what_a_frame_carries_and_stays_text() {
        let mut out = Vec::new();
        close(&mut out, Some(4403), &"é".repeat(100));
        assert_eq!(out[..4], [0x88, 2 + 122, 0x11, 0x33]);
        assert_eq!(std::str::from_utf8(&out[4..]), Ok("é".repeat(61).as_str()));
    }

    #[test]
    fn a_code_to_close_with_is_one_of_the_rfc_or_private() {
        assert_eq!(close_code(&[]), Ok(None));
        for code in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999_u16] {
            assert_eq!(close_code(&code.to_be_bytes()), Ok(Some(code)));
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000_u16] {
            assert_eq!(close_code(&code.to_be_bytes()).map_err(|close| close.code), Err(1002), "{code}");
        }
        assert_eq!(close_code(&[3]).map_err(|close| close.code), Err(1002));
        assert_eq!(close_code(&[3, 0xE8, 0xFF]).map_err(|close| close.code), Err(1007));
    }
}
