//! What can go wrong: refusals that a user can mend, and faults that are ours.

use std::borrow::Cow;

use sea_orm::{DbErr, RuntimeErr};

use crate::permission::Permission;

/// A failure that is not the user's: it is logged, masked at the edge, and never recorded as an outcome.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// PostgreSQL refused or failed.
    #[error("database: {0}")]
    Database(#[from] DbErr),
    /// PostgreSQL cannot be reached, or no connection came free in time: worth a later try.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// A stored value does not read as what it must be.
    #[error("stored data is wrong: {0}")]
    Corrupt(String),
    /// A disk, a key or a peer failed.
    #[error("{0}")]
    Internal(String),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};
        match error {
            PoolTimedOut | PoolClosed | WorkerCrashed | Io(_) | Tls(_) => {
                Self::Unavailable(error.to_string())
            }
            other => Self::Database(DbErr::Query(RuntimeErr::SqlxError(other.into()))),
        }
    }
}

impl Fault {
    fn database_error(&self) -> Option<&dyn sqlx::error::DatabaseError> {
        match self {
            Self::Database(
                DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error)),
            ) => error.as_database_error(),
            _ => None,
        }
    }

    /// The SQLSTATE that PostgreSQL gave.
    pub fn sqlstate(&self) -> Option<Cow<'_, str>> {
        self.database_error().and_then(sqlx::error::DatabaseError::code)
    }

    /// The constraint that refused, if one did.
    pub fn constraint(&self) -> Option<&str> {
        self.database_error().and_then(sqlx::error::DatabaseError::constraint)
    }

    /// The message of an exception that our own SQL raised (SQLSTATE class `CO`).
    pub fn raised(&self, sqlstate: &str) -> Option<&str> {
        self.database_error()
            .filter(|e| e.code().is_some_and(|c| c == sqlstate))
            .map(sqlx::error::DatabaseError::message)
    }

    /// Whether a unique or exclusion constraint refused.
    pub fn is_duplicate(&self) -> bool {
        self.sqlstate().is_some_and(|code| code == "23505" || code == "23P01")
    }

    /// Whether the same transaction may succeed when tried again: deadlock, serialization failure.
    pub fn is_retryable(&self) -> bool {
        self.sqlstate().is_some_and(|code| code == "40P01" || code == "40001")
    }

    /// Whether PostgreSQL is out of reach: shutting down, starting, out of connections, gone, or too busy for now.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Database(DbErr::Conn(_) | DbErr::ConnectionAcquire(_)) => true,
            Self::Database(
                DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error)),
            ) => {
                matches!(**error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
                    || self.sqlstate().is_some_and(|c| {
                        // Shutting down, out of resources, or a lock or a statement that took too long.
                        c.starts_with("57P") || c.starts_with("53") || c == "55P03" || c == "57014"
                    })
            }
            _ => false,
        }
    }
}

/// The actor lacks a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this needs the permission {}", .0.as_str())]
pub struct Denied(pub Permission);

/// What every domain's error enum tells the kernel and the edge.
pub trait DomainError: std::error::Error + From<Fault> + From<Denied> + Send + Sync + 'static {
    /// The fault inside, if this is one.
    fn fault(&self) -> Option<&Fault>;

    /// The missing permission, if that is the reason.
    fn denied(&self) -> Option<Denied>;

    /// The stable code of a refusal, in the domain's closed list; `INTERNAL` for faults.
    fn code(&self) -> &'static str;

    /// The input field that the user must mend, as a path such as `lines.2.quantity`.
    fn field(&self) -> Option<String>;
}
