//! What is changed of customers and suppliers.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object};
use invoicing::party::{NewParty, PartyEdit, service};
use kernel::{Kind, Permission};

use super::edits::{clearable, settable};
use super::errors::InvoicingUserError;
use super::party::Party;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::mutation::{mutate, payload};

/// A customer or supplier to create. Blank texts count as left out.
#[derive(Clone, Debug, InputObject)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, as in the domain")]
struct CreatePartyInput {
    /// Whether the company sells to it; it is a customer, a supplier, or both.
    #[graphql(default)]
    is_customer: bool,
    /// Whether the company buys from it.
    #[graphql(default)]
    is_supplier: bool,
    /// Its name, 1 to 200 characters.
    name: String,
    /// Its SIREN in France (checked; a SIRET or VAT number says it too), elsewhere the national register's number.
    legal_id: Option<String>,
    /// Its SIRET, of an establishment in France; checked.
    siret: Option<String>,
    /// Its VAT number with the country's prefix; its form is checked, in France its key too.
    vat_id: Option<String>,
    /// Where its mail goes.
    email: Option<String>,
    /// Its telephone number.
    phone: Option<String>,
    /// First line of the address.
    street: Option<String>,
    /// Second line of the address.
    street2: Option<String>,
    /// Postal code.
    postcode: Option<String>,
    /// Town.
    city: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    country: String,
    /// The currency of business with it, ISO 4217; the company's own when left out.
    currency: Option<String>,
    /// Its payment term, 0 to 365 days; 30 when left out.
    payment_days: Option<i16>,
    /// Whether the term then runs to the end of that month (fin de mois).
    #[graphql(default)]
    end_of_month: bool,
    /// Whether this supplier's VAT is deductible when paid and not when billed (TVA sur les encaissements).
    #[graphql(default)]
    vat_on_payment: bool,
    /// Its IBAN; checked, and sealed at rest. Needs `parties.bank`.
    #[graphql(secret)]
    iban: Option<String>,
    /// Its bank, ISO 9362. Needs `parties.bank`.
    bic: Option<String>,
    /// The partner system's own id, unique within the company.
    external_ref: Option<String>,
}

impl From<CreatePartyInput> for NewParty {
    fn from(input: CreatePartyInput) -> Self {
        Self {
            is_customer: input.is_customer,
            is_supplier: input.is_supplier,
            name: input.name,
            legal_id: input.legal_id,
            siret: input.siret,
            vat_id: input.vat_id,
            email: input.email,
            phone: input.phone,
            street: input.street,
            street2: input.street2,
            postcode: input.postcode,
            city: input.city,
            country: input.country,
            currency: input.currency,
            payment_days: input.payment_days,
            end_of_month: input.end_of_month,
            vat_on_payment: input.vat_on_payment,
            iban: input.iban,
            bic: input.bic,
            external_ref: input.external_ref,
        }
    }
}

/// Changes of a party. What is left out stays; null clears what can be empty. Issued documents keep what they show.
#[derive(Clone, Debug, InputObject)]
struct UpdatePartyInput {
    /// The party.
    party_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// Whether the company sells to it.
    is_customer: Option<bool>,
    /// Whether the company buys from it.
    is_supplier: Option<bool>,
    /// Its name.
    name: Option<String>,
    /// Its SIREN in France, elsewhere the national register's number.
    legal_id: MaybeUndefined<String>,
    /// Its SIRET.
    siret: MaybeUndefined<String>,
    /// Its VAT number with the country's prefix.
    vat_id: MaybeUndefined<String>,
    /// Where its mail goes.
    email: MaybeUndefined<String>,
    /// Its telephone number.
    phone: MaybeUndefined<String>,
    /// First line of the address.
    street: MaybeUndefined<String>,
    /// Second line of the address.
    street2: MaybeUndefined<String>,
    /// Postal code.
    postcode: MaybeUndefined<String>,
    /// Town.
    city: MaybeUndefined<String>,
    /// Country, ISO 3166-1 alpha-2.
    country: Option<String>,
    /// The currency of business with it, ISO 4217.
    currency: Option<String>,
    /// Its payment term, in days.
    payment_days: Option<i16>,
    /// Whether the term then runs to the end of that month.
    end_of_month: Option<bool>,
    /// Whether this supplier's VAT is deductible when paid.
    vat_on_payment: Option<bool>,
    /// Its IBAN. Needs `parties.bank`.
    #[graphql(secret)]
    iban: MaybeUndefined<String>,
    /// Its bank. Needs `parties.bank`.
    bic: MaybeUndefined<String>,
    /// The partner system's own id.
    external_ref: MaybeUndefined<String>,
}

impl From<UpdatePartyInput> for PartyEdit {
    fn from(input: UpdatePartyInput) -> Self {
        Self {
            is_customer: settable(input.is_customer),
            is_supplier: settable(input.is_supplier),
            name: settable(input.name),
            legal_id: clearable(input.legal_id),
            siret: clearable(input.siret),
            vat_id: clearable(input.vat_id),
            email: clearable(input.email),
            phone: clearable(input.phone),
            street: clearable(input.street),
            street2: clearable(input.street2),
            postcode: clearable(input.postcode),
            city: clearable(input.city),
            country: settable(input.country),
            currency: settable(input.currency),
            payment_days: settable(input.payment_days),
            end_of_month: settable(input.end_of_month),
            vat_on_payment: settable(input.vat_on_payment),
            iban: clearable(input.iban),
            bic: clearable(input.bic),
            external_ref: clearable(input.external_ref),
        }
    }
}

/// A party to archive, or to take back into use.
#[derive(InputObject)]
struct ArchivePartyInput {
    /// The party.
    party_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

payload!(CreatePartyPayload, party: Party, InvoicingUserError, "The party.");
payload!(UpdatePartyPayload, party: Party, InvoicingUserError, "The party.");
payload!(ArchivePartyPayload, party: Party, InvoicingUserError, "The party.");
payload!(UnarchivePartyPayload, party: Party, InvoicingUserError, "The party.");

/// The part of the mutation root for customers and suppliers.
#[derive(Default)]
pub(crate) struct PartyMutation;

#[Object]
impl PartyMutation {
    /// Creates a customer or supplier.
    #[graphql(guard = "Needs(Permission::PartiesWrite)")]
    async fn create_party(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A customer or supplier to create. Blank texts count as left out.")]
        input: CreatePartyInput,
    ) -> Result<CreatePartyPayload, Error> {
        let party = NewParty::from(input);
        let done = mutate(ctx, move |tx| {
            let party = party.clone();
            Box::pin(async move { service::create(tx, party).await })
        });
        Ok(CreatePartyPayload(done.await?))
    }

    /// Changes a customer or supplier.
    #[graphql(guard = "Needs(Permission::PartiesWrite)")]
    async fn update_party(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Changes of a party. What is left out stays; null clears what can be empty. Issued documents keep what they show."
        )]
        input: UpdatePartyInput,
    ) -> Result<UpdatePartyPayload, Error> {
        let (id, expected) = (parse(Kind::Party, "partyId", &input.party_id)?, input.expected_version);
        let edit = PartyEdit::from(input);
        let done = mutate(ctx, move |tx| {
            let edit = edit.clone();
            Box::pin(async move { service::update(tx, id, expected, edit).await.map(|()| id) })
        });
        Ok(UpdatePartyPayload(done.await?.or_current(id)))
    }

    /// Archives a customer or supplier: it takes no new documents.
    #[graphql(guard = "Needs(Permission::PartiesWrite)")]
    async fn archive_party(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A party to archive, or to take back into use.")] input: ArchivePartyInput,
    ) -> Result<ArchivePartyPayload, Error> {
        let (id, expected) = (parse(Kind::Party, "partyId", &input.party_id)?, input.expected_version);
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { service::archive(tx, id, expected).await.map(|()| id) })
        });
        Ok(ArchivePartyPayload(done.await?.or_current(id)))
    }

    /// Takes an archived customer or supplier back into use.
    #[graphql(guard = "Needs(Permission::PartiesWrite)")]
    async fn unarchive_party(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A party to archive, or to take back into use.")] input: ArchivePartyInput,
    ) -> Result<UnarchivePartyPayload, Error> {
        let (id, expected) = (parse(Kind::Party, "partyId", &input.party_id)?, input.expected_version);
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { service::unarchive(tx, id, expected).await.map(|()| id) })
        });
        Ok(UnarchivePartyPayload(done.await?.or_current(id)))
    }
}
