//! Private PostgreSQL and Redis servers, started from the machine's own binaries.
//!
//! The demo and the tests need real servers and may ask nothing of the machine but the binaries: no
//! account, no configured service, no fixed port. This crate finds the binaries, makes a cluster in a
//! folder it is given, starts it on a port of its own, and ends it with the program that started it.
//!
//! What holds:
//! - A server never outlives the program that started it by more than the moment it takes to stop: a
//!   graceful stop, a dropped handle, and `kill -9` of the program all end it (see `process`).
//! - Run by root, no server runs as root: it runs as `postgres`, or else `nobody`, or else as whoever
//!   already owns the data.
//! - One program at a time uses a cluster; a second one is refused, not let in.
//! - A `data` folder is whole or absent: `initdb` works beside it and the result is renamed.
//! - Data is never deleted to make a start succeed.
//!
//! What this crate never does: it downloads nothing, installs nothing, opens no port beyond
//! `127.0.0.1`, prints nothing, and runs no SQL.

mod binaries;
mod error;
mod place;
mod postgres;
mod process;
mod redis;
mod scratch;
mod user;

pub use binaries::{MIN_POSTGRES_MAJOR, PostgresBinaries, find_postgres, find_redis};
pub use error::ClusterError;
pub use postgres::{Postgres, PostgresOptions};
pub use redis::{Redis, RedisOptions};
pub use scratch::{Scratch, scratch};
