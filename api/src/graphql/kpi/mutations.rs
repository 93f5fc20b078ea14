//! What can be changed of figures: what they measure, what the company calls them and what it aims at.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object};
use kernel::{Kind, Permission};
use kpi::definition::SpecDraft;
use kpi::definition::service::{self, KpiEdit, NewKpi, Rename};
use kpi::{Direction, Goal};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::detail::Kpi;
use super::errors::KpiUserError;
use super::figure::KpiDirection;
use super::spec::KpiSpecInput;
use crate::graphql::cost::about;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::Needs;
use crate::graphql::ids::{parse, parse_optional, public};
use crate::graphql::mutation::{Done, mutate, payload};

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

/// The values between which a KPI is good, both of them included, in its unit.
#[derive(Clone, Copy, InputObject)]
struct KpiBandInput {
    /// The least good value.
    low: Decimal,
    /// The greatest good value.
    high: Decimal,
}

/// A KPI to make.
#[derive(Clone, InputObject)]
struct CreateKpiInput {
    /// Its stable name: 1 to 60 of `a` to `z`, digits and `_`, a letter first.
    key: String,
    /// The French name, 1 to 100 characters.
    label_fr: String,
    /// The English name, 1 to 100 characters.
    label_en: String,
    /// What exactly it measures, in French; at most 1000 characters.
    #[graphql(default)]
    description_fr: String,
    /// What exactly it measures, in English; at most 1000 characters.
    #[graphql(default)]
    description_en: String,
    /// What it measures.
    spec: KpiSpecInput,
    /// Which way is better.
    direction: KpiDirection,
    /// With `BAND`: the band.
    band: Option<KpiBandInput>,
    /// What to aim at, in the KPI's unit; not with `BAND`.
    target: Option<Decimal>,
    /// A value that is worse than this is a warning; of a band, one that lies farther outside of it than this.
    warning: Option<Decimal>,
    /// A value that is worse than this is critical; of a band, one that lies farther outside of it than this.
    critical: Option<Decimal>,
    /// How much better than a threshold a value must be for an alert to end.
    hysteresis: Option<Decimal>,
    /// The member who answers for it.
    owner_id: Option<ID>,
}

/// What is to change of a KPI beside what it measures; what is left out stays.
#[derive(Clone, InputObject)]
struct UpdateKpiInput {
    /// The KPI.
    kpi_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The French name, 1 to 100 characters.
    label_fr: Option<String>,
    /// The English name, 1 to 100 characters.
    label_en: Option<String>,
    /// What exactly it measures, in French; at most 1000 characters.
    description_fr: Option<String>,
    /// What exactly it measures, in English; at most 1000 characters.
    description_en: Option<String>,
    /// Which way is better. With `BAND`, give the band, and take a target away.
    direction: Option<KpiDirection>,
    /// The band.
    band: Option<KpiBandInput>,
    /// What to aim at, in the KPI's unit. Null takes it away.
    target: MaybeUndefined<Decimal>,
    /// A value that is worse than this is a warning. Null takes it away.
    warning: MaybeUndefined<Decimal>,
    /// A value that is worse than this is critical. Null takes it away.
    critical: MaybeUndefined<Decimal>,
    /// How much better than a threshold a value must be for an alert to end.
    hysteresis: Option<Decimal>,
    /// The member who answers for it. Null is nobody.
    owner_id: MaybeUndefined<ID>,
}

/// What a KPI is to measure from now on.
#[derive(Clone, InputObject)]
struct RedefineKpiInput {
    /// The KPI, which is not built in.
    kpi_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// What it is to measure, in the unit that it has.
    spec: KpiSpecInput,
}

/// A KPI to archive.
#[derive(InputObject)]
struct ArchiveKpiInput {
    /// The KPI.
    kpi_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A version to take back.
#[derive(InputObject)]
struct WithdrawKpiVersionInput {
    /// The KPI.
    kpi_id: ID,
    /// The version, which is being filled.
    spec_version: i32,
}

/// The direction of an input; `None` where it says nothing of it.
fn direction(given: Option<KpiDirection>, band: Option<KpiBandInput>) -> Result<Option<Direction>, Error> {
    match (given, band) {
        (None, None) => Ok(None),
        (Some(KpiDirection::Up), None) => Ok(Some(Direction::Up)),
        (Some(KpiDirection::Down), None) => Ok(Some(Direction::Down)),
        (Some(KpiDirection::Band) | None, Some(KpiBandInput { low, high })) => {
            Ok(Some(Direction::Band { low, high }))
        }
        (Some(KpiDirection::Band), None) => Err(bad_argument("band", "give the ends of the band")),
        (Some(_), Some(_)) => Err(bad_argument("band", "a band goes with the direction BAND: leave it out")),
    }
}

/// What is given, nothing where null is, and `None` where nothing is said.
#[expect(clippy::option_option, reason = "null takes away, and what is left out stays")]
fn said<T>(given: MaybeUndefined<T>) -> Option<Option<T>> {
    match given {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

payload!(CreateKpiPayload, kpi: Kpi, KpiUserError, "The KPI; without a value while it is being filled from history.");
payload!(UpdateKpiPayload, kpi: Kpi, KpiUserError, "The KPI.");
payload!(RedefineKpiPayload, kpi: Kpi, KpiUserError, "The KPI; as it was while the new version is being filled.");
payload!(WithdrawKpiVersionPayload, kpi: Kpi, KpiUserError, "The KPI.");
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

    /// Makes a KPI of one of the cubes. It is live at once where the cube keeps all that it needs; else it is filled from
    /// history first, in the background: see `pending`.
    #[graphql(guard = "Needs(Permission::KpiManage)")]
    async fn create_kpi(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A KPI to make.")] input: CreateKpiInput,
    ) -> Result<CreateKpiPayload, Error> {
        let goal = Goal {
            direction: direction(Some(input.direction), input.band)?.unwrap_or(Direction::Up),
            target: input.target,
            warning: input.warning,
            critical: input.critical,
            hysteresis: input.hysteresis.unwrap_or_default(),
        };
        let new = NewKpi {
            key: input.key,
            label_fr: input.label_fr,
            label_en: input.label_en,
            description_fr: input.description_fr,
            description_en: input.description_en,
            spec: input.spec.into(),
            goal,
            owner: parse_optional(Kind::Membership, "ownerId", input.owner_id.as_ref())?,
        };
        let done = mutate(ctx, move |tx| Box::pin(service::create(tx, new.clone())));
        Ok(CreateKpiPayload(done.await?))
    }

    /// Changes names, goals and owner of a KPI, at once.
    #[graphql(guard = "Needs(Permission::KpiManage)")]
    async fn update_kpi(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change of a KPI; what is left out stays.")] input: UpdateKpiInput,
    ) -> Result<UpdateKpiPayload, Error> {
        let id = parse(Kind::Kpi, "kpiId", &input.kpi_id)?;
        let owner = match said(input.owner_id) {
            Some(given) => Some(parse_optional(Kind::Membership, "ownerId", given.as_ref())?),
            None => None,
        };
        let edit = KpiEdit {
            label_fr: input.label_fr,
            label_en: input.label_en,
            description_fr: input.description_fr,
            description_en: input.description_en,
            direction: direction(input.direction, input.band)?,
            target: said(input.target),
            warning: said(input.warning),
            critical: said(input.critical),
            hysteresis: input.hysteresis,
            owner,
        };
        let expected = input.expected_version;
        let done = mutate(ctx, move |tx| Box::pin(service::update(tx, id, edit.clone(), expected)));
        Ok(UpdateKpiPayload(done.await?.or_current(id)))
    }

    /// Lets a KPI measure something else. Where the cube keeps all that it needs, at once; else it goes on as it was until the
    /// new version is filled from history, and then switches: see `pending`.
    #[graphql(guard = "Needs(Permission::KpiManage)")]
    async fn redefine_kpi(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What a KPI is to measure from now on.")] input: RedefineKpiInput,
    ) -> Result<RedefineKpiPayload, Error> {
        let id = parse(Kind::Kpi, "kpiId", &input.kpi_id)?;
        let (spec, expected) = (SpecDraft::from(input.spec), input.expected_version);
        let done = mutate(ctx, move |tx| Box::pin(service::redefine(tx, id, spec.clone(), expected)));
        Ok(RedefineKpiPayload(done.await?.or_current(id)))
    }

    /// Takes back a version that is being filled; what the KPI measures now stays.
    #[graphql(guard = "Needs(Permission::KpiManage)")]
    async fn withdraw_kpi_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A version to take back.")] input: WithdrawKpiVersionInput,
    ) -> Result<WithdrawKpiVersionPayload, Error> {
        let id = parse(Kind::Kpi, "kpiId", &input.kpi_id)?;
        let number = input.spec_version;
        let done = mutate(ctx, move |tx| Box::pin(service::withdraw(tx, id, number)));
        Ok(WithdrawKpiVersionPayload(done.await?))
    }

    /// Archives a KPI: it is not shown any more. Its key stays taken.
    #[graphql(guard = "Needs(Permission::KpiManage)")]
    async fn archive_kpi(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A KPI to archive.")] input: ArchiveKpiInput,
    ) -> Result<ArchiveKpiPayload, Error> {
        let id = parse(Kind::Kpi, "kpiId", &input.kpi_id)?;
        let expected = input.expected_version;
        let done = mutate(ctx, move |tx| Box::pin(service::archive(tx, id, expected)));
        Ok(ArchiveKpiPayload(done.await?))
    }
}

/// What archiving a KPI did.
pub(crate) struct ArchiveKpiPayload(Done<Uuid>);

/// What archiving a KPI did, or why it was refused.
#[Object]
impl ArchiveKpiPayload {
    /// The id of the KPI that is archived now. Null when refused.
    async fn archived_kpi_id(&self) -> Option<ID> {
        self.0.result.map(|id| public(Kind::Kpi, id))
    }

    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    async fn user_errors(&self) -> Vec<KpiUserError> {
        self.0.refusals.iter().map(KpiUserError::from).collect()
    }

    /// Whether this answers from an earlier request with the same idempotency key.
    async fn replayed(&self) -> bool {
        self.0.replayed
    }
}
