//! What mail refuses.

use kernel::Fault;

/// Why mail did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A fault of ours.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A setting with which no mail can go out. The text never holds a password.
    #[error("{option}: {why}")]
    Setting {
        /// The option, as on the command line.
        option: &'static str,
        /// What is wrong, and the fix.
        why: String,
    },
}

impl Error {
    /// The stable code of a refusal; `INTERNAL` for faults.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Fault(_) => "INTERNAL",
            Self::Setting { .. } => "SETTING",
        }
    }
}
