//! Running an admitted operation: in its turn, within its time, and settled afterwards.

use std::time::Instant;

use async_graphql::{Name, Response as Answer, ServerError, Value};
use axum::http::{HeaderMap, StatusCode};
use gateway::budget::headers;
use gateway::document::actual_cost;
use gateway::http::Outcome;
use uuid::Uuid;

use super::admission::{Denied, Ready};
use super::gates::costs;
use super::{DEADLINE, Edge, code};
use crate::graphql::request::Session;

/// Most errors of an answer to a document that is not valid: a small one can have thousands.
const MOST_ERRORS: usize = 20;

/// What came of it.
pub(super) struct Done {
    pub answer: Answer,
    pub outcome: Outcome,
    pub headers: HeaderMap,
}

impl From<Denied> for Done {
    fn from(denied: Denied) -> Self {
        let Denied { error, outcome, headers } = denied;
        Self { answer: Answer::from_errors(vec![error]), outcome, headers }
    }
}

/// Runs a query or a mutation.
pub(super) async fn run(edge: &Edge, ready: Ready, session: &Session) -> Done {
    let Ready { request, parsed, admitted, receipt, standing, keep } = ready;
    let company = session.principal().map_or(Uuid::nil(), |principal| principal.company.id);
    let pass = match edge.gates.lanes.enter(company).await {
        Ok(pass) => pass,
        Err(crowded) => {
            let budget = edge.gates.budget.clone();
            tokio::spawn(async move {
                if let Some(receipt) = receipt {
                    budget.settle(receipt, 0).await;
                }
            });
            let status = Outcome::Denied(StatusCode::SERVICE_UNAVAILABLE);
            let mut denied = Denied::new(status, crowded.code(), crowded.to_string());
            headers::tell_retry_after(&mut denied.headers, crowded.retry_after());
            return denied.into();
        }
    };
    let began = Instant::now();
    let executed = tokio::time::timeout(DEADLINE, edge.schema.execute(request.data(session.clone()))).await;
    let mut headers = HeaderMap::new();
    let (mut answer, outcome) = match executed {
        // PostgreSQL ends a statement after the same time: when its word comes first, the request had its time as well.
        Ok(answer) if is_unavailable(&answer) && began.elapsed() >= DEADLINE => late(),
        Err(_) => late(),
        Ok(answer) if is_unavailable(&answer) => {
            headers::tell_retry_after(&mut headers, std::time::Duration::from_secs(1));
            (answer, Outcome::Denied(StatusCode::SERVICE_UNAVAILABLE))
        }
        Ok(mut answer) => {
            let outcome = Outcome::of(&answer);
            if outcome == Outcome::Invalid {
                answer.errors.truncate(MOST_ERRORS);
            }
            (answer, outcome)
        }
    };
    let actual = match outcome {
        Outcome::Executed => actual_cost(&edge.gates.model, &parsed, &admitted, &answer.data),
        // What was given up has been worked on; what was refused has not.
        Outcome::Denied(StatusCode::GATEWAY_TIMEOUT) => admitted.cost,
        _ => 0,
    };
    answer = answer.extension("cost", costs(admitted.cost, actual));
    if let Some((policies, mut standing)) = standing {
        let refund = u32::try_from(admitted.cost.saturating_sub(actual)).unwrap_or(u32::MAX);
        if receipt.is_some() {
            standing.remaining = standing.remaining.saturating_add(refund).min(standing.limit);
        }
        headers::tell(&mut headers, &policies, &standing);
        answer = answer.extension("rateLimit", rate_limit(&standing));
    }
    let (gates, session) = (edge.gates.clone(), session.clone());
    let keep = keep.filter(|_| outcome == Outcome::Executed);
    // The snapshot and the refund are given back after the answer is on its way.
    tokio::spawn(async move {
        session.renew().await;
        drop(pass);
        if let Some(receipt) = receipt {
            gates.budget.settle(receipt, actual).await;
        }
        if let Some((owner, document)) = keep {
            gates.sent.keep(owner, &document).await;
        }
    });
    Done { answer, outcome, headers }
}

fn is_unavailable(answer: &Answer) -> bool {
    answer.errors.iter().any(|error| code(error) == Some("UNAVAILABLE"))
}

/// The answer to a request that was given up.
fn late() -> (Answer, Outcome) {
    let late = "the request took longer than 5 s and was given up: ask for less at once";
    let denied = Denied::new(Outcome::Denied(StatusCode::GATEWAY_TIMEOUT), "TIMEOUT", late);
    (Answer::from_errors(vec![denied.error]), denied.outcome)
}

/// How the tightest limit stands, for clients that do not see headers.
fn rate_limit(standing: &gateway::budget::Standing) -> Value {
    let number = |name: &str, number: u64| (Name::new(name), Value::from(number));
    Value::Object(
        [
            (Name::new("policy"), Value::from(standing.name)),
            number("limit", standing.limit.into()),
            number("remaining", standing.remaining.into()),
            number("resetSeconds", headers::seconds(standing.reset)),
        ]
        .into_iter()
        .collect(),
    )
}

/// Gives every error a code and the request's id.
pub(super) fn mark(errors: &mut [ServerError], request_id: &str) {
    for error in errors {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", "GRAPHQL_VALIDATION_FAILED");
        }
        extensions.set("requestId", request_id);
    }
}
