//! What can be changed of figures: what the company calls them and what it aims at.

use async_graphql::{Context, Error, ID, InputObject, Object};
use kernel::{Kind, Permission};
use kpi::definition::service::Rename;
use rust_decimal::Decimal;

use super::detail::Kpi;
use super::errors::KpiUserError;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::mutation::{mutate, payload};

/// A target to set.
#[derive(InputObject)]
struct SetKpiTargetInput {
    /// The KPI.
    kpi_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// What to aim at, in the KPI's unit: money of the company's currency, a whole number of things or of milliseconds,
    /// a share from 0 to 1, a score from 1 to 5. Null, or left out, takes the target away.
    target: Option<Decimal>,
}

/// New names of a KPI; what is left out stays.
#[derive(InputObject)]
struct RenameKpiInput {
    /// The KPI.
    kpi_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The French name, 1 to 100 characters.
    label_fr: Option<String>,
    /// The English name, 1 to 100 characters.
    label_en: Option<String>,
}

payload!(SetKpiTargetPayload, kpi: Kpi, KpiUserError, "The KPI.");
payload!(RenameKpiPayload, kpi: Kpi, KpiUserError, "The KPI.");

/// The figures' part of the mutation root.
#[derive(Default)]
pub(crate) struct KpiMutation;

#[Object]
impl KpiMutation {
    /// Sets what the company aims at, or takes the target away.
    #[graphql(guard = "Needs(Permission::KpiManage)")]
    async fn set_kpi_target(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A target to set.")] input: SetKpiTargetInput,
    ) -> Result<SetKpiTargetPayload, Error> {
        let id = parse(Kind::Kpi, "kpiId", &input.kpi_id)?;
        let (target, expected) = (input.target, input.expected_version);
        let done = mutate(ctx, move |tx| Box::pin(kpi::set_target(tx, id, target, expected)));
        Ok(SetKpiTargetPayload(done.await?.or_current(id)))
    }

    /// Gives a KPI other names.
    #[graphql(guard = "Needs(Permission::KpiManage)")]
    async fn rename_kpi(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "New names of a KPI; what is left out stays.")] input: RenameKpiInput,
    ) -> Result<RenameKpiPayload, Error> {
        let id = parse(Kind::Kpi, "kpiId", &input.kpi_id)?;
        let expected = input.expected_version;
        let names = Rename { label_fr: input.label_fr, label_en: input.label_en };
        let done = mutate(ctx, move |tx| Box::pin(kpi::rename(tx, id, names.clone(), expected)));
        Ok(RenameKpiPayload(done.await?.or_current(id)))
    }
}
