//! Mail that goes out: what every domain may send, kept until it has been sent.
//!
//! A **letter** has a recipient, a language and a [`Content`]; its words are made from these when it is sent, in plain
//! text and in simple HTML. It waits in the **outbox**, a table: a letter about a company is put there in that company's
//! transaction ([`put_in`]) and commits with the event it tells of, one about an account by [`put`]. A worker hands
//! letters to the **post** ([`post::deliver`]), which is an SMTP server, or a shelf on which they stay readable.
//!
//! Invariants:
//! - A letter is handed over at least once, and in the normal case exactly once; its `Message-ID` is the same each time.
//! - No transaction is open while SMTP is spoken: letters are claimed with a lease, and marked afterwards.
//! - A letter of a test twin is kept and never sent.
//! - Recipient and contents are sealed at rest, and erased once the letter is sent or given up.
//! - Words that users have chosen never make a line of a header, nor a link.
//!
//! Permissions, events, cubes: none. This domain never decides who is written to, never tells who puts a letter whether
//! the address exists, reads no other domain's tables, and knows no GraphQL and no HTTP.

pub mod error;
pub mod letter;
pub mod outbox;
pub mod post;

pub use error::Error;
pub use letter::{Content, Factor, Language, Letter};
pub use outbox::service::{put, put_at_most, put_in};
