//! The charts of accounts that a company may start with, kept as data beside the code.
//!
//! The French one holds numbers and labels of the plan comptable général 2026 (règlement ANC 2014-03 as amended;
//! facts from the CC0 project arrhes/PCG), and 44564 and 44574, which practice adds for VAT that waits for payment.

use kernel::Fault;

use crate::account::{AccountKind, Role};
use crate::journal::JournalKind;

/// The chart of accounts that a company starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chart {
    /// The French plan comptable général.
    FrPcg,
    /// A small international one.
    Generic,
}

/// An account of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChartAccount {
    pub number: &'static str,
    pub name: &'static str,
    pub name_en: &'static str,
    pub kind: AccountKind,
    pub role: Option<Role>,
    pub reconcilable: bool,
    pub party_required: bool,
}

impl Chart {
    fn data(self) -> &'static str {
        match self {
            Self::FrPcg => include_str!("../../charts/fr_pcg.csv"),
            Self::Generic => include_str!("../../charts/generic.csv"),
        }
    }

    /// Its accounts. A line that does not read is a fault of this program, and a test shows it first.
    pub(super) fn accounts(self) -> Result<Vec<ChartAccount>, Fault> {
        let lines = self.data().lines().skip(1);
        lines.map(|line| parse(line).ok_or_else(|| Fault::Corrupt(format!("chart line {line}")))).collect()
    }

    /// Its journals: code, name, kind.
    pub(super) fn journals(self) -> [(&'static str, &'static str, JournalKind); 5] {
        use JournalKind::{Bank, Miscellaneous, Opening, Purchases, Sales};
        match self {
            Self::FrPcg => [
                ("VE", "Ventes", Sales),
                ("AC", "Achats", Purchases),
                ("BQ", "Banque", Bank),
                ("OD", "Opérations diverses", Miscellaneous),
                ("AN", "À-nouveaux", Opening),
            ],
            Self::Generic => [
                ("SAL", "Sales", Sales),
                ("PUR", "Purchases", Purchases),
                ("BNK", "Bank", Bank),
                ("MIS", "Miscellaneous operations", Miscellaneous),
                ("OPN", "Opening", Opening),
            ],
        }
    }
}

fn parse(line: &'static str) -> Option<ChartAccount> {
    let fields: Vec<&str> = line.split(';').collect();
    let [number, name, name_en, kind, role, reconcilable, party_required] = fields[..] else { return None };
    let role = match role {
        "" => None,
        role => Some(Role::parse(role)?),
    };
    Some(ChartAccount {
        number,
        name,
        name_en,
        kind: AccountKind::parse(kind)?,
        role,
        reconcilable: reconcilable == "yes",
        party_required: party_required == "yes",
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::account::NewAccount;

    #[test]
    fn both_charts_read_hold_each_role_once_and_only_sound_accounts() {
        for chart in [Chart::FrPcg, Chart::Generic] {
            let accounts = chart.accounts().expect("every line reads");
            let numbers: HashSet<_> = accounts.iter().map(|account| account.number).collect();
            assert_eq!(numbers.len(), accounts.len(), "{chart:?}: a number twice");
            for role in Role::ALL {
                let holders = accounts.iter().filter(|account| account.role == Some(*role)).count();
                assert_eq!(holders, 1, "{chart:?}: {role:?}");
            }
            for account in &accounts {
                let new = NewAccount {
                    number: account.number.to_owned(),
                    name: account.name.to_owned(),
                    name_en: Some(account.name_en.to_owned()),
                    kind: account.kind,
                    reconcilable: account.reconcilable,
                    party_required: account.party_required,
                    external_ref: None,
                };
                new.check().unwrap_or_else(|e| panic!("{chart:?} {}: {e}", account.number));
            }
        }
    }

    #[test]
    fn french_classes_have_the_kind_that_their_first_digit_says() {
        for account in Chart::FrPcg.accounts().expect("every line reads") {
            let sound = match account.number.as_bytes()[0] {
                b'1' => matches!(account.kind, AccountKind::Equity | AccountKind::Liability),
                b'2' | b'3' | b'5' => account.kind == AccountKind::Asset,
                b'4' => matches!(account.kind, AccountKind::Asset | AccountKind::Liability),
                b'6' => account.kind == AccountKind::Expense,
                b'7' => account.kind == AccountKind::Income,
                _ => false,
            };
            assert!(sound, "{} is {:?}", account.number, account.kind);
        }
    }
}
