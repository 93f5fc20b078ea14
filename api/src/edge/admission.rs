//! From what a client asks to an operation that may run: each step is cheaper than what it spares.

use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Pos, Request, ServerError, Variables};
use axum::http::{HeaderMap, StatusCode};
use gateway::budget::headers::{self, Policy};
use gateway::budget::{Charge, Receipt, Refused, Standing, Verdict};
use gateway::document::{Admitted, Parsed};
use gateway::document_cache::{DocumentHash, Owner, Resolved};
use gateway::http::{Outcome, variables};
use gateway::request::Incoming;

use super::gates::Gates;
use crate::graphql::request::Session;
use crate::settings::Introspection;

/// An operation that may run, and what is owed for it.
pub(super) struct Ready {
    pub request: Request,
    pub parsed: Arc<Parsed>,
    pub admitted: Admitted,
    pub receipt: Option<Receipt>,
    /// How the tightest limit stands.
    pub standing: Option<(Vec<Policy>, Standing)>,
    /// A text to keep once the operation has proved good.
    pub keep: Option<(Owner, Resolved)>,
}

/// Why nothing was executed.
#[derive(Debug)]
pub(super) struct Denied {
    pub error: ServerError,
    pub outcome: Outcome,
    pub headers: HeaderMap,
}

impl Denied {
    pub(super) fn new(outcome: Outcome, code: &'static str, message: impl Into<String>) -> Self {
        let mut error = ServerError::new(message, None);
        error.extensions.get_or_insert_default().set("code", code);
        Self { error, outcome, headers: HeaderMap::new() }
    }

    fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Outcome::Invalid, code, message)
    }

    /// What a resolver would say, said before any ran.
    pub(super) fn of(error: async_graphql::Error) -> Self {
        let error = error.into_server_error(Pos::default());
        let status = match super::code(&error) {
            Some("UNAVAILABLE") => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self {
            error: ServerError { locations: Vec::new(), ..error },
            outcome: Outcome::Denied(status),
            headers: HeaderMap::new(),
        }
    }

    fn over_budget(policies: &[Policy], refused: &Refused) -> Self {
        let mut denied =
            Self::new(Outcome::Denied(StatusCode::TOO_MANY_REQUESTS), refused.code(), refused.to_string());
        headers::tell_refusal(&mut denied.headers, policies, refused);
        if let Some(wait) = refused.retry_after() {
            let extensions = denied.error.extensions.get_or_insert_default();
            extensions.set("retryAfterSeconds", headers::seconds(wait));
        }
        denied
    }
}

impl From<gateway::document::Refused> for Denied {
    fn from(refused: gateway::document::Refused) -> Self {
        Self { error: refused.into(), outcome: Outcome::Invalid, headers: HeaderMap::new() }
    }
}

impl Gates {
    /// Decides whether a request may run. `permit` says whether its kind of operation may come this way.
    pub(super) async fn admit(
        &self,
        session: &Session,
        address: Option<IpAddr>,
        mut incoming: Incoming,
        permit: impl FnOnce(OperationType) -> Result<(), Denied>,
    ) -> Result<Ready, Denied> {
        let counted = self.count_stranger(session, address).await?;
        let (parsed, keep) = self.document(session, &mut incoming).await?;
        let name = incoming.operation_name.take();
        let mut given = std::mem::take(&mut incoming.variables);
        let admitted = parsed.admit(name.as_deref(), &given, &self.model, &self.limits)?;
        permit(admitted.operation)?;
        let (_, operation) = parsed.operation(name.as_deref())?;
        self.allow_introspection(session, parsed.document(), &operation.node)?;
        admitted.complete(&mut given);
        if let Some(missing) = variables::missing(&operation.node, &given) {
            let mut denied = Denied::invalid("BAD_USER_INPUT", missing.message.clone());
            denied.error.locations = missing.locations;
            return Err(denied);
        }
        let (receipt, standing) = self.charge(session, admitted.cost).await?;
        let request = request(&parsed, name, given);
        Ok(Ready { request, parsed, admitted, receipt, standing: standing.or(counted), keep })
    }

    /// Requests of who is not signed in are counted by their address.
    async fn count_stranger(
        &self,
        session: &Session,
        address: Option<IpAddr>,
    ) -> Result<Option<(Vec<Policy>, Standing)>, Denied> {
        let (None, Some(address), Some(count)) = (session.principal(), address, &self.strangers) else {
            return Ok(None);
        };
        let policies = vec![Policy::from(count)];
        match self.budget.count(count, address).await {
            Ok(standing) => Ok(Some((policies, standing))),
            Err(refused) => Err(Denied::over_budget(&policies, &refused)),
        }
    }

    /// The document: by its id, by the hash of a text that was sent before, or as it was sent.
    async fn document(
        &self,
        session: &Session,
        incoming: &mut Incoming,
    ) -> Result<(Arc<Parsed>, Option<(Owner, Resolved)>), Denied> {
        let principal = session.principal();
        if let Some(id) = incoming.document_id.take() {
            let text = self.registered(session, DocumentHash::of_document_id(&id)).await?;
            let text = text.ok_or_else(|| {
                Denied::invalid(
                    "DOCUMENT_NOT_FOUND",
                    "no document of this id is registered: `documentId` is `sha256:` and the hash of a registered text",
                )
            })?;
            return Ok((self.parse(&text)?, None));
        }
        let bound = principal.is_some_and(|principal| principal.documents_only);
        let owner = principal.map_or(Owner::Strangers, |principal| Owner::Company(principal.company.id));
        if bound {
            let hash = incoming.query.as_deref().map(DocumentHash::of).or_else(|| named(incoming));
            let text = self.registered(session, hash).await?;
            let text = text.ok_or_else(|| {
                Denied::invalid(
                    "TRUSTED_DOCUMENTS_ONLY",
                    "this company's clients run registered documents only: send `documentId`, or have the text registered",
                )
            })?;
            return Ok((self.parse(&text)?, None));
        }
        let known = self.sent.resolve(owner, incoming.query.as_deref(), &incoming.extensions).await;
        if let Some(resolved) =
            known.map_err(|refused| Denied::invalid(refused.code(), refused.to_string()))?
        {
            let parsed = self.parse(&resolved.text)?;
            return Ok((parsed, resolved.is_new.then_some((owner, resolved))));
        }
        let Some(text) = incoming.query.take() else {
            return Err(Denied::new(
                Outcome::Denied(StatusCode::BAD_REQUEST),
                "BAD_REQUEST",
                "`query` is missing: send a document, or the id of a registered one as `documentId`",
            ));
        };
        Ok((self.parse(&text)?, None))
    }

    /// The text that the company has registered under a hash; nothing without a hash or a company.
    async fn registered(
        &self,
        session: &Session,
        hash: Option<DocumentHash>,
    ) -> Result<Option<Arc<str>>, Denied> {
        let (Some(principal), Some(hash)) = (session.principal(), hash) else { return Ok(None) };
        let found = session.app().auth.trusted_document(principal, hash.as_bytes()).await;
        found.map_err(|fault| Denied::of(crate::graphql::faulty(&fault)))
    }

    fn parse(&self, text: &str) -> Result<Arc<Parsed>, Denied> {
        if let Some(parsed) = self.parsed.get(text) {
            return Ok(parsed);
        }
        let parsed = Arc::new(gateway::document::parse(text, &self.limits)?);
        self.parsed.insert(text.to_owned(), parsed.clone());
        Ok(parsed)
    }

    fn allow_introspection(
        &self,
        session: &Session,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
    ) -> Result<(), Denied> {
        let allowed = match self.introspection {
            Introspection::Everyone => true,
            Introspection::SignedIn => session.principal().is_some(),
            Introspection::Nobody => false,
        };
        if allowed || !introspects(document, &operation.selection_set.node) {
            return Ok(());
        }
        let who = if self.introspection == Introspection::Nobody { "off" } else { "for who is signed in" };
        Err(Denied::invalid(
            "INTROSPECTION_DISABLED",
            format!("introspection is {who} on this server: the schema comes with its documentation"),
        ))
    }

    /// Charges the client and its company.
    async fn charge(
        &self,
        session: &Session,
        cost: u64,
    ) -> Result<(Option<Receipt>, Option<(Vec<Policy>, Standing)>), Denied> {
        let Some(principal) = session.principal() else { return Ok((None, None)) };
        let buckets = self.buckets(principal);
        if buckets.is_empty() {
            return Ok((None, None));
        }
        let policies: Vec<Policy> = buckets.iter().map(Policy::from).collect();
        match self.budget.take(&Charge { buckets: &buckets, cost }).await {
            Verdict::Granted { standing, receipt } => Ok((Some(receipt), Some((policies, standing)))),
            Verdict::Refused(refused) => Err(Denied::over_budget(&policies, &refused)),
        }
    }
}

/// The hash in `extensions.persistedQuery`.
fn named(incoming: &Incoming) -> Option<DocumentHash> {
    DocumentHash::parse(incoming.extensions.get("persistedQuery")?.get("sha256Hash")?.as_str()?)
}

fn request(parsed: &Parsed, name: Option<String>, variables: Variables) -> Request {
    let mut request = Request::new("").variables(variables);
    request.operation_name = name;
    request.set_parsed_query(parsed.document().clone());
    request
}

/// Whether an operation asks for the schema. Fragments have no cycles here, and are few: the limits saw to both.
fn introspects(document: &ExecutableDocument, root: &SelectionSet) -> bool {
    root.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => matches!(field.node.name.node.as_str(), "__schema" | "__type"),
        Selection::InlineFragment(fragment) => introspects(document, &fragment.node.selection_set.node),
        Selection::FragmentSpread(spread) => document
            .fragments
            .get(&spread.node.fragment_name.node)
            .is_some_and(|fragment| introspects(document, &fragment.node.selection_set.node)),
    })
}
