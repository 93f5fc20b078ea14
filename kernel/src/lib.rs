//! What every domain stands on.
//!
//! A [`Scope`] is the only way to a company's rows: it names the company, the actor and the actor's
//! permissions, and opens transactions whose tenant is set in the round trip of their `BEGIN`. Beside it live
//! the things that all domains share: ids, money, the clock, permissions, the event log with its sequencer,
//! the folder of the rollups, idempotency, secrets at rest and signed links.
//!
//! The kernel knows no business: no invoice, no account, no payslip. It knows no GraphQL and no HTTP, and it
//! never calls a peer other than PostgreSQL and Redis.

pub mod alarm;
pub mod canonical;
pub mod clock;
pub mod cube;
pub mod db;
pub mod event;
pub mod fault;
pub mod filler;
pub mod folder;
pub mod held;
pub mod hint;
pub mod html;
pub mod id;
pub mod idempotency;
pub mod money;
pub mod page;
pub mod permission;
pub mod rollup;
pub mod scope;
pub mod sequencer;
pub mod signed;
pub mod sparse;
pub mod tx;
pub mod usage;
pub mod vault;

pub use clock::Clock;
pub use db::Db;
pub use event::{Change, NewEvent};
pub use fault::{Denied, DomainError, Fault};
pub use id::Kind;
pub use money::{Currency, Money};
pub use permission::{Permission, PermissionSet};
pub use scope::{Actor, Company, Mode, Origin, Scope};
pub use tx::Tx;
