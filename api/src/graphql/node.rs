//! `node(id:)`: any thing by its public id.

use async_graphql::{Context, Error, ID, Interface};
use kernel::{Kind, id};

use super::documents::file::File;
use super::error::bad_argument;
use super::identity::api_key::ApiKey;
use super::identity::approval::AccessRequest;
use super::identity::company::Company;
use super::identity::invitation::Invitation;
use super::identity::member::Member;
use super::identity::oauth::{Application, Grant};
use super::identity::role::Role;
use super::identity::sso::{CompanyDomain, SsoProvider};
use super::identity::trusted_document::TrustedDocument;
use super::invoicing::bill::Bill;
use super::invoicing::invoice::Invoice;
use super::invoicing::item::Item;
use super::invoicing::party::Party;
use super::invoicing::payment::Payment;
use super::invoicing::payment_allocation::Allocation;
use super::invoicing::tax_code::TaxCode;
use super::kpi::alerts::alert::KpiAlert;
use super::kpi::dashboards::dashboard::{Dashboard, EmbedLink};
use super::kpi::detail::Kpi;
use super::ledger::account::Account;
use super::ledger::entry::JournalEntry;
use super::ledger::journal::Journal;
use super::ledger::matching::Matching;
use super::ledger::posting::Posting;
use super::ledger::rate::ExchangeRate;
use super::ledger::year::{FiscalYear, Period};
use super::request::InRequest;

/// A thing with a public id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The public id: a TypeID, which tells what it names."))]
pub(crate) enum Node {
    Company(Company),
    Member(Member),
    Role(Role),
    AccessRequest(AccessRequest),
    Invitation(Invitation),
    ApiKey(ApiKey),
    Application(Application),
    Grant(Grant),
    SsoProvider(SsoProvider),
    CompanyDomain(CompanyDomain),
    TrustedDocument(TrustedDocument),
    Account(Account),
    Journal(Journal),
    FiscalYear(FiscalYear),
    Period(Period),
    JournalEntry(JournalEntry),
    Posting(Posting),
    Matching(Matching),
    ExchangeRate(ExchangeRate),
    Party(Party),
    Item(Item),
    TaxCode(TaxCode),
    Invoice(Invoice),
    Bill(Bill),
    Payment(Payment),
    Allocation(Allocation),
    File(File),
    Kpi(Kpi),
    KpiAlert(KpiAlert),
    Dashboard(Dashboard),
    EmbedLink(EmbedLink),
}

/// The thing of a public id; `None` for an unknown one and for another company's.
pub(crate) async fn node(ctx: &Context<'_>, given: &ID) -> Result<Option<Node>, Error> {
    let (kind, id) = id::decode_any(given).map_err(|error| bad_argument("id", error.to_string()))?;
    Ok(match kind {
        Kind::Company => {
            let own = ctx.session()?.scope()?.company().id == id;
            if own { Some(Node::Company(Company::load(ctx).await?)) } else { None }
        }
        Kind::Membership => Member::load(ctx, id).await?.map(Node::Member),
        Kind::Invitation => Invitation::load(ctx, id).await?.map(Node::Invitation),
        Kind::Role => Role::load(ctx, id).await?.map(Node::Role),
        Kind::AccessRequest => AccessRequest::load(ctx, id).await?.map(Node::AccessRequest),
        Kind::ApiKey => ApiKey::load(ctx, id).await?.map(Node::ApiKey),
        Kind::Application => Application::load(ctx, id).await?.map(Node::Application),
        Kind::Grant => Grant::load(ctx, id).await?.map(Node::Grant),
        Kind::SsoProvider => SsoProvider::load(ctx, id).await?.map(Node::SsoProvider),
        Kind::CompanyDomain => CompanyDomain::load(ctx, id).await?.map(Node::CompanyDomain),
        Kind::TrustedDocument => TrustedDocument::load(ctx, id).await?.map(Node::TrustedDocument),
        Kind::Account => Account::load(ctx, id).await?.map(Node::Account),
        Kind::Journal => Journal::load(ctx, id).await?.map(Node::Journal),
        Kind::FiscalYear => FiscalYear::load(ctx, id).await?.map(Node::FiscalYear),
        Kind::Period => Period::load(ctx, id).await?.map(Node::Period),
        Kind::JournalEntry => JournalEntry::load(ctx, id).await?.map(Node::JournalEntry),
        Kind::Posting => Posting::load(ctx, id).await?.map(Node::Posting),
        Kind::Matching => Matching::load(ctx, id).await?.map(Node::Matching),
        Kind::ExchangeRate => ExchangeRate::load(ctx, id).await?.map(Node::ExchangeRate),
        Kind::Party => Party::load(ctx, id).await?.map(Node::Party),
        Kind::Item => Item::load(ctx, id).await?.map(Node::Item),
        Kind::TaxCode => TaxCode::load(ctx, id).await?.map(Node::TaxCode),
        Kind::Invoice => Invoice::load_ahead(ctx, id).await?.map(Node::Invoice),
        Kind::Bill => Bill::load(ctx, id).await?.map(Node::Bill),
        Kind::Payment => Payment::load(ctx, id).await?.map(Node::Payment),
        Kind::Allocation => Allocation::load(ctx, id).await?.map(Node::Allocation),
        Kind::File => File::load(ctx, id).await?.map(Node::File),
        Kind::Kpi => Kpi::load(ctx, id).await?.map(Node::Kpi),
        Kind::KpiAlert => KpiAlert::load(ctx, id).await?.map(Node::KpiAlert),
        Kind::Dashboard => Dashboard::load(ctx, id).await?.map(Node::Dashboard),
        Kind::EmbedLink => EmbedLink::load(ctx, id).await?.map(Node::EmbedLink),
        // What lives inside a thing is read with it; people and sessions are nobody's rows here.
        Kind::Person
        | Kind::Session
        | Kind::Passkey
        | Kind::Identity
        | Kind::InvoiceLine
        | Kind::BillLine
        | Kind::Finding
        | Kind::Event => {
            return Err(bad_argument("id", format!("a {} is not a node", kind.prefix().replace('_', " "))));
        }
    })
}
