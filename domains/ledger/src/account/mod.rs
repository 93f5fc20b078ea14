//! Accounts: what they are, and what others find them by. Rules only: nothing here reads or writes.

pub mod service;
mod store;

use crate::error::Error;

pub use service::{balances_of, id_of_role};
pub(crate) use store::{Known, known};

/// Declares a closed list of values and their stored names.
macro_rules! stored {
    ($(#[doc = $enum_doc:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+ }) => {
        $(#[doc = $enum_doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[doc = $doc])+ $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stored name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads the stored name.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use stored;

stored! {
    /// What an account is for, whatever its number in a chart. At most one account of a company has a role, and
    /// keeps it.
    Role {
        /// 411 Clients.
        Receivable = "receivable",
        /// 401 Fournisseurs.
        Payable = "payable",
        /// 512 Banques.
        Bank = "bank",
        /// 707 Ventes de marchandises.
        SalesGoods = "sales_goods",
        /// 706 Prestations de services.
        SalesServices = "sales_services",
        /// 607 Achats de marchandises.
        Purchases = "purchases",
        /// 609 Rabais, remises et ristournes obtenus sur achats.
        PurchaseAllowances = "purchase_allowances",
        /// 4091/409 Fournisseurs : avances et acomptes versés.
        SupplierPrepayments = "supplier_prepayments",
        /// 44571 TVA collectée.
        VatCollected = "vat_collected",
        /// 44574 TVA collectée en attente de paiement.
        VatCollectedWaiting = "vat_collected_waiting",
        /// 44566 TVA déductible sur autres biens et services.
        VatDeductible = "vat_deductible",
        /// 44564 TVA déductible en attente de paiement.
        VatDeductibleWaiting = "vat_deductible_waiting",
        /// 4452 TVA due intracommunautaire (and reverse charge).
        VatSelfAssessed = "vat_self_assessed",
        /// 656 Pertes de change sur créances et dettes commerciales.
        TradeExchangeLoss = "trade_exchange_loss",
        /// 756 Gains de change sur créances et dettes commerciales.
        TradeExchangeGain = "trade_exchange_gain",
        /// 666 Pertes de change financières.
        FinancialExchangeLoss = "financial_exchange_loss",
        /// 766 Gains de change financiers.
        FinancialExchangeGain = "financial_exchange_gain",
        /// 658 Charges diverses de gestion courante (rounding, small differences).
        SmallLoss = "small_loss",
        /// 758 Produits divers de gestion courante.
        SmallGain = "small_gain",
        /// 120 Résultat de l'exercice (bénéfice).
        ProfitOfYear = "profit_of_year",
        /// 129 Résultat de l'exercice (perte).
        LossOfYear = "loss_of_year",
    }
}

stored! {
    /// Where an account's balance belongs: the first three stay on the balance sheet from year to year, the last
    /// two end with each year in its result.
    AccountKind {
        /// What the company has and is owed.
        Asset = "asset",
        /// What it owes.
        Liability = "liability",
        /// What belongs to its owners.
        Equity = "equity",
        /// What it earns (class 7).
        Income = "income",
        /// What it spends (class 6).
        Expense = "expense",
    }
}

impl AccountKind {
    /// Whether the balance goes into the result of the year.
    pub const fn ends_with_the_year(self) -> bool {
        matches!(self, Self::Income | Self::Expense)
    }
}

/// An account to add.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its number: 1 to 20 digits and capital letters, unique in the company.
    pub number: String,
    /// Its name, in French in a French chart.
    pub name: String,
    /// Its English name.
    pub name_en: Option<String>,
    /// Where its balance belongs; for good.
    pub kind: AccountKind,
    /// Whether its lines can be matched with each other; never on income and expense.
    pub reconcilable: bool,
    /// Whether each line must name a party; only on reconcilable accounts.
    pub party_required: bool,
    /// The partner's own reference, unique in the company.
    pub external_ref: Option<String>,
}

impl NewAccount {
    /// Refuses what cannot be an account.
    pub fn check(&self) -> Result<(), Error> {
        let legal = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
        if self.number.is_empty() || self.number.len() > 20 || !self.number.chars().all(legal) {
            return Err(Error::invalid("number", "a number has 1 to 20 digits and capital letters"));
        }
        check_text("name", &self.name, 200)?;
        if let Some(name) = &self.name_en {
            check_text("nameEn", name, 200)?;
        }
        if let Some(reference) = &self.external_ref {
            check_text("externalRef", reference, 200)?;
        }
        if self.reconcilable && self.kind.ends_with_the_year() {
            return Err(Error::invalid(
                "reconcilable",
                "income and expense accounts end with the year: nothing stays open on them to be matched",
            ));
        }
        if self.party_required && !self.reconcilable {
            return Err(Error::invalid(
                "partyRequired",
                "an account that names parties is reconcilable: set both",
            ));
        }
        Ok(())
    }
}

/// Refuses an empty, an all-blank or a too long text.
pub(crate) fn check_text(field: &'static str, text: &str, most: usize) -> Result<(), Error> {
    if text.trim().is_empty() || text.chars().count() > most {
        return Err(Error::invalid(field, format!("1 to {most} characters are needed")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(*role));
        }
        for kind in AccountKind::ALL {
            assert_eq!(AccountKind::parse(kind.as_str()), Some(*kind));
        }
    }

    #[test]
    fn what_cannot_be_an_account_is_refused_with_its_field() {
        let sound = NewAccount {
            number: "4111".to_owned(),
            name: "Clients étrangers".to_owned(),
            name_en: None,
            kind: AccountKind::Asset,
            reconcilable: true,
            party_required: true,
            external_ref: None,
        };
        assert!(sound.check().is_ok());
        let field = |account: NewAccount| kernel::DomainError::field(&account.check().expect_err("refused"));
        assert_eq!(
            field(NewAccount { number: "41 1".to_owned(), ..sound.clone() }).as_deref(),
            Some("number")
        );
        assert_eq!(field(NewAccount { name: " ".to_owned(), ..sound.clone() }).as_deref(), Some("name"));
        assert_eq!(
            field(NewAccount { kind: AccountKind::Income, ..sound.clone() }).as_deref(),
            Some("reconcilable")
        );
        assert_eq!(field(NewAccount { reconcilable: false, ..sound }).as_deref(), Some("partyRequired"));
    }
}
