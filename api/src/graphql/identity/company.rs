//! A company in the graph.

use async_graphql::{Context, Enum, Error, ID, Object};
use chrono::{DateTime, Utc};
use entity::identity::company::Model;
use kernel::{Kind, Permission};

use super::twin::CompanyTwin;
use crate::graphql::activity::{Activity, feed};
use crate::graphql::connection::Connection;
use crate::graphql::cost::{costs, newest};
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::request::InRequest;

/// Whether a company's rows are real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum CompanyMode {
    /// Real business.
    Live,
    /// A test twin: it never mails, charges or transfers.
    Test,
}

/// The chart of accounts a company started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ChartOfAccounts {
    /// The French plan comptable général.
    FrPcg,
    /// A small international chart.
    Generic,
}

impl ChartOfAccounts {
    /// The stored name.
    pub(crate) const fn stored(self) -> &'static str {
        match self {
            Self::FrPcg => "fr_pcg",
            Self::Generic => "generic",
        }
    }
}

/// A company: the tenant of everything that is read and written here.
pub(crate) struct Company(Model);

impl Company {
    /// The company of the request.
    pub(crate) async fn load(ctx: &Context<'_>) -> Result<Self, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(Self(identity::company::service::get(&tx).await.told()?))
    }
}

/// A company: the tenant of everything that is read and written here.
#[Object]
impl Company {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Company, self.0.id)
    }

    /// Whether it is live or a test twin.
    fn mode(&self) -> CompanyMode {
        if self.0.mode == "live" { CompanyMode::Live } else { CompanyMode::Test }
    }

    /// Its test twin, or in a twin the live company; null for a company that has none.
    fn twin(&self) -> Option<CompanyTwin> {
        self.0.twin_id.map(CompanyTwin)
    }

    /// Its legal name.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Its legal form, e.g. SAS.
    fn legal_form(&self) -> &str {
        &self.0.legal_form
    }

    /// The SIREN (France).
    fn siren(&self) -> Option<&str> {
        self.0.siren.as_deref()
    }

    /// Its country, ISO 3166-1 alpha-2.
    fn country(&self) -> &str {
        &self.0.country
    }

    /// The currency of its books, ISO 4217. It never changes.
    fn currency(&self) -> &str {
        &self.0.currency
    }

    /// The IANA time zone of its calendar days.
    fn time_zone(&self) -> &str {
        &self.0.zone
    }

    /// Its language, `fr` or `en`.
    fn locale(&self) -> &str {
        &self.0.locale
    }

    /// The month in which its fiscal years begin, 1 to 12.
    fn fiscal_year_start_month(&self) -> i16 {
        self.0.fiscal_year_month
    }

    /// The chart of accounts it started with.
    fn chart(&self) -> ChartOfAccounts {
        if self.0.chart == "fr_pcg" { ChartOfAccounts::FrPcg } else { ChartOfAccounts::Generic }
    }

    /// Whether a bill must be approved by somebody else than who entered it.
    fn four_eyes(&self) -> bool {
        self.0.four_eyes
    }

    /// Whether clients may only send trusted documents, by their hash. Who may register them may send any text.
    fn documents_only(&self) -> bool {
        self.0.documents_only
    }

    /// Since when every member needs a second factor; null when none is demanded.
    fn second_factor_from(&self) -> Option<DateTime<Utc>> {
        self.0.second_factor_from
    }

    /// Whether a change of rights needs the approval of another owner than who asks for it.
    fn rights_need_approval(&self) -> bool {
        self.0.rights_four_eyes
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// When it signed up.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The company's audit trail: who changed what and from where, newest first.
    #[graphql(
        guard = "Needs(Permission::AuditRead)",
        directive = newest::apply(), directive = costs::apply(5)
    )]
    async fn audit_trail(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: i32,
        #[graphql(desc = "Those before this one.")] after: Option<String>,
    ) -> Result<Connection<Activity>, Error> {
        feed(ctx, None, first, after).await
    }
}
