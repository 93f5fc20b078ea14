//! Mail's promises, on a real database and against an independent SMTP server.

mod certificate;
mod outbox;
mod sending;
mod words;
