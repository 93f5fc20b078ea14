//! How every mutation runs: one transaction, the idempotency claim first, user errors apart from faults.

use std::sync::Arc;

use async_graphql::{Context, Error};
use futures_util::future::BoxFuture;
use kernel::idempotency::{Claim, Claimed, claim_in, record_in};
use kernel::{Denied, DomainError, Fault, Scope, Tx};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{bad_argument, from_domain, idempotency};
use super::request::InRequest;

/// A refusal that the user can mend, as it is told and as it is kept for replays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub code: String,
    pub field: Option<String>,
    pub message: String,
}

/// What a mutation did.
#[derive(Clone, Debug)]
pub(crate) struct Done<T> {
    /// What it made or changed; `None` when it was refused.
    pub result: Option<T>,
    /// Why it was refused.
    pub refusals: Vec<Refusal>,
    /// Whether this answers from an earlier request with the same idempotency key.
    pub replayed: bool,
}

impl<T> Done<T> {
    /// After a version conflict, shows the thing as it is now.
    pub(crate) fn or_current(mut self, thing: T) -> Self {
        if self.refusals.iter().any(|refusal| refusal.code == "CONFLICT") {
            self.result = Some(thing);
        }
        self
    }
}

#[derive(Serialize, Deserialize)]
struct Outcome<T> {
    result: Option<T>,
    refusals: Vec<Refusal>,
}

/// Runs a mutation of the signed-in actor. `work` may run more than once (deadlocks are retried), so it clones
/// what it needs. `T` is what is kept for replays: ids, never contents or secrets.
pub(crate) async fn mutate<T, E, F>(ctx: &Context<'_>, work: F) -> Result<Done<T>, Error>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    E: DomainError,
    F: for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
{
    let session = ctx.session()?;
    let scope = session.scope()?;
    let claim = claim(ctx, session.idempotency_key())?;
    let done = run(scope, claim, work).await;
    session.renew().await;
    match done {
        Ok(done) => Ok(done),
        Err(Stop::Domain(error)) => Err(from_domain(error)),
        Err(Stop::OtherInput) => Err(idempotency(
            "IDEMPOTENCY_KEY_REUSED",
            "this Idempotency-Key was used for another input: use a new key for a new request",
        )),
        Err(Stop::Busy) => Err(idempotency(
            "IDEMPOTENCY_KEY_BUSY",
            "a request with this Idempotency-Key is still at work: try again in a moment",
        )),
    }
}

/// Why a mutation has nothing to tell in its payload.
#[derive(Debug, thiserror::Error)]
enum Stop<E: DomainError> {
    #[error(transparent)]
    Domain(E),
    #[error("idempotency key reused")]
    OtherInput,
    #[error("idempotency key busy")]
    Busy,
}

impl<E: DomainError> From<Fault> for Stop<E> {
    fn from(fault: Fault) -> Self {
        Self::Domain(fault.into())
    }
}

impl<E: DomainError> From<Denied> for Stop<E> {
    fn from(denied: Denied) -> Self {
        Self::Domain(denied.into())
    }
}

impl<E: DomainError> DomainError for Stop<E> {
    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Domain(error) => error.fault(),
            _ => None,
        }
    }
    fn denied(&self) -> Option<Denied> {
        match self {
            Self::Domain(error) => error.denied(),
            _ => None,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::Domain(error) => error.code(),
            Self::OtherInput => "IDEMPOTENCY_KEY_REUSED",
            Self::Busy => "IDEMPOTENCY_KEY_BUSY",
        }
    }
    fn field(&self) -> Option<String> {
        match self {
            Self::Domain(error) => error.field(),
            _ => None,
        }
    }
}

async fn run<T, E, F>(scope: &Scope, claim: Option<Claim>, work: F) -> Result<Done<T>, Stop<E>>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    E: DomainError,
    F: for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
{
    let Some(claim) = claim else {
        return match scope.write(|tx| work(tx)).await {
            Ok(result) => Ok(Done { result: Some(result), refusals: Vec::new(), replayed: false }),
            Err(error) => Ok(Done { result: None, refusals: vec![refusal(error)?], replayed: false }),
        };
    };
    let work = Arc::new(work);
    scope.write(move |tx| Box::pin(claimed(tx, claim.clone(), work.clone()))).await
}

async fn claimed<T, E, F>(tx: &Tx, claim: Claim, work: Arc<F>) -> Result<Done<T>, Stop<E>>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    E: DomainError,
    F: for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
{
    let corrupt = |error: serde_json::Error| Fault::Corrupt(format!("kept outcome: {error}"));
    match claim_in(tx, &claim).await? {
        Claimed::OtherInput => return Err(Stop::OtherInput),
        Claimed::Busy => return Err(Stop::Busy),
        Claimed::Replay(kept) => {
            let Outcome { result, refusals } = serde_json::from_value(kept).map_err(corrupt)?;
            return Ok(Done { result, refusals, replayed: true });
        }
        Claimed::Fresh => {}
    }
    let outcome = match tx.savepoint(work(tx)).await {
        Ok(result) => Outcome { result: Some(result), refusals: Vec::new() },
        Err(error) => Outcome { result: None, refusals: vec![refusal(error)?] },
    };
    record_in(tx, &claim, &serde_json::to_value(&outcome).map_err(corrupt)?).await?;
    Ok(Done { result: outcome.result, refusals: outcome.refusals, replayed: false })
}

/// A refusal to tell in the payload; faults and denials go to the top.
fn refusal<E: DomainError>(error: E) -> Result<Refusal, Stop<E>> {
    if error.fault().is_some() || error.denied().is_some() {
        return Err(Stop::Domain(error));
    }
    Ok(Refusal { code: error.code().to_owned(), field: error.field(), message: error.to_string() })
}

fn claim(ctx: &Context<'_>, key: Option<&str>) -> Result<Option<Claim>, Error> {
    let Some(key) = key else { return Ok(None) };
    if key.is_empty() || key.len() > 255 || !key.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Err(bad_argument(
            "Idempotency-Key",
            "an Idempotency-Key has 1 to 255 printable ASCII characters",
        ));
    }
    let path = ctx.path_node.map(|node| node.to_string()).unwrap_or_default();
    let mut input = serde_json::Map::new();
    for (name, value) in ctx.field().arguments()? {
        let value = value.into_json().map_err(|e| bad_argument(&name, e.to_string()))?;
        input.insert(name.to_string(), value);
    }
    // The same input hashes alike however the client wrote it.
    let input = kernel::canonical::sorted(input.into()).to_string();
    Ok(Some(Claim::new(key.to_owned(), path, ctx.item.node.name.node.as_str(), &input)))
}

/// The refusals of one domain, typed: `error_codes!(InvoicingErrorCode, InvoicingUserError, invoicing::Error, "…", {
/// /// Doc. NotFound = "NOT_FOUND", … })`. A test holds the list against the domain's `CODES`.
macro_rules! error_codes {
    ($code:ident, $error:ident, $codes:expr, $meaning:literal, { $($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+ }) => {
        #[doc = concat!("Why ", $meaning, " refused.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
        pub(crate) enum $code {
            $($(#[doc = $doc])+ $variant,)+
            /// A reason that this enum does not know yet: read the message.
            Other,
        }

        #[doc = concat!("A refusal of ", $meaning, " that the user can mend. Nothing was changed.")]
        #[derive(Clone, Debug, async_graphql::SimpleObject)]
        pub(crate) struct $error {
            /// Why, for programs.
            code: $code,
            /// The input field to mend, as a path such as `lines.2.quantity`.
            field: Option<String>,
            /// Why, and the fix, for people.
            message: String,
        }

        impl From<&$crate::graphql::mutation::Refusal> for $error {
            fn from(refusal: &$crate::graphql::mutation::Refusal) -> Self {
                let code = match refusal.code.as_str() { $($name => $code::$variant,)+ _ => $code::Other };
                Self { code, field: refusal.field.clone(), message: refusal.message.clone() }
            }
        }

        #[cfg(test)]
        #[test]
        fn every_code_of_the_domain_is_public() {
            let public = [$($name,)+];
            for code in $codes {
                assert!(public.contains(code), "{code} is missing in {}", stringify!($code));
            }
        }
    };
}
pub(crate) use error_codes;

/// The payload of a mutation on one thing: `payload!(IssueInvoicePayload, invoice: Invoice, InvoicingUserError,
/// "The issued invoice.")`. `Invoice::load(ctx, id)` reads it in a snapshot after the commit.
macro_rules! payload {
    ($name:ident, $field:ident: $thing:ty, $error:ty, $doc:literal) => {
        /// What the mutation did.
        pub(crate) struct $name(pub(crate) $crate::graphql::mutation::Done<uuid::Uuid>);

        /// What the mutation did, or why it was refused.
        #[async_graphql::Object]
        impl $name {
            #[doc = $doc]
            #[doc = " After a `CONFLICT`: as it is now. Null when refused otherwise."]
            async fn $field(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> async_graphql::Result<Option<$thing>> {
                match self.0.result {
                    Some(id) => <$thing>::load(ctx, id).await,
                    None => Ok(None),
                }
            }

            /// Why it was refused; empty when it was done.
            #[graphql(directive = $crate::graphql::cost::about::apply(3))]
            async fn user_errors(&self) -> Vec<$error> {
                self.0.refusals.iter().map(<$error>::from).collect()
            }

            /// Whether this answers from an earlier request with the same idempotency key.
            async fn replayed(&self) -> bool {
                self.0.replayed
            }
        }
    };
}
pub(crate) use payload;
