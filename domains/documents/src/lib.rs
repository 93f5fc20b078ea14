//! Documents: the files that a company keeps, and the signed links by which bytes come and go.
//!
//! A file is announced first (name, media type, size), then its bytes are PUT to a short-lived signed link,
//! once. The blob is written before the row says `stored`: a row never promises bytes that are not there. What a
//! crash in between leaves is a blob that nothing names, never a row without a blob. The SHA-256 is that of the
//! bytes as they came, and every import checks it.
//!
//! Invariants, held here and in SQL:
//! - a stored file never changes: neither its bytes' hash, size, name or type, nor where they lie;
//! - keys in the object store start with the company and are made of ids only: no name is ever part of a path;
//! - a link opens one file of one company, for one purpose, until it expires.
//!
//! Permissions: `files.read` to see files and to make download links, `files.write` to announce uploads. The
//! bytes themselves move on the strength of the link alone. Events: `file.announced`, `file.stored`. No cubes.
//!
//! The domain never looks into a file, never executes or renders one, and knows no HTTP.

mod blobs;
pub mod error;
pub mod file;

pub use blobs::{Body, BodyError, Files};
pub use error::Error;
