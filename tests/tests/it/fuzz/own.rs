//! What the asking company fills its calls with, so that they get as far as they can.

use std::cell::Cell;

use serde_json::{Value, json};

use super::seed::{ASKING, Company};
use crate::server::PASSWORD;
use crate::walk::{Fill, Place, Target, kinds_of};

/// The asking company's values.
pub(super) struct Own<'a> {
    company: &'a Company,
    /// Grows with each call, for what must be new each time.
    turn: Cell<u32>,
}

/// The thing that a call means where not any thing of its kind will do: what would be refused for its state before the
/// rest is looked at, and what a call changes and others need as it is.
const MEANT: [(&str, &str, &str); 56] = [
    ("updateApiKey", "apiKeyId", "api_key"),
    ("rotateApiKey", "apiKeyId", "api_key"),
    ("handOverApiKey", "apiKeyId", "api_key"),
    ("handOverApiKey", "memberId", "membership.other"),
    ("openPostings", "accountId", "account.receivable"),
    ("allocatePayment", "paymentId", "payment.open"),
    ("allocatePayment", "documentId", "invoice.issued"),
    ("bouncePayment", "paymentId", "payment"),
    ("changeRole", "memberId", "membership"),
    ("removeMember", "memberId", "membership.other"),
    ("updateParty", "partyId", "customer"),
    ("archiveParty", "partyId", "customer"),
    ("unarchiveParty", "partyId", "party.archived"),
    ("updateItem", "itemId", "item.spare"),
    ("archiveItem", "itemId", "item.spare"),
    ("updateItem", "accountId", "account.income"),
    ("createCreditNote", "invoiceId", "invoice.issued"),
    ("createCreditNote", "lineId", "invoice_line.issued"),
    ("updateCreditNote", "creditNoteId", "credit_note.draft"),
    ("updateCreditNote", "lineId", "invoice_line.issued"),
    ("setCreditNote", "creditNoteId", "credit_note.issued"),
    ("setCreditNote", "documentId", "invoice.issued"),
    ("createInvoice", "accountId", "account.income"),
    ("updateInvoice", "invoiceId", "invoice.draft"),
    ("discardInvoice", "invoiceId", "invoice.other_draft"),
    ("issueInvoice", "invoiceId", "invoice.draft"),
    ("enterBill", "correctsId", "bill.posted"),
    ("enterBill", "fileId", "file.second"),
    ("correctBill", "lineId", "bill_line"),
    ("correctBill", "removed", "bill_line"),
    ("correctBill", "billId", "bill.received"),
    ("rejectBill", "billId", "bill.other"),
    ("postBill", "billId", "bill.approved"),
    ("archiveApplication", "applicationId", "application.to_archive"),
    ("resendInvitation", "invitationId", "invitation.open"),
    ("revokeInvitation", "invitationId", "invitation.to_revoke"),
    ("closeAccount", "accountId", "account.unused"),
    ("reopenAccount", "accountId", "account.unused"),
    ("deleteAccount", "accountId", "account.unused"),
    ("lockPeriod", "periodId", "period.open"),
    ("reopenPeriod", "periodId", "period.open"),
    ("closePeriod", "periodId", "period.locked"),
    ("updateJournalEntry", "journalEntryId", "journal_entry.draft"),
    ("discardJournalEntry", "journalEntryId", "journal_entry.to_discard"),
    ("postJournalEntry", "journalEntryId", "journal_entry.to_post"),
    ("reverseJournalEntry", "journalEntryId", "journal_entry.to_reverse"),
    ("matchPostings", "debitPostingId", "posting.debit"),
    ("matchPostings", "creditPostingId", "posting.credit"),
    ("unmatchPostings", "matchingId", "matching"),
    ("importBills", "uploadIds", "file.first"),
    ("archiveDashboard", "dashboardId", "dashboard.to_archive"),
    ("updateDashboard", "dashboardId", "dashboard"),
    ("createEmbedLink", "dashboardId", "dashboard"),
    ("archiveKpi", "kpiId", "kpi.to_archive"),
    ("redefineKpi", "kpiId", "kpi.own"),
    ("revokeEmbedLink", "embedLinkId", "embed_link"),
];

/// Values by the end of the path, or of the path and the field before it. `@now` is today, `@new` a text never used
/// before, `@NEW` the same in capitals and digits, `@soon` a time to come.
const VALUES: [(&str, &str); 61] = [
    ("signIn.input.email", ASKING.email),
    ("signUp.input.email", "@new@ardenholt.example"),
    ("inviteMember.input.email", "@new@ardenholt.example"),
    ("inviteMember.input.role", "sales"),
    ("password", PASSWORD),
    ("createAccount.input.number", "47@NEW"),
    ("createCreditNote.input.lines.amount.net", "1"),
    ("exchangeRate.currency", "GBP"),
    ("setExchangeRate.input.currency", "JPY"),
    ("setExchangeRate.input.rate", "0.006"),
    ("account.number", "46ARD"),
    ("homepage", "https://own.example"),
    ("redirectUris", "https://own.example/cb"),
    ("createCompany.input.company.name", "@new"),
    ("renameJournal.input.code", "@NEW"),
    ("createUpload.input.mediaType", "application/xml"),
    ("createUpload.input.name", "@new.xml"),
    ("createDashboard.input.title", "@new"),
    ("layout.id", "@new"),
    ("layout.kpiKey", "revenue_month"),
    ("createKpi.input.key", "@new"),
    ("createKpi.input.labelFr", "@new"),
    ("createKpi.input.labelEn", "@new"),
    ("spec.cube", "invoice.issued"),
    ("spec.dimensions", "kind"),
    ("over.cube", "invoice.issued"),
    ("measure.quantity", "net"),
    ("filter.dimension", "customer"),
    ("shareOf.dimension", "customer"),
    ("lockedFilters.dimension", "kind"),
    ("lockedFilters.anyOf", "invoice"),
    ("series.dimension", "kind"),
    ("hours.opens", "09:00"),
    ("hours.closes", "17:30"),
    ("createEmbedLink.input.expiresAt", "@soon"),
    ("snoozeKpiAlert.input.until", "@soon"),
    ("createTaxCode.input.rate", "20"),
    ("createTaxCode.input.code", "@NEW"),
    ("createItem.input.code", "@NEW"),
    ("enterBill.input.number", "@new"),
    ("lines.category", "S"),
    ("added.category", "S"),
    ("taxes.category", "S"),
    ("rate", "20"),
    ("lines.net", "10"),
    ("added.net", "10"),
    ("lines.quantity", "1"),
    ("amount.currency", "EUR"),
    ("currency", "EUR"),
    ("country", "FR"),
    ("timeZone", "Europe/Paris"),
    ("locale", "fr"),
    ("legalForm", "SAS"),
    ("from", "@now"),
    ("to", "@now"),
    ("date", "@now"),
    ("on", "@now"),
    ("paidOn", "@now"),
    ("issueDate", "@now"),
    ("permissions", "kpi.read"),
    ("name", "@new"),
];

/// What is optional and given all the same, because without it the call is refused before it looks at the rest.
const GIVEN: [&str; 12] = [
    "createParty.input.isCustomer",
    "createKpi.input.spec.measure.quantity",
    "redefineKpi.input.spec.measure.quantity",
    "snoozeKpiAlert.input.until",
    "registerApplication.input.redirectUris",
    "createInvoice.input.currency",
    "createInvoice.input.lines.itemId",
    "updateInvoice.input.lines.itemId",
    "enterBill.input.lines.net",
    "correctBill.input.added.net",
    "createJournalEntry.input.entry.lines.debit",
    "updateJournalEntry.input.entry.lines.debit",
];

impl<'a> Own<'a> {
    pub(super) fn new(company: &'a Company) -> Self {
        Self { company, turn: Cell::new(0) }
    }

    /// An own id of a kind.
    pub(super) fn of_kind(&self, kind: &str) -> Option<&str> {
        self.company.house.ids.get(kind).map(String::as_str)
    }

    /// What else a call must say for it to look at a value in a place.
    pub(super) fn beside(path: &str) -> Option<(&'static str, &'static str)> {
        match path {
            "dimension" => Some(("value", "invoice")),
            "value" => Some(("dimension", "customer")),
            _ if path.contains(".measure.shareOf.") => Some(("input.spec.measure.kind", "SHARE")),
            _ if path.contains(".measure.over.") => Some(("input.spec.measure.kind", "QUOTIENT")),
            _ => None,
        }
    }

    /// The next call has texts of its own.
    pub(super) fn turn(&self) {
        self.turn.set(self.turn.get() + 1);
    }

    /// Own ids that a place may name, the meant one first.
    pub(super) fn candidates(&self, target: &Target, place: &Place) -> Vec<String> {
        let leaf = place.leaf();
        let things = &self.company.things;
        let meant = MEANT.iter().find(|(field, name, _)| *field == target.field && *name == leaf);
        let alike = |label: &str, known: &str| {
            known.strip_prefix(label).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let meant = meant.into_iter().flat_map(|(_, _, label)| {
            things.iter().filter(|(known, _)| alike(label, known)).map(|(_, id)| id.clone())
        });
        let mut ids: Vec<String> = meant.collect();
        for kind in kinds_of(leaf).unwrap_or_default() {
            ids.extend(self.company.house.ids.get(kind).cloned());
            let of_kind =
                things.values().filter(|id| id.rsplit_once('_').is_some_and(|(prefix, _)| prefix == *kind));
            ids.extend(of_kind.cloned());
        }
        let mut seen = std::collections::BTreeSet::new();
        // Whoever asks must stay a member: the oldest is the owner who asks.
        ids.retain(|id| seen.insert(id.clone()) && *id != self.company.house.ids["membership"]);
        ids
    }

    fn written(&self, pattern: &str) -> String {
        let turn = self.turn.get();
        pattern
            .replace("@now", &self.company.today)
            .replace("@soon", &self.company.soon)
            .replace("@new", &format!("own{turn}"))
            .replace("@NEW", &format!("N{turn}"))
    }
}

impl Fill for Own<'_> {
    fn value(&self, target: &Target, place: &Place) -> Option<Value> {
        let leaf = place.leaf();
        let whole = format!("{}.{}", target.field, place.path);
        if !place.required && !GIVEN.contains(&whole.as_str()) && leaf != "first" {
            return None;
        }
        match place.type_name.as_str() {
            "MoneyInput" => Some(json!({"amount": "1", "currency": "EUR"})),
            "ID" => self.candidates(target, place).into_iter().next().map(Value::from),
            "Int" if leaf == "first" => Some(json!(3)),
            "Int" if leaf == "size" => Some(json!(4)),
            "Boolean" => Some(json!(true)),
            "String" | "Date" | "DateTime" | "Decimal" => {
                let fits = |end: &str| whole == end || whole.ends_with(&format!(".{end}"));
                let (_, pattern) = VALUES.iter().find(|(end, _)| fits(end))?;
                Some(json!(self.written(pattern)))
            }
            _ => None,
        }
    }
}
