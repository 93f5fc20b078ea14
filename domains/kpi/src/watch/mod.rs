//! Follows figures: everything at first, then what changes, as the company's revision moves.
//!
//! However many watch a company, its figures are read once a revision, by the process's [`Hub`]. A watch holds what it is of,
//! what it has told, and a place to take the newest [`Board`] from: no figure, no transaction and no connection. What a
//! slow reader has not taken yet is not queued: the next push tells the newest state. A watch never pushes what is
//! not folded, and never without asking who may read it; it asks every two seconds too when nothing moves, so that
//! who is gone does not stay.
//!
//! A pushed figure follows from its revision: its windows end on the day of the last midnight that the revision knows,
//! also in the seconds between a midnight and its tick.

mod alerts;
mod board;
mod figures;
mod follower;
mod hub;

use futures_util::future::BoxFuture;
use kernel::{Fault, PermissionSet};

pub use alerts::{AlertPush, AlertWatch};
pub use board::Board;
pub use figures::{Push, Watch};
pub use follower::{Follower, Seen, Telling};
pub use hub::Hub;

/// Says anew what who reads may do in the company; `None` when nobody reads any more (signed out, revoked, expired). It is
/// asked for every push, so it should remember its answer for a moment.
pub type Authorise = Box<dyn Fn() -> BoxFuture<'static, Result<Option<PermissionSet>, Fault>> + Send + Sync>;
