//! What an actor may do. Roles and API keys are sets of these.

macro_rules! permissions {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A right to one kind of work, named `<domain>.<verb>`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Permission { $($(#[doc = $doc])+ $variant,)+ }

        impl Permission {
            /// Every permission there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stored and public name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it allows, for people who hand it out.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)+),)+ }
            }

            /// The permission of that name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

permissions! {
    /// Read the company's own profile and settings.
    CompanyRead = "company.read",
    /// Change the company's profile and settings.
    CompanyManage = "company.manage",
    /// See who is a member and with which role.
    MembersRead = "members.read",
    /// Add and remove members and change their roles.
    MembersManage = "members.manage",
    /// See the API keys (never their secret).
    ApiKeysRead = "api_keys.read",
    /// Create and revoke API keys.
    ApiKeysManage = "api_keys.manage",
    /// See the applications that the company has registered for OAuth 2.0 (never their secrets).
    ApplicationsRead = "applications.read",
    /// Register, change and archive applications, and change their secrets.
    ApplicationsManage = "applications.manage",
    /// See the sign-in providers and the domains of the company (never a provider's secret).
    SsoRead = "sso.read",
    /// Register sign-in providers, claim domains, and say who joins by them.
    SsoManage = "sso.manage",
    /// See the trusted documents: the texts that clients may send by their hash.
    TrustedDocumentsRead = "trusted_documents.read",
    /// Register and archive trusted documents, and send any text where only trusted ones are allowed.
    TrustedDocumentsManage = "trusted_documents.manage",
    /// Read the audit trail: who changed what, and from where.
    AuditRead = "audit.read",
    /// Read accounts, journals, entries, balances and reports.
    LedgerRead = "ledger.read",
    /// Write draft journal entries.
    LedgerDraft = "ledger.draft",
    /// Post and reverse journal entries, and match them.
    LedgerPost = "ledger.post",
    /// Add, rename and close accounts and journals; set exchange rates.
    LedgerConfigure = "ledger.configure",
    /// Lock and close periods and fiscal years.
    LedgerClose = "ledger.close",
    /// Read customers and suppliers.
    PartiesRead = "parties.read",
    /// Create and change customers and suppliers.
    PartiesWrite = "parties.write",
    /// See and change bank details of customers and suppliers.
    PartiesBank = "parties.bank",
    /// Read items, tax codes and prices.
    CatalogRead = "catalog.read",
    /// Create and change items and tax codes.
    CatalogWrite = "catalog.write",
    /// Read customer invoices and credit notes.
    InvoicingRead = "invoicing.read",
    /// Write draft invoices and credit notes.
    InvoicingDraft = "invoicing.draft",
    /// Issue invoices and credit notes.
    InvoicingIssue = "invoicing.issue",
    /// Read supplier bills.
    BillsRead = "bills.read",
    /// Enter, import and correct supplier bills.
    BillsEnter = "bills.enter",
    /// Approve and reject supplier bills.
    BillsApprove = "bills.approve",
    /// Post approved supplier bills to the ledger.
    BillsPost = "bills.post",
    /// Read payments and their allocations.
    PaymentsRead = "payments.read",
    /// Record, allocate and bounce payments.
    PaymentsWrite = "payments.write",
    /// Read and download files.
    FilesRead = "files.read",
    /// Upload files.
    FilesWrite = "files.write",
    /// Read KPIs and their history; look after alerts; keep dashboards of one's own.
    KpiRead = "kpi.read",
    /// Define KPIs, their targets and thresholds; share dashboards, and show them to outsiders.
    KpiManage = "kpi.manage",
}

/// A set of permissions, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(u128);

impl PermissionSet {
    /// No permission.
    pub const NONE: Self = Self(0);

    /// Every permission.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Whether the permission is in the set.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// The set with one more.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | 1 << permission as u8)
    }

    /// What is in both sets: an API key never exceeds who made it.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether everything in `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The permissions, in their declared order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |p| self.has(*p))
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, p| bits | 1 << p as u8))
    }
}
