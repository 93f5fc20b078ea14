//! What stands between a request and its execution, once for the process.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Value;
use gateway::budget::lanes::{self, Lanes};
use gateway::budget::{self, Bucket, Budget, Count, Key};
use gateway::document::{CostModel, Limits, Parsed};
use gateway::document_cache::{self, DocumentCache};
use identity::Principal;

use super::Failure;
use crate::graphql::ApiSchema;
use crate::settings::{Introspection, Settings};

/// How many seconds of a company's budget may be spent at once.
const BURST_SECONDS: u32 = 10;
/// The span in which strangers are counted, in seconds.
const MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
/// What parsed documents may take in memory, roughly.
const PARSED_BYTES: u64 = 64 * 1024 * 1024;
/// Memory of a parsed document for each token of its text, roughly.
const TOKEN_BYTES: u64 = 100;
/// How long a request waits for its turn when all connections are busy.
const TURN: Duration = Duration::from_secs(3);
/// Requests of one company that may wait for their turn.
const QUEUE: usize = 256;

/// The gates. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gates {
    pub(super) model: Arc<CostModel>,
    pub(super) limits: Arc<Limits>,
    pub(super) parsed: moka::sync::Cache<String, Arc<Parsed>>,
    pub(super) budget: Budget,
    pub(super) lanes: Lanes,
    /// Texts that clients have sent once and name by hash since (automatic persisted queries).
    pub(super) sent: DocumentCache,
    pub(super) introspection: Introspection,
    /// Cost units that a company may spend a second; `None` without a limit.
    rate: Option<NonZeroU32>,
    pub(super) strangers: Option<Count>,
}

impl Gates {
    /// Builds the gates. A Redis that is away is no error.
    pub(crate) fn build(settings: &Settings, schema: &ApiSchema) -> Result<Self, Failure> {
        let (budgets, documents) = (budget::Options::default(), document_cache::Options::default());
        let named = |namespace: &str| namespace.to_owned();
        let budgets = budget::Options { namespace: named("coulisse:budget"), ..budgets };
        let documents = document_cache::Options { namespace: named("coulisse:documents"), ..documents };
        let (budget, sent) = match &settings.redis_url {
            Some(url) => (Budget::over_redis(url, &budgets)?, DocumentCache::over_redis(url, documents)?),
            None => (Budget::local(&budgets), DocumentCache::local(documents)),
        };
        let weigh = |text: &String, parsed: &Arc<Parsed>| {
            u32::try_from(text.len() as u64 + parsed.tokens() * TOKEN_BYTES).unwrap_or(u32::MAX)
        };
        let at_once = usize::try_from(settings.database_connections).ok().and_then(NonZeroUsize::new);
        let at_once = at_once.unwrap_or(NonZeroUsize::MIN);
        let strangers = NonZeroU32::new(settings.anonymous_per_minute).map(|most| Count {
            name: "anonymous",
            most,
            per_seconds: MINUTE,
        });
        Ok(Self {
            model: Arc::new(CostModel::from_sdl(&schema.sdl())?),
            limits: Arc::default(),
            parsed: moka::sync::Cache::builder().weigher(weigh).max_capacity(PARSED_BYTES).build(),
            budget,
            lanes: Lanes::new(lanes::Limits { at_once, queue: QUEUE, wait: TURN }),
            sent,
            introspection: settings.introspection,
            rate: NonZeroU32::new(settings.budget_per_second),
            strangers,
        })
    }

    /// The buckets of a signed-in client: its own, which is half of its company's, and its company's.
    pub(super) fn buckets(&self, principal: &Principal) -> Vec<Bucket> {
        let Some(rate) = self.rate else { return Vec::new() };
        let company = principal.company.id;
        let client = principal.actor.stored();
        let half = NonZeroU32::new(rate.get() / 2).unwrap_or(NonZeroU32::MIN);
        let bucket = |key, drain_per_second: NonZeroU32| Bucket {
            key,
            capacity: drain_per_second.get().saturating_mul(BURST_SECONDS),
            drain_per_second,
        };
        vec![
            bucket(Key::client("client", company, &client), half),
            bucket(Key::company("company", company), rate),
        ]
    }
}

/// What a request costs, as its answer says.
pub(super) fn costs(requested: u64, actual: u64) -> Value {
    Value::Object([("requested", requested), ("actual", actual)].into_iter().map(entry).collect())
}

fn entry((name, number): (&str, u64)) -> (async_graphql::Name, Value) {
    (async_graphql::Name::new(name), Value::from(number))
}
