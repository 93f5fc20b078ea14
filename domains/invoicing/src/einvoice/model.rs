//! What a received invoice says, in the terms of EN 16931.
//!
//! Numbers in the comments are the business terms (BT) and groups (BG) of EN 16931-1. Nothing here is
//! computed: a field holds what the file states, trimmed, or nothing.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;

/// The syntax of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Syntax {
    /// UN/CEFACT Cross Industry Invoice, D16B.
    Cii,
    /// OASIS UBL 2.1.
    Ubl,
}

/// Whether the document claims money or gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// An invoice, or any document that claims.
    Invoice,
    /// A credit note; its amounts are positive as a rule.
    CreditNote,
}

impl Kind {
    /// The kind that a document type code (BT-3, UNTDID 1001) stands for; invoice when it is unknown.
    pub fn of_type_code(code: &str) -> Self {
        match code {
            "81" | "83" | "261" | "262" | "296" | "308" | "381" | "396" | "420" | "458" | "502" | "503"
            | "532" => Self::CreditNote,
            _ => Self::Invoice,
        }
    }
}

/// When VAT becomes chargeable (BT-8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TaxDue {
    /// With the invoice ("sur les débits"): 3 in UBL, 5 in CII.
    OnDebits,
    /// With the delivery: 35 in UBL, 29 in CII.
    OnDelivery,
    /// With the payment ("sur les encaissements"): 432 in UBL, 72 in CII.
    OnPayment,
}

impl TaxDue {
    /// The meaning of a code of UNTDID 2005 (UBL) or UNTDID 2475 (CII).
    pub fn of_code(code: &str) -> Option<Self> {
        match code {
            "3" | "5" => Some(Self::OnDebits),
            "35" | "29" => Some(Self::OnDelivery),
            "432" | "72" => Some(Self::OnPayment),
            _ => None,
        }
    }
}

/// An invoice or credit note as received.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReceivedInvoice {
    /// The syntax of the file.
    pub syntax: Syntax,
    /// Invoice or credit note, by BT-3 or by the root element of UBL.
    pub kind: Kind,
    /// The document type code as stated (BT-3).
    pub type_code: Option<String>,
    /// The number (BT-1).
    pub number: String,
    /// The issue date (BT-2).
    pub issue_date: NaiveDate,
    /// The due date (BT-9).
    pub due_date: Option<NaiveDate>,
    /// The currency of the document (BT-5): three letters, not necessarily of ISO 4217.
    pub currency: String,
    /// The currency of VAT accounting, when another one (BT-6).
    pub tax_currency: Option<String>,
    /// The date when VAT becomes chargeable (BT-7).
    pub tax_point_date: Option<NaiveDate>,
    /// The event with which VAT becomes chargeable (BT-8).
    pub tax_due: Option<TaxDue>,
    /// The buyer's own reference (BT-10).
    pub buyer_reference: Option<String>,
    /// The contract (BT-12).
    pub contract_reference: Option<String>,
    /// The buyer's purchase order (BT-13).
    pub order_reference: Option<String>,
    /// The buyer's account for the whole document (BT-19).
    pub accounting_reference: Option<String>,
    /// The invoices that this one corrects or follows (BG-3).
    pub preceding_invoices: Vec<InvoiceReference>,
    /// The notes (BG-1).
    pub notes: Vec<Note>,
    /// The payment terms in words (BT-20).
    pub payment_terms: Option<String>,
    /// The ways to pay (BG-16, BG-17).
    pub payment_means: Vec<PaymentMeans>,
    /// The seller (BG-4); the name is never empty.
    pub seller: Party,
    /// The buyer (BG-7); the name is empty when the file states none.
    pub buyer: Party,
    /// The date of delivery (BT-72).
    pub delivery_date: Option<NaiveDate>,
    /// The period that is invoiced (BG-14).
    pub period: Option<Period>,
    /// The lines (BG-25).
    pub lines: Vec<Line>,
    /// The allowances on the document (BG-20).
    pub allowances: Vec<AllowanceCharge>,
    /// The charges on the document (BG-21).
    pub charges: Vec<AllowanceCharge>,
    /// The VAT breakdown (BG-23).
    pub vat: Vec<VatGroup>,
    /// The totals (BG-22).
    pub totals: Totals,
    /// The supporting documents, without their content (BG-24).
    pub attachments: Vec<Attachment>,
    /// What could not be read as meant; each becomes a finding.
    pub remarks: Vec<Remark>,
}

/// A preceding invoice (BG-3).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InvoiceReference {
    /// Its number (BT-25).
    pub number: String,
    /// Its issue date (BT-26).
    pub issue_date: Option<NaiveDate>,
}

/// A note on the document (BG-1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Note {
    /// What the note is about, a code of UNTDID 4451 such as PMT (BT-21).
    pub subject_code: Option<String>,
    /// The text (BT-22).
    pub text: String,
}

/// A way to pay (BG-16, BG-17).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PaymentMeans {
    /// The means, a code of UNTDID 4461 such as 30 or 58 (BT-81).
    pub code: Option<String>,
    /// What the payer should quote (BT-83); one for all means in CII.
    pub remittance: Option<String>,
    /// The account as stated, an IBAN as a rule, not validated (BT-84).
    pub iban: Option<String>,
    /// The name of the account (BT-85).
    pub account_name: Option<String>,
    /// The payment service provider, a BIC as a rule (BT-86).
    pub bic: Option<String>,
}

/// An identifier with the scheme that gives it meaning.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Identifier {
    /// The scheme, a code of ISO 6523 as a rule: 0002 is SIREN, 0009 is SIRET.
    pub scheme: Option<String>,
    /// The identifier as stated.
    pub value: String,
}

/// The seller (BG-4) or the buyer (BG-7).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Party {
    /// The name (BT-27, BT-44); empty when a buyer's is not stated.
    pub name: String,
    /// The trading name (BT-28, BT-45).
    pub trading_name: Option<String>,
    /// Identifiers in general (BT-29, BT-46).
    pub identifiers: Vec<Identifier>,
    /// The registration in a legal register (BT-30, BT-47).
    pub legal_id: Option<Identifier>,
    /// The VAT identifier (BT-31, BT-48).
    pub vat_id: Option<String>,
    /// The local tax registration (BT-32).
    pub tax_registration: Option<String>,
    /// The address for electronic messages (BT-34, BT-49).
    pub electronic_address: Option<Identifier>,
    /// The postal address (BG-5, BG-8).
    pub address: Address,
    /// Whom to ask (BG-6, BG-9).
    pub contact: Contact,
}

impl Party {
    /// The French SIREN, nine digits: stated as such (scheme 0002), or the start of a SIRET.
    pub fn siren(&self) -> Option<&str> {
        self.of_scheme("0002", 9).or_else(|| self.siret()?.get(..9))
    }

    /// The French SIRET, fourteen digits (scheme 0009).
    pub fn siret(&self) -> Option<&str> {
        self.of_scheme("0009", 14)
    }

    fn of_scheme(&self, scheme: &str, digits: usize) -> Option<&str> {
        let is_it = |value: &str| value.len() == digits && value.bytes().all(|byte| byte.is_ascii_digit());
        let stated = self.legal_id.iter().chain(&self.identifiers);
        let found = stated.filter(|id| id.scheme.as_deref() == Some(scheme)).find(|id| is_it(&id.value))?;
        Some(&found.value)
    }
}

/// A postal address (BG-5, BG-8).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Address {
    /// Up to three lines (BT-35, BT-36, BT-162; BT-50, BT-51, BT-163).
    pub lines: Vec<String>,
    /// The city (BT-37, BT-52).
    pub city: Option<String>,
    /// The post code (BT-38, BT-53).
    pub postcode: Option<String>,
    /// The region (BT-39, BT-54).
    pub subdivision: Option<String>,
    /// The country, two letters of ISO 3166-1 as a rule (BT-40, BT-55).
    pub country: Option<String>,
}

/// A contact (BG-6, BG-9).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Contact {
    /// The person or department (BT-41, BT-56).
    pub name: Option<String>,
    /// The telephone number (BT-42, BT-57).
    pub phone: Option<String>,
    /// The e-mail address (BT-43, BT-58).
    pub email: Option<String>,
}

/// A period, both days included (BG-14, BG-26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Period {
    /// The first day (BT-73, BT-134).
    pub start: Option<NaiveDate>,
    /// The last day (BT-74, BT-135).
    pub end: Option<NaiveDate>,
}

/// A line (BG-25).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The identifier of the line (BT-126).
    pub id: Option<String>,
    /// The note (BT-127).
    pub note: Option<String>,
    /// The quantity, in `unit_code` (BT-129).
    pub quantity: Option<Decimal>,
    /// The unit, a code of UN/ECE recommendations 20 and 21 (BT-130).
    pub unit_code: Option<String>,
    /// The net amount of the line, in the currency of the document (BT-131).
    pub net_amount: Option<Decimal>,
    /// The buyer's account for the line (BT-133).
    pub accounting_reference: Option<String>,
    /// The period of the line (BG-26).
    pub period: Option<Period>,
    /// The allowances on the line (BG-27).
    pub allowances: Vec<AllowanceCharge>,
    /// The charges on the line (BG-28).
    pub charges: Vec<AllowanceCharge>,
    /// The price without VAT of `price_base_quantity` units (BT-146).
    pub net_price: Option<Decimal>,
    /// The number of units that the price is for; one when not stated (BT-149).
    pub price_base_quantity: Option<Decimal>,
    /// The VAT category, a code of UNTDID 5305 such as S (BT-151).
    pub vat_category: Option<String>,
    /// The VAT rate, in percent (BT-152).
    pub vat_rate: Option<Decimal>,
    /// The name of the item (BT-153).
    pub name: Option<String>,
    /// The description of the item (BT-154).
    pub description: Option<String>,
    /// The seller's identifier of the item (BT-155).
    pub seller_item_id: Option<String>,
}

/// An allowance or a charge, on the document (BG-20, BG-21) or on a line (BG-27, BG-28).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AllowanceCharge {
    /// The amount without VAT, in the currency of the document (BT-92, BT-99, BT-136, BT-141).
    pub amount: Option<Decimal>,
    /// The amount that `percent` is of (BT-93, BT-100, BT-137, BT-142).
    pub base: Option<Decimal>,
    /// The percentage of `base` (BT-94, BT-101, BT-138, BT-143).
    pub percent: Option<Decimal>,
    /// The VAT category; stated on the document only (BT-95, BT-102).
    pub vat_category: Option<String>,
    /// The VAT rate in percent; stated on the document only (BT-96, BT-103).
    pub vat_rate: Option<Decimal>,
    /// The reason in words (BT-97, BT-104, BT-139, BT-144).
    pub reason: Option<String>,
    /// The reason as a code of UNTDID 5189 or 7161 (BT-98, BT-105, BT-140, BT-145).
    pub reason_code: Option<String>,
}

/// A group of the VAT breakdown (BG-23).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VatGroup {
    /// The taxable amount, in the currency of the document (BT-116).
    pub base: Option<Decimal>,
    /// The tax, in the currency of the document (BT-117).
    pub tax: Option<Decimal>,
    /// The category, a code of UNTDID 5305 such as S (BT-118).
    pub category: Option<String>,
    /// The rate, in percent (BT-119).
    pub rate: Option<Decimal>,
    /// Why no tax is due, in words (BT-120).
    pub exemption_reason: Option<String>,
    /// Why no tax is due, as a VATEX code (BT-121).
    pub exemption_reason_code: Option<String>,
}

/// The totals (BG-22), in the currency of the document unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// The sum of the lines (BT-106).
    pub lines: Option<Decimal>,
    /// The sum of the allowances on the document (BT-107).
    pub allowances: Option<Decimal>,
    /// The sum of the charges on the document (BT-108).
    pub charges: Option<Decimal>,
    /// The total without VAT (BT-109).
    pub without_vat: Option<Decimal>,
    /// The VAT (BT-110).
    pub vat: Option<Decimal>,
    /// The VAT, in `tax_currency` (BT-111).
    pub vat_in_tax_currency: Option<Decimal>,
    /// The total with VAT (BT-112).
    pub with_vat: Decimal,
    /// What has been paid already (BT-113).
    pub prepaid: Option<Decimal>,
    /// What is added to round the amount due (BT-114).
    pub rounding: Option<Decimal>,
    /// The amount due (BT-115).
    pub due: Decimal,
}

/// A supporting document (BG-24), embedded or elsewhere; the content is not kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attachment {
    /// Its reference (BT-122).
    pub reference: Option<String>,
    /// Its description (BT-123).
    pub description: Option<String>,
    /// Where it lies, when elsewhere (BT-124); never fetched.
    pub location: Option<String>,
    /// The name of the embedded file (BT-125).
    pub filename: Option<String>,
    /// The media type of the embedded file (BT-125).
    pub mime_code: Option<String>,
}

/// Something that the reader could not take as it is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// What is the matter.
    pub kind: RemarkKind,
    /// The business term of EN 16931.
    pub field: &'static str,
    /// The identifier of the line, on a line.
    pub line: Option<String>,
    /// The start of the value.
    pub value: String,
}

/// What is the matter with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum RemarkKind {
    /// It is no number, date or code of its kind, and was left out.
    Unreadable,
    /// It is stated more than once; the first was taken.
    Repeated,
    /// It is in another currency than the document; the figure was taken.
    OtherCurrency,
}
