//! Roles: named sets of permissions. The built-in ones stand here, with their permissions and their names; a company adds
//! its own, as data.
//!
//! Nobody gives a right that they do not have, and nobody takes one from who has more than they: so rights only ever
//! come from who has them, down to the company's first owner. Only an owner makes an owner.

pub mod service;
mod store;

use kernel::{Fault, Permission, PermissionSet, Tx};

/// What a member is in a company: a named set of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// May do everything.
    Owner,
    /// Keeps the books: ledger, bills, payments, closing.
    Accountant,
    /// Sells: customers, items, invoices.
    Sales,
    /// Buys: suppliers and bills, up to approval.
    Purchaser,
    /// Reads everything and writes nothing.
    Auditor,
}

impl AsRef<str> for Role {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Accountant, Self::Sales, Self::Purchaser, Self::Auditor];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Accountant => "accountant",
            Self::Sales => "sales",
            Self::Purchaser => "purchaser",
            Self::Auditor => "auditor",
        }
    }

    /// Reads the stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// What a member may do by a role's key: by the code for a built-in one, else by what the company has stored. `None`
    /// for a key that is neither.
    pub(crate) fn permissions_of(key: &str, stored: Option<&[String]>) -> Option<PermissionSet> {
        match stored {
            Some(names) => Some(names.iter().filter_map(|name| Permission::parse(name)).collect()),
            None => Self::parse(key).map(Self::permissions),
        }
    }

    /// What people call it, in French or English.
    pub fn name(self, locale: &str) -> &'static str {
        match (self, locale == "fr") {
            (Self::Owner, true) => "Propriétaire",
            (Self::Owner, false) => "Owner",
            (Self::Accountant, true) => "Comptable",
            (Self::Accountant, false) => "Accountant",
            (Self::Sales, true) => "Ventes",
            (Self::Sales, false) => "Sales",
            (Self::Purchaser, true) => "Achats",
            (Self::Purchaser, false) => "Purchasing",
            (Self::Auditor, true) => "Auditeur",
            (Self::Auditor, false) => "Auditor",
        }
    }

    /// What it is for, in French or English.
    pub fn description(self, locale: &str) -> &'static str {
        match (self, locale == "fr") {
            (Self::Owner, true) => "Peut tout faire.",
            (Self::Owner, false) => "May do everything.",
            (Self::Accountant, true) => "Tient les livres : écritures, factures reçues, paiements, clôtures.",
            (Self::Accountant, false) => "Keeps the books: entries, bills, payments, closing.",
            (Self::Sales, true) => "Vend : clients, articles, factures.",
            (Self::Sales, false) => "Sells: customers, items, invoices.",
            (Self::Purchaser, true) => "Achète : fournisseurs et factures reçues, jusqu'à l'approbation.",
            (Self::Purchaser, false) => "Buys: suppliers and bills, up to approval.",
            (Self::Auditor, true) => "Lit tout et n'écrit rien.",
            (Self::Auditor, false) => "Reads everything and writes nothing.",
        }
    }

    /// What the role may do.
    pub fn permissions(self) -> PermissionSet {
        use Permission as P;
        match self {
            Self::Owner => PermissionSet::all(),
            Self::Auditor => {
                let reads = |p: &P| is_read(*p);
                P::ALL.iter().copied().filter(reads).chain([P::PartiesBank]).collect()
            }
            Self::Accountant => [
                P::CompanyRead,
                P::MembersRead,
                P::AuditRead,
                P::LedgerRead,
                P::LedgerDraft,
                P::LedgerPost,
                P::LedgerConfigure,
                P::LedgerClose,
                P::PartiesRead,
                P::PartiesWrite,
                P::PartiesBank,
                P::CatalogRead,
                P::CatalogWrite,
                P::InvoicingRead,
                P::InvoicingDraft,
                P::InvoicingIssue,
                P::BillsRead,
                P::BillsEnter,
                P::BillsApprove,
                P::BillsPost,
                P::PaymentsRead,
                P::PaymentsWrite,
                P::FilesRead,
                P::FilesWrite,
                P::KpiRead,
                P::KpiManage,
            ]
            .into_iter()
            .collect(),
            Self::Sales => [
                P::CompanyRead,
                P::PartiesRead,
                P::PartiesWrite,
                P::CatalogRead,
                P::CatalogWrite,
                P::InvoicingRead,
                P::InvoicingDraft,
                P::InvoicingIssue,
                P::PaymentsRead,
                P::KpiRead,
            ]
            .into_iter()
            .collect(),
            Self::Purchaser => [
                P::CompanyRead,
                P::PartiesRead,
                P::PartiesWrite,
                P::CatalogRead,
                P::BillsRead,
                P::BillsEnter,
                P::BillsApprove,
                P::PaymentsRead,
                P::FilesRead,
                P::FilesWrite,
                P::KpiRead,
            ]
            .into_iter()
            .collect(),
        }
    }
}

/// Lays the built-in roles of a company that is being founded.
pub(crate) async fn found_in(tx: &Tx) -> Result<(), Fault> {
    let scope = tx.scope();
    for role in Role::ALL {
        tx.run(
            "INSERT INTO role (tenant_id, id, key, built_in, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, $3, true, $4, $5, $4, $5)",
            [
                scope.company().id.into(),
                tx.new_id().into(),
                role.as_str().into(),
                scope.clock().now().into(),
                scope.actor().stored().into(),
            ],
        )
        .await?;
    }
    Ok(())
}

/// Whether a permission only lets read.
fn is_read(permission: Permission) -> bool {
    permission.as_str().split_once('.').is_some_and(|(_, verb)| verb == "read")
}

/// A key for a role of a name: its letters and digits without accents, as few as forty.
fn key_of(name: &str) -> String {
    let plain = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() => c,
        'à' | 'â' | 'ä' | 'À' | 'Â' | 'Ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' | 'Ê' | 'Ë' => 'e',
        'î' | 'ï' | 'Î' | 'Ï' => 'i',
        'ô' | 'ö' | 'Ô' | 'Ö' => 'o',
        'ù' | 'û' | 'ü' | 'Ù' | 'Û' | 'Ü' => 'u',
        'ç' | 'Ç' => 'c',
        _ => '_',
    };
    let text: String = name.trim().chars().map(plain).collect();
    let words: Vec<&str> = text.split('_').filter(|word| !word.is_empty()).collect();
    let key: String = words.join("_").chars().take(33).collect();
    let key = key.trim_end_matches('_');
    if key.starts_with(|c: char| c.is_ascii_lowercase()) {
        key.to_owned()
    } else {
        format!("r_{key}").trim_end_matches('_').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_names() {
        assert_eq!(key_of(" Contrôle de gestion "), "controle_de_gestion");
        assert_eq!(key_of("2nd line"), "r_2nd_line");
        assert_eq!(key_of("営業"), "r");
        assert!(key_of(&"long ".repeat(30)).len() <= 38);
    }

    #[test]
    fn an_auditor_sees_all_that_an_owner_sees_and_writes_nothing() {
        let auditor = Role::Auditor.permissions();
        for permission in Permission::ALL {
            let reads = is_read(*permission);
            // Seeing bank details is a right of its own; the write that it also guards needs parties.write too.
            assert_eq!(
                auditor.has(*permission),
                reads || *permission == Permission::PartiesBank,
                "{permission:?}"
            );
        }
    }

    #[test]
    fn names_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
    }
}
