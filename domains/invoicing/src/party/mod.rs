//! Parties: customers and suppliers, and what makes their data well-formed.
//!
//! A party is never deleted, for documents name it; it is archived. No register is asked whether an
//! identifier exists: only form and keys are checked.

pub mod country;
pub mod identifiers;
pub mod service;
mod store;

use entity::invoicing::party::Model;
use iban::IbanLike;
use kernel::{Currency, NewEvent};

use crate::edit::Edit;
use crate::error::Error;
use crate::text::{optional, required};
use identifiers::compact;

/// A party to create. Blank texts count as missing.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, as its column is")]
pub struct NewParty {
    /// Whether the company sells to it.
    pub is_customer: bool,
    /// Whether the company buys from it.
    pub is_supplier: bool,
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Its SIREN in France, elsewhere the number in the national register.
    pub legal_id: Option<String>,
    /// Its SIRET, for establishments in France.
    pub siret: Option<String>,
    /// Its VAT number with the country's prefix.
    pub vat_id: Option<String>,
    /// Where its mail goes.
    pub email: Option<String>,
    /// Its telephone number, as written.
    pub phone: Option<String>,
    /// First line of the address.
    pub street: Option<String>,
    /// Second line of the address.
    pub street2: Option<String>,
    /// Postal code.
    pub postcode: Option<String>,
    /// Town.
    pub city: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    pub country: String,
    /// The currency of business with it, ISO 4217; the company's own when `None`.
    pub currency: Option<String>,
    /// Its payment term, 0 to 365 days; 30 when `None`.
    pub payment_days: Option<i16>,
    /// Whether the term runs to the end of that month (fin de mois).
    pub end_of_month: bool,
    /// Whether this supplier's VAT is deductible when paid and not when billed (TVA sur les encaissements).
    pub vat_on_payment: bool,
    /// Its bank account; sealed at rest. Needs `parties.bank`.
    pub iban: Option<String>,
    /// Its bank, ISO 9362. Needs `parties.bank`.
    pub bic: Option<String>,
    /// The partner system's own id, unique within the company.
    pub external_ref: Option<String>,
}

/// A change of a party: what is kept stays, what is set is validated like a new one.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the one of NewParty")]
pub struct PartyEdit {
    pub is_customer: Edit<bool>,
    pub is_supplier: Edit<bool>,
    pub name: Edit<String>,
    pub legal_id: Edit<Option<String>>,
    pub siret: Edit<Option<String>>,
    pub vat_id: Edit<Option<String>>,
    pub email: Edit<Option<String>>,
    pub phone: Edit<Option<String>>,
    pub street: Edit<Option<String>>,
    pub street2: Edit<Option<String>>,
    pub postcode: Edit<Option<String>>,
    pub city: Edit<Option<String>>,
    pub country: Edit<String>,
    pub currency: Edit<String>,
    pub payment_days: Edit<i16>,
    pub end_of_month: Edit<bool>,
    pub vat_on_payment: Edit<bool>,
    pub iban: Edit<Option<String>>,
    pub bic: Edit<Option<String>>,
    pub external_ref: Edit<Option<String>>,
}

impl PartyEdit {
    /// Whether it touches bank details.
    pub fn touches_bank(&self) -> bool {
        self.iban != Edit::Keep || self.bic != Edit::Keep
    }

    /// The party as it would be, but for its bank account, which only the store can open.
    fn applied_to(self, before: &Model) -> NewParty {
        NewParty {
            is_customer: self.is_customer.or(before.is_customer),
            is_supplier: self.is_supplier.or(before.is_supplier),
            name: self.name.or(before.name.clone()),
            legal_id: self.legal_id.or(before.legal_id.clone()),
            siret: self.siret.or(before.siret.clone()),
            vat_id: self.vat_id.or(before.vat_id.clone()),
            email: self.email.or(before.email.clone()),
            phone: self.phone.or(before.phone.clone()),
            street: self.street.or(before.street.clone()),
            street2: self.street2.or(before.street2.clone()),
            postcode: self.postcode.or(before.postcode.clone()),
            city: self.city.or(before.city.clone()),
            country: self.country.or(before.country.clone()),
            currency: Some(self.currency.or(before.currency.clone())),
            payment_days: Some(self.payment_days.or(before.payment_days)),
            end_of_month: self.end_of_month.or(before.end_of_month),
            vat_on_payment: self.vat_on_payment.or(before.vat_on_payment),
            iban: None,
            bic: self.bic.or(before.bic.clone()),
            external_ref: self.external_ref.or(before.external_ref.clone()),
        }
    }
}

/// The countries and territories whose businesses are in the French register (SIRENE).
const FRENCH: &[&str] = &["FR", "GP", "MQ", "GF", "RE", "YT", "BL", "MF", "PM"];

fn identifier(text: Option<&str>) -> Option<String> {
    text.map(compact).filter(|text| !text.is_empty())
}

impl NewParty {
    /// Its bank account in electronic form, checked (ISO 13616).
    pub fn checked_iban(iban: Option<&str>) -> Result<Option<String>, Error> {
        let Some(text) = identifier(iban) else { return Ok(None) };
        let iban: Result<iban::Iban, _> = text.parse();
        match iban {
            Ok(iban) => Ok(Some(iban.electronic_str().to_owned())),
            Err(_) => Err(Error::invalid("iban", "this is not an IBAN: check its digits")),
        }
    }

    /// The same with every value in its stored form, or why one cannot be. `own` is the company's currency.
    pub fn checked(mut self, own: Currency) -> Result<Self, Error> {
        if !self.is_customer && !self.is_supplier {
            return Err(Error::invalid("isCustomer", "a party is a customer, a supplier, or both: choose"));
        }
        self.name = required("name", &self.name, 200)?;
        if !country::is_country(&self.country) {
            return Err(Error::invalid(
                "country",
                "this is not a country's code (ISO 3166-1 alpha-2), e.g. FR",
            ));
        }
        let currency = self.currency.as_deref().unwrap_or(own.code());
        let currency = Currency::parse(currency).ok_or_else(|| {
            Error::invalid("currency", "this is not a currency's code (ISO 4217), e.g. EUR")
        })?;
        self.currency = Some(currency.code().to_owned());
        let days = self.payment_days.unwrap_or(30);
        if !(0..=365).contains(&days) {
            return Err(Error::invalid("paymentDays", "payment terms have 0 to 365 days"));
        }
        self.payment_days = Some(days);
        self.check_identifiers()?;
        self.check_contact()?;
        self.external_ref = optional("externalRef", self.external_ref.as_deref(), 200)?;
        Ok(self)
    }

    fn check_identifiers(&mut self) -> Result<(), Error> {
        let french = FRENCH.contains(&self.country.as_str());
        self.siret = identifier(self.siret.as_deref());
        self.vat_id = identifier(self.vat_id.as_deref());
        self.legal_id = if french {
            identifier(self.legal_id.as_deref())
        } else {
            optional("legalId", self.legal_id.as_deref(), 50)?
        };
        if let Some(problem) = self.vat_id.as_deref().and_then(identifiers::vat_id_problem) {
            return Err(Error::invalid("vatId", problem));
        }
        match &self.siret {
            Some(_) if !french => {
                return Err(Error::invalid("siret", "only establishments in France have a SIRET"));
            }
            Some(siret) if !identifiers::is_siret(siret) => {
                return Err(Error::invalid(
                    "siret",
                    "this is not a SIRET: fourteen digits, the last one a key",
                ));
            }
            _ => {}
        }
        if !french {
            return Ok(());
        }
        // What another number already says need not be typed again, and must not contradict it.
        let implied = self.siret.as_deref().map(|siret| &siret[..9]);
        let implied = implied.or_else(|| self.vat_id.as_deref().and_then(identifiers::siren_of_vat_id));
        let siren = self.legal_id.clone().or_else(|| implied.map(str::to_owned));
        if let Some(siren) = &siren {
            if !identifiers::is_siren(siren) {
                return Err(Error::invalid(
                    "legalId",
                    "this is not a SIREN: nine digits, the last one a key",
                ));
            }
            if self.siret.as_ref().is_some_and(|siret| !siret.starts_with(siren.as_str())) {
                return Err(Error::invalid("siret", "this SIRET is of another SIREN: correct one of them"));
            }
            let of_vat_id = self.vat_id.as_deref().and_then(identifiers::siren_of_vat_id);
            if of_vat_id.is_some_and(|of_vat_id| of_vat_id != siren) {
                return Err(Error::invalid(
                    "vatId",
                    "this VAT number is of another SIREN: correct one of them",
                ));
            }
        }
        self.legal_id = siren;
        Ok(())
    }

    fn check_contact(&mut self) -> Result<(), Error> {
        self.email = optional("email", self.email.as_deref(), 254)?;
        if self.email.as_deref().is_some_and(|email| !identifiers::is_email(email)) {
            return Err(Error::invalid("email", "this is not an e-mail address, e.g. compta@example.fr"));
        }
        self.phone = optional("phone", self.phone.as_deref(), 40)?;
        self.street = optional("street", self.street.as_deref(), 200)?;
        self.street2 = optional("street2", self.street2.as_deref(), 200)?;
        self.postcode = optional("postcode", self.postcode.as_deref(), 20)?;
        self.city = optional("city", self.city.as_deref(), 120)?;
        self.bic = identifier(self.bic.as_deref());
        if self.bic.as_deref().is_some_and(|bic| !identifiers::is_bic(bic)) {
            return Err(Error::invalid(
                "bic",
                "this is not a BIC: eight or eleven characters, e.g. BNPAFRPP",
            ));
        }
        Ok(())
    }

    /// The same without what is not well-formed: a received document is recorded as it is, and its sender's
    /// wrong numbers are no reason to refuse it.
    #[must_use]
    pub fn without_malformed(mut self) -> Self {
        let french = FRENCH.contains(&self.country.as_str());
        self.vat_id =
            identifier(self.vat_id.as_deref()).filter(|id| identifiers::vat_id_problem(id).is_none());
        self.siret = identifier(self.siret.as_deref()).filter(|id| french && identifiers::is_siret(id));
        if french {
            self.legal_id = identifier(self.legal_id.as_deref()).filter(|id| identifiers::is_siren(id));
            // Where two contradict each other, the register's number is believed.
            if let Some(siren) = self.legal_id.clone() {
                self.siret = self.siret.filter(|siret| siret.starts_with(&siren));
                self.vat_id = self
                    .vat_id
                    .filter(|id| identifiers::siren_of_vat_id(id).is_none_or(|other| other == siren));
            } else if let Some(siret) = self.siret.clone() {
                self.vat_id = self
                    .vat_id
                    .filter(|id| identifiers::siren_of_vat_id(id).is_none_or(|s| siret.starts_with(s)));
            }
        }
        self.email = self.email.filter(|email| identifiers::is_email(email.trim()));
        self.bic = identifier(self.bic.as_deref()).filter(|bic| identifiers::is_bic(bic));
        self.iban = Self::checked_iban(self.iban.as_deref()).ok().flatten();
        self.currency = self.currency.filter(|code| Currency::parse(code).is_some());
        let plain = |text: &str, most: usize| {
            let cleaned: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            cleaned.trim().chars().take(most).collect::<String>()
        };
        self.name = plain(&self.name, 200);
        for (field, most) in [
            (&mut self.legal_id, 50),
            (&mut self.phone, 40),
            (&mut self.street, 200),
            (&mut self.street2, 200),
            (&mut self.postcode, 20),
            (&mut self.city, 120),
        ] {
            *field = field.take().map(|text| plain(&text, most));
        }
        self
    }
}

/// A text of a party.
type Field = fn(&Model) -> Option<&String>;

/// Adds to an event what differs between two states of a party. Whatever may tell of a natural person (a sole
/// trader is one) is personal; the bank account is told by its hint alone.
fn tell_changes(event: NewEvent, before: Option<&Model>, after: &Model) -> NewEvent {
    let was = |of: Field| before.and_then(of).map(String::as_str);
    let is = |of: Field| of(after).map(String::as_str);
    let personal: [(&'static str, Field); 11] = [
        ("name", |m| Some(&m.name)),
        ("legalId", |m| m.legal_id.as_ref()),
        ("siret", |m| m.siret.as_ref()),
        ("vatId", |m| m.vat_id.as_ref()),
        ("email", |m| m.email.as_ref()),
        ("phone", |m| m.phone.as_ref()),
        ("street", |m| m.street.as_ref()),
        ("street2", |m| m.street2.as_ref()),
        ("postcode", |m| m.postcode.as_ref()),
        ("city", |m| m.city.as_ref()),
        ("iban", |m| m.iban_hint.as_ref()),
    ];
    let event =
        personal.into_iter().fold(event, |event, (field, of)| event.changed_personal(field, was(of), is(of)));
    // Who reads the audit trail need not be somebody who may see bank details.
    let bank_changed =
        before.is_some_and(|before| before.iban_digest != after.iban_digest || before.bic != after.bic);
    let event = if bank_changed { event.fact("bankAccountChanged", true) } else { event };
    event
        .changed("isCustomer", &before.map(|m| m.is_customer), &Some(after.is_customer))
        .changed("isSupplier", &before.map(|m| m.is_supplier), &Some(after.is_supplier))
        .changed("country", &before.map(|m| &m.country), &Some(&after.country))
        .changed("currency", &before.map(|m| &m.currency), &Some(&after.currency))
        .changed("paymentDays", &before.map(|m| m.payment_days), &Some(after.payment_days))
        .changed("endOfMonth", &before.map(|m| m.end_of_month), &Some(after.end_of_month))
        .changed("vatOnPayment", &before.map(|m| m.vat_on_payment), &Some(after.vat_on_payment))
        .changed("externalRef", &before.and_then(|m| m.external_ref.as_ref()), &after.external_ref.as_ref())
}
