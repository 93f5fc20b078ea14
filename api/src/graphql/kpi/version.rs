//! What a KPI has measured, measures, and will measure.

use std::collections::HashMap;

use async_graphql::{Context, Enum, Error, SimpleObject};
use chrono::{DateTime, Utc};
use kernel::Tx;
use kpi::definition::versions::{Version, VersionState, versions};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::spec::KpiSpec;
use crate::graphql::guard::Told;
use crate::graphql::request::{Batch, InRequest};

/// What becomes of a version of what a KPI measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "VersionState")]
pub(crate) enum KpiVersionState {
    /// It is being filled from history; the KPI goes on as it was.
    Filling,
    /// It is what the KPI measures.
    Live,
    /// It was, or was to be; another came.
    Replaced,
    /// It could not be filled.
    Failed,
    /// Somebody took it back, or archived the KPI.
    Withdrawn,
}

/// A version of what a KPI measures.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiVersion {
    /// Counted from 1.
    spec_version: i32,
    /// What became of it.
    state: KpiVersionState,
    /// How much of it is filled from history, from 0 to 1.
    progress: Decimal,
    /// What it measures.
    spec: KpiSpec,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it became what the KPI measures.
    live_at: Option<DateTime<Utc>>,
    /// When it ceased to be that, or to be filled.
    ended_at: Option<DateTime<Utc>>,
}

impl From<&Version> for KpiVersion {
    fn from(version: &Version) -> Self {
        Self {
            spec_version: version.number,
            state: version.state.into(),
            progress: version.progress,
            spec: KpiSpec::from(&version.spec),
            created_at: version.created_at,
            live_at: version.live_at,
            ended_at: version.ended_at,
        }
    }
}

/// The versions of these KPIs, in one statement.
struct Versions;

impl Batch for Versions {
    type Key = Uuid;
    type Value = Vec<Version>;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<Version>>, Error> {
        let mut by_kpi = HashMap::<Uuid, Vec<Version>>::new();
        for version in versions(tx, keys).await.told()? {
            by_kpi.entry(version.kpi).or_default().push(version);
        }
        Ok(by_kpi)
    }
}

/// The versions of a KPI, newest first.
pub(super) async fn of_kpi(ctx: &Context<'_>, kpi: Uuid) -> Result<Vec<KpiVersion>, Error> {
    let found = ctx.session()?.load::<Versions>(kpi).await?;
    Ok(found.unwrap_or_default().iter().map(KpiVersion::from).collect())
}

/// The newest version, while it is being filled or when it could not be.
pub(super) async fn pending(ctx: &Context<'_>, kpi: Uuid) -> Result<Option<KpiVersion>, Error> {
    let found = ctx.session()?.load::<Versions>(kpi).await?.unwrap_or_default();
    let newest =
        found.first().filter(|newest| matches!(newest.state, VersionState::Filling | VersionState::Failed));
    Ok(newest.map(KpiVersion::from))
}
