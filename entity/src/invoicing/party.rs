//! Whom a company sells to and buys from.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "party")]
#[expect(clippy::struct_excessive_bools, reason = "each is a column")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub is_customer: bool,
    pub is_supplier: bool,
    pub name: String,
    pub name_lower: String,
    pub legal_id: Option<String>,
    pub siret: Option<String>,
    pub vat_id: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub street: Option<String>,
    pub street2: Option<String>,
    pub postcode: Option<String>,
    pub city: Option<String>,
    pub country: String,
    pub currency: String,
    pub payment_days: i16,
    pub end_of_month: bool,
    pub vat_on_payment: bool,
    pub iban_sealed: Option<Vec<u8>>,
    pub iban_digest: Option<Vec<u8>>,
    pub iban_hint: Option<String>,
    pub bic: Option<String>,
    pub external_ref: Option<String>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    pub updated_at: DateTimeUtc,
    pub updated_by: String,
    pub archived_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
