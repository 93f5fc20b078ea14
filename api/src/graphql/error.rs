//! Top-level errors: what is not in a payload's `userErrors`. Each has a stable `extensions.code`.

use async_graphql::{Error, ErrorExtensions};
use kernel::{Denied, DomainError, Fault};

fn coded(message: impl Into<String>, code: &'static str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// Nobody is signed in.
pub(crate) fn not_signed_in() -> Error {
    coded(identity::NotSignedIn::Token.to_string(), "UNAUTHENTICATED")
}

/// The actor lacks a permission.
pub(crate) fn denied(denied: Denied) -> Error {
    coded(denied.to_string(), "FORBIDDEN")
        .extend_with(|_, extensions| extensions.set("permission", denied.0.as_str()))
}

/// The company demands a second factor, and this session has not shown one.
pub(crate) fn second_factor_due() -> Error {
    coded(
        "this company demands a second factor: enrol one (`beginTotp` or `beginPasskey`), or sign in with it",
        "SECOND_FACTOR_REQUIRED",
    )
}

/// An argument that cannot be.
pub(crate) fn bad_argument(field: &str, message: impl Into<String>) -> Error {
    coded(message, "BAD_USER_INPUT").extend_with(|_, extensions| extensions.set("field", field))
}

/// An idempotency key that cannot be honoured.
pub(crate) fn idempotency(code: &'static str, message: &str) -> Error {
    coded(message, code)
}

/// A fault: logged whole, told masked.
pub(crate) fn faulty(fault: &Fault) -> Error {
    if fault.is_unavailable() {
        tracing::warn!(%fault, "database unavailable");
        return coded("the database is out of reach for a moment: try again", "UNAVAILABLE");
    }
    // PostgreSQL's text and JSON hold no NUL. Where the domain does not look for it, the database does.
    if fault.sqlstate().is_some_and(|code| code == "22021" || code == "22P05") {
        return coded("a text cannot hold the character U+0000: leave it out", "BAD_USER_INPUT");
    }
    tracing::error!(%fault, "fault");
    coded("something went wrong on our side; the request id finds it in our logs", "INTERNAL")
}

/// Any domain's error, outside of a payload.
#[expect(clippy::needless_pass_by_value, reason = "so that it stands in map_err as it is")]
pub(crate) fn from_domain<E: DomainError>(error: E) -> Error {
    if let Some(fault) = error.fault() {
        return faulty(fault);
    }
    if let Some(missing) = error.denied() {
        return denied(missing);
    }
    let told = coded(error.to_string(), error.code());
    match error.field() {
        Some(field) => told.extend_with(|_, extensions| extensions.set("field", field)),
        None => told,
    }
}
