//! From a received electronic invoice to the rows of a bill: amounts as stated, in minor units. Pure.

use kernel::Currency;
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};

use super::BillKind;
use super::content::{Amounts, Content, Group, Line, bounded};
use crate::einvoice::{self, Finding, ReceivedInvoice, Severity, TaxDue};
use crate::error::Error;
use crate::party::NewParty;
use crate::party::country::is_country;

/// What becomes of a received document.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) kind: BillKind,
    pub(super) currency: Currency,
    pub(super) content: Content,
    pub(super) findings: Vec<Finding>,
    pub(super) document: Json,
    /// Whether it says when its VAT is deductible.
    pub(super) vat_on_payment: Option<bool>,
}

/// The most characters of a text that a column keeps of a document.
const MAX_TEXT: usize = 1000;

/// What is recorded of a document. Refuses a currency that ISO 4217 does not know, a number longer than 100
/// characters, and amounts that no ledger could carry.
pub(super) fn record(invoice: &ReceivedInvoice) -> Result<Received, Error> {
    let Some(currency) = Currency::parse(&invoice.currency) else {
        let message =
            format!("{} is no currency of ISO 4217: ask the supplier for a corrected file", invoice.currency);
        return Err(Error::invalid("currency", message));
    };
    if invoice.number.chars().count() > 100 {
        let message = "the number is longer than 100 characters: ask the supplier for a corrected file";
        return Err(Error::invalid("number", message));
    }
    let mut reader = Reader { currency, findings: einvoice::findings(invoice) };
    let content = Content {
        lines: reader.lines(invoice)?,
        taxes: reader.taxes(invoice)?,
        amounts: reader.amounts(invoice)?,
    };
    Ok(Received {
        kind: match invoice.kind {
            einvoice::Kind::Invoice => BillKind::Bill,
            einvoice::Kind::CreditNote => BillKind::CreditNote,
        },
        currency,
        content,
        findings: reader.findings,
        document: document(invoice)?,
        vat_on_payment: invoice.tax_due.map(|due| due == TaxDue::OnPayment),
    })
}

struct Reader {
    currency: Currency,
    findings: Vec<Finding>,
}

impl Reader {
    /// An amount in minor units; what the currency has no digits for is rounded, which is a finding.
    fn minor(&mut self, field: &'static str, line: Option<&str>, amount: Decimal) -> Result<i64, Error> {
        let minor = bounded(field, self.currency.to_minor(amount))?;
        let kept = self.currency.from_minor(minor);
        if kept != amount {
            self.findings.push(Finding {
                rule: "X-MINOR-UNIT".to_owned(),
                severity: Severity::Warning,
                field,
                line: line.map(str::to_owned),
                message: format!(
                    "{field} is {amount}, finer than {} has: {kept} was recorded",
                    self.currency
                ),
                expected: Some(kept),
                stated: Some(amount),
            });
        }
        Ok(minor)
    }

    fn amounts(&mut self, invoice: &ReceivedInvoice) -> Result<Amounts, Error> {
        let totals = &invoice.totals;
        let absent = Decimal::ZERO;
        let (allowances, charges) = (totals.allowances.unwrap_or(absent), totals.charges.unwrap_or(absent));
        let mut nets = invoice.lines.iter().filter_map(|line| line.net_amount);
        let lines = totals.lines.or_else(|| nets.try_fold(absent, Decimal::checked_add));
        let implied = lines.and_then(|net| net.checked_sub(allowances)?.checked_add(charges));
        let net = totals.without_vat.or(implied).ok_or_else(|| Error::too_large("BT-109"))?;
        Ok(Amounts {
            allowance: self.minor("BT-107", None, allowances)?,
            charge: self.minor("BT-108", None, charges)?,
            net: self.minor("BT-109", None, net)?,
            tax: self.minor("BT-110", None, totals.vat.unwrap_or(absent))?,
            total: self.minor("BT-112", None, totals.with_vat)?,
            prepaid: self.minor("BT-113", None, totals.prepaid.unwrap_or(absent))?,
            rounding: self.minor("BT-114", None, totals.rounding.unwrap_or(absent))?,
            payable: self.minor("BT-115", None, totals.due)?,
        })
    }

    fn lines(&mut self, invoice: &ReceivedInvoice) -> Result<Vec<Line>, Error> {
        invoice.lines.iter().map(|line| self.line(line)).collect()
    }

    fn line(&mut self, line: &einvoice::Line) -> Result<Line, Error> {
        let description = match (&line.name, &line.description) {
            (Some(name), Some(more)) if more != name => format!("{name}: {more}"),
            (name, more) => name.as_ref().or(more.as_ref()).cloned().unwrap_or_default(),
        };
        // The price is for a number of units; ours is for one. A base of zero is no base.
        let per = line.price_base_quantity.filter(|base| !base.is_zero()).unwrap_or(Decimal::ONE);
        let (category, rate) = treatment(line.vat_category.as_deref(), line.vat_rate);
        Ok(Line {
            description: clip(&description),
            quantity: line.quantity,
            unit: line.unit_code.as_deref().map(clip),
            unit_price: line.net_price.and_then(|price| price.checked_div(per)),
            net_minor: self.minor("BT-131", line.id.as_deref(), line.net_amount.unwrap_or_default())?,
            category,
            rate,
            account_id: None,
        })
    }

    /// The tax groups. Two of one category and rate, which the standard forbids, are added up.
    fn taxes(&mut self, invoice: &ReceivedInvoice) -> Result<Vec<Group>, Error> {
        let mut taxes: Vec<Group> = Vec::new();
        for group in &invoice.vat {
            let (category, rate) = treatment(group.category.as_deref(), group.rate);
            let base_minor = self.minor("BT-116", None, group.base.unwrap_or_default())?;
            let tax_minor = self.minor("BT-117", None, group.tax.unwrap_or_default())?;
            let twin = taxes.iter_mut().find(|known| known.category == category && known.rate == rate);
            if let Some(known) = twin {
                let add = |to: i64, more: i64| bounded("BT-117", to.checked_add(more));
                known.base_minor = add(known.base_minor, base_minor)?;
                known.tax_minor = add(known.tax_minor, tax_minor)?;
            } else {
                let reason = group.exemption_reason.as_ref().or(group.exemption_reason_code.as_ref());
                let reason = reason.map(|text| clip(text));
                taxes.push(Group { category, rate, reason, base_minor, tax_minor });
            }
        }
        Ok(taxes)
    }
}

/// Category and rate as stated. Where the category is missing, which is a finding, the rate tells it.
fn treatment(category: Option<&str>, rate: Option<Decimal>) -> (String, Decimal) {
    let rate = rate.unwrap_or_default().normalize();
    let category =
        category.map(|code| code.chars().take(10).collect::<String>()).filter(|code| !code.is_empty());
    let implied = if rate > Decimal::ZERO { "S" } else { "Z" };
    (category.unwrap_or_else(|| implied.to_owned()), rate)
}

fn clip(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c });
    plain.take(MAX_TEXT).collect()
}

/// What is kept of the document beside the columns: no person's contact, no bank account.
fn document(invoice: &ReceivedInvoice) -> Result<Json, Error> {
    let unwritable = |e: serde_json::Error| kernel::Fault::Internal(format!("document: {e}"));
    let Json::Object(mut kept) = serde_json::to_value(invoice).map_err(unwritable)? else {
        return Ok(Json::Null);
    };
    for elsewhere in
        ["seller", "buyer", "lines", "vat", "payment_means", "remarks", "number", "currency", "kind"]
    {
        kept.remove(elsewhere);
    }
    let remittance = invoice.payment_means.iter().find_map(|means| means.remittance.as_deref());
    kept.insert("remittance".to_owned(), json!(remittance));
    kept.insert("buyer_vat_id".to_owned(), json!(invoice.buyer.vat_id));
    kept.insert("buyer_siren".to_owned(), json!(invoice.buyer.siren()));
    let said = kept.into_iter().filter(|(_, value)| !value.is_null() && value != &json!([]));
    Ok(Json::Object(said.map(|(key, value)| (key, without_nul(value))).collect::<Map<_, _>>()))
}

/// PostgreSQL's jsonb holds no NUL character.
fn without_nul(value: Json) -> Json {
    match value {
        Json::String(text) if text.contains('\0') => Json::String(text.replace('\0', " ")),
        Json::Array(values) => Json::Array(values.into_iter().map(without_nul).collect()),
        Json::Object(fields) => Json::Object(fields.into_iter().map(|(k, v)| (k, without_nul(v))).collect()),
        other => other,
    }
}

/// The supplier as the document describes it. What is not well-formed is left out where the party is created.
/// Without a country in its address the prefix of its VAT number tells it (Greece has EL there), else it is
/// taken to be the buyer's.
pub(super) fn supplier(invoice: &ReceivedInvoice) -> Result<NewParty, Error> {
    let seller = &invoice.seller;
    let code = |text: &str| text.trim().to_uppercase();
    let stated = seller.address.country.as_deref().map(code);
    let prefix = seller.vat_id.as_deref().and_then(|id| id.get(..2)).map(code);
    let prefix = prefix.map(|code| if code == "EL" { "GR".to_owned() } else { code });
    let buyers = invoice.buyer.address.country.as_deref().map(code);
    let country =
        [stated, prefix, buyers].into_iter().flatten().find(|code| is_country(code)).ok_or_else(|| {
            Error::invalid(
                "seller.country",
                "the file does not say where the supplier is: ask for a corrected file",
            )
        })?;
    let means = invoice.payment_means.iter().find(|means| means.iban.is_some());
    let street = |index: usize| seller.address.lines.get(index).cloned();
    Ok(NewParty {
        is_supplier: true,
        name: seller.name.clone(),
        legal_id: seller
            .siren()
            .map(str::to_owned)
            .or_else(|| seller.legal_id.as_ref().map(|id| id.value.clone())),
        siret: seller.siret().map(str::to_owned),
        vat_id: seller.vat_id.clone(),
        email: seller.contact.email.clone(),
        phone: seller.contact.phone.clone(),
        street: street(0),
        street2: street(1),
        postcode: seller.address.postcode.clone(),
        city: seller.address.city.clone(),
        country,
        currency: Some(invoice.currency.clone()),
        vat_on_payment: invoice.tax_due == Some(TaxDue::OnPayment),
        iban: means.and_then(|means| means.iban.clone()),
        bic: means.and_then(|means| means.bic.clone()),
        ..NewParty::default()
    })
}
