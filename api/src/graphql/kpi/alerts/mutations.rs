//! What is done with alerts.

use async_graphql::{Context, Error, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use kernel::{Kind, Permission};
use kpi::alert::{service, subscription};

use super::alert::{KpiAlert, KpiAlertLevel};
use super::wish::KpiWish;
use crate::graphql::cost::about;
use crate::graphql::guard::Needs;
use crate::graphql::ids::{parse, parse_optional};
use crate::graphql::kpi::errors::KpiUserError;
use crate::graphql::mutation::{Done, mutate, payload};

/// An alert that you have seen.
#[derive(InputObject)]
struct AcknowledgeKpiAlertInput {
    /// The alert.
    kpi_alert_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// An alert to put off.
#[derive(InputObject)]
struct SnoozeKpiAlertInput {
    /// The alert.
    kpi_alert_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// Until when no letter tells of it, at most 90 days ahead. Null, or left out, ends that.
    until: Option<DateTime<Utc>>,
}

/// An alert and who looks after it from now on.
#[derive(InputObject)]
struct AssignKpiAlertInput {
    /// The alert.
    kpi_alert_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The membership of somebody who may read KPIs. Null, or left out, for nobody.
    member_id: Option<ID>,
}

/// What you want to know of alerts.
#[derive(InputObject)]
struct SubscribeToKpiInput {
    /// Of this KPI; of all when left out.
    kpi_id: Option<ID>,
    /// From which level on.
    min_level: KpiAlertLevel,
    /// Whether by letter, to your own address. With `false` you are not written to of this KPI, whatever you said of all.
    #[graphql(default = true)]
    mail: bool,
}

/// What you no longer say of alerts.
#[derive(InputObject)]
struct UnsubscribeFromKpiInput {
    /// Of this KPI; of all when left out.
    kpi_id: Option<ID>,
}

payload!(AcknowledgeKpiAlertPayload, alert: KpiAlert, KpiUserError, "The alert.");
payload!(SnoozeKpiAlertPayload, alert: KpiAlert, KpiUserError, "The alert.");
payload!(AssignKpiAlertPayload, alert: KpiAlert, KpiUserError, "The alert.");
payload!(SubscribeToKpiPayload, subscription: KpiWish, KpiUserError, "What you want to know.");

/// What the mutation did.
struct UnsubscribeFromKpiPayload(Done<bool>);

/// What the mutation did, or why it was refused.
#[Object]
impl UnsubscribeFromKpiPayload {
    /// Whether there was anything to take back. Null when refused.
    fn unsubscribed(&self) -> Option<bool> {
        self.0.result
    }

    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    fn user_errors(&self) -> Vec<KpiUserError> {
        self.0.refusals.iter().map(KpiUserError::from).collect()
    }

    /// Whether this answers from an earlier request with the same idempotency key.
    fn replayed(&self) -> bool {
        self.0.replayed
    }
}

/// The alerts' part of the mutation root.
#[derive(Default)]
pub(crate) struct KpiAlertMutation;

#[Object]
impl KpiAlertMutation {
    /// Says that you have seen an alert, so that others know. It is said once.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn acknowledge_kpi_alert(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An alert that you have seen.")] input: AcknowledgeKpiAlertInput,
    ) -> Result<AcknowledgeKpiAlertPayload, Error> {
        let (id, expected) =
            (parse(Kind::KpiAlert, "kpiAlertId", &input.kpi_alert_id)?, input.expected_version);
        let done = mutate(ctx, move |tx| Box::pin(service::acknowledge(tx, id, expected)));
        Ok(AcknowledgeKpiAlertPayload(done.await?.or_current(id)))
    }

    /// Puts an alert off: until then no letter tells of it, to anybody.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn snooze_kpi_alert(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An alert to put off.")] input: SnoozeKpiAlertInput,
    ) -> Result<SnoozeKpiAlertPayload, Error> {
        let (id, expected) =
            (parse(Kind::KpiAlert, "kpiAlertId", &input.kpi_alert_id)?, input.expected_version);
        let until = input.until;
        let done = mutate(ctx, move |tx| Box::pin(service::snooze(tx, id, until, expected)));
        Ok(SnoozeKpiAlertPayload(done.await?.or_current(id)))
    }

    /// Gives an alert to a member to look after, or to nobody.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn assign_kpi_alert(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An alert and who looks after it from now on.")] input: AssignKpiAlertInput,
    ) -> Result<AssignKpiAlertPayload, Error> {
        let (id, expected) =
            (parse(Kind::KpiAlert, "kpiAlertId", &input.kpi_alert_id)?, input.expected_version);
        let member = parse_optional(Kind::Membership, "memberId", input.member_id.as_ref())?;
        let done = mutate(ctx, move |tx| Box::pin(service::assign(tx, id, member, expected)));
        Ok(AssignKpiAlertPayload(done.await?.or_current(id)))
    }

    /// Has letters sent to you when a KPI passes a threshold, or says that none should be. It replaces what you said
    /// before of the same KPI, or of all.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn subscribe_to_kpi(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you want to know of alerts.")] input: SubscribeToKpiInput,
    ) -> Result<SubscribeToKpiPayload, Error> {
        let kpi = parse_optional(Kind::Kpi, "kpiId", input.kpi_id.as_ref())?;
        let (from, mail) = (input.min_level.into(), input.mail);
        let done = mutate(ctx, move |tx| Box::pin(subscription::subscribe(tx, kpi, from, mail)));
        Ok(SubscribeToKpiPayload(done.await?))
    }

    /// Takes back what you said of a KPI, or of all.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn unsubscribe_from_kpi(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you no longer say of alerts.")] input: UnsubscribeFromKpiInput,
    ) -> Result<UnsubscribeFromKpiPayload, Error> {
        let kpi = parse_optional(Kind::Kpi, "kpiId", input.kpi_id.as_ref())?;
        let done = mutate(ctx, move |tx| Box::pin(subscription::unsubscribe(tx, kpi)));
        Ok(UnsubscribeFromKpiPayload(done.await?))
    }
}
