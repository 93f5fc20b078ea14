//! What people do by their mailbox: confirm that it is theirs, and choose a new password.
//!
//! Whoever asks for a letter is told nothing: the wish is put down, and only afterwards a worker looks whether the address
//! has an account, and which letter it is ([`service::write_wanted`]). So the answer's text, status and time are the same for
//! every address. What a link tells, it tells to whoever reads the mailbox.
//!
//! Who has confirmed an address has shown two things: the mailbox, by the link, and the account, by its session or its
//! password. Else somebody could sign up with another's address, and have the other confirm it with a click.

pub mod service;
mod store;

use kernel::Origin;

use crate::authenticator::Authenticator;
use crate::error::Error;
use crate::throttle::{self, Guess, Verdict, service as guesses};

/// Where links lead.
#[derive(Clone, Copy, Debug)]
pub enum Page {
    /// To confirm an address.
    Confirm,
    /// To choose a new password; without a token, to ask for a letter.
    Reset,
    /// To join a company.
    Invitation,
}

impl Page {
    const fn path(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::Invitation => "invitation",
        }
    }

    /// The address of the page with a token.
    pub(crate) fn link(self, public_url: &str, token: &str) -> String {
        format!("{public_url}/{}?token={token}", self.path())
    }
}

/// Whether a letter may be asked for: `false` when it is to be answered as if it were sent.
///
/// # Errors
/// [`Error::TooManyAttempts`], when too many were asked for from one network.
pub(crate) async fn may_ask(
    auth: &Authenticator,
    page: Page,
    email: &str,
    origin: &Origin,
) -> Result<bool, Error> {
    let (kind, email) = (page.path(), email.to_owned());
    let guess = Guess::Letter { kind, email, network: throttle::network(origin) };
    match guesses::ask(auth, &guess).await? {
        Verdict::Go => Ok(true),
        Verdict::Silent => Ok(false),
        Verdict::Wait(retry_after_seconds) => Err(Error::TooManyAttempts { retry_after_seconds }),
    }
}
