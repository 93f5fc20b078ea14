//! The built-in roles.

use kernel::{Permission, PermissionSet};

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

/// Whether a permission only lets read.
fn is_read(permission: Permission) -> bool {
    permission.as_str().split_once('.').is_some_and(|(_, verb)| verb == "read")
}

#[cfg(test)]
mod tests {
    use super::*;

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
