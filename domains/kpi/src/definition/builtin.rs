//! The figures that every company starts with.

use super::{Direction, HistoryMeaning, Measure, Parameters, Unit, Window};

/// A definition as it is seeded.
pub(crate) struct Builtin {
    pub(crate) key: &'static str,
    /// French, English.
    pub(crate) label: [&'static str; 2],
    /// French, English.
    pub(crate) description: [&'static str; 2],
    pub(crate) cube: &'static str,
    pub(crate) only: &'static [&'static str],
    pub(crate) measure: Measure,
    pub(crate) window: Window,
    pub(crate) history: HistoryMeaning,
    pub(crate) unit: Unit,
    pub(crate) direction: Direction,
}

impl Builtin {
    pub(crate) fn parameters(&self) -> Parameters {
        Parameters {
            window: self.window,
            history: self.history,
            only: self.only.iter().map(|only| (*only).to_owned()).collect(),
            share_of: if let Measure::Share(of) = &self.measure { of.clone() } else { Vec::new() },
            percentile: if let Measure::Percentile(percent) = self.measure { Some(percent) } else { None },
        }
    }
}

/// Rolling figures look at a quarter: long enough for a small company's percentile to mean something.
const QUARTER: Window = Window::Rolling(90);

pub(crate) fn builtins() -> Vec<Builtin> {
    let mut all = money();
    all.extend(bills());
    all.push(Builtin {
        key: "satisfaction_mean",
        label: ["Satisfaction des clients", "Customer satisfaction"],
        description: [
            "Moyenne des notes de 1 à 5 laissées par les clients au cours des 90 derniers jours.",
            "Mean of the scores from 1 to 5 that customers left in the last 90 days.",
        ],
        cube: "satisfaction",
        only: &[],
        measure: Measure::Mean,
        window: QUARTER,
        history: HistoryMeaning::AsOfDay,
        unit: Unit::Score,
        direction: Direction::Up,
    });
    all
}

fn money() -> Vec<Builtin> {
    let money = |key, label, description, cube, only, window, history, direction| Builtin {
        key,
        label,
        description,
        cube,
        only,
        measure: Measure::Sum,
        window,
        history,
        unit: Unit::Money,
        direction,
    };
    vec![
        money(
            "revenue_month",
            ["Chiffre d'affaires du mois", "Revenue of the month"],
            [
                "Factures émises ce mois, hors taxes, avoirs déduits, par devise.",
                "Invoices issued this month, net of tax, less credit notes, per currency.",
            ],
            "invoice.issued",
            &[],
            Window::Month,
            HistoryMeaning::OfDay,
            Direction::Up,
        ),
        money(
            "cash_received_month",
            ["Encaissements du mois", "Cash received this month"],
            [
                "Paiements reçus ce mois, par devise ; un paiement rejeté ne compte plus au jour de son encaissement.",
                "Payments received this month, per currency; a bounced one no longer counts at the day it came in.",
            ],
            "payment.recorded",
            &["received"],
            Window::Month,
            HistoryMeaning::OfDay,
            Direction::Up,
        ),
        money(
            "receivables_open",
            ["Créances clients", "Receivables open"],
            [
                "Ce que les clients doivent encore sur les factures émises, avoirs non imputés déduits, par devise.",
                "What customers still owe on issued invoices, less credit notes that are not set off yet, per currency.",
            ],
            "receivable.open",
            &[],
            Window::All,
            HistoryMeaning::ByDueDay,
            Direction::Down,
        ),
        money(
            "receivables_overdue",
            ["Créances échues", "Receivables overdue"],
            [
                "Ce que les clients doivent encore sur les factures dont l'échéance est passée, par devise.",
                "What customers still owe on invoices whose due date has passed, per currency.",
            ],
            "receivable.open",
            &["invoice"],
            Window::BeforeToday,
            HistoryMeaning::ByDueDay,
            Direction::Down,
        ),
        money(
            "payables_open",
            ["Dettes fournisseurs", "Payables open"],
            [
                "Ce qui reste à payer sur les factures fournisseurs comptabilisées, avoirs déduits, par devise.",
                "What is still to be paid on posted bills, less supplier credit notes, per currency.",
            ],
            "payable.open",
            &[],
            Window::All,
            HistoryMeaning::ByDueDay,
            Direction::Down,
        ),
    ]
}

fn bills() -> Vec<Builtin> {
    let bills = |key, label, description, cube, measure, window, history, unit| Builtin {
        key,
        label,
        description,
        cube,
        only: &[],
        measure,
        window,
        history,
        unit,
        direction: Direction::Down,
    };
    vec![
        bills(
            "bills_waiting",
            ["Factures à approuver", "Bills waiting for approval"],
            [
                "Factures et avoirs fournisseurs reçus sur lesquels personne n'a encore statué ; montants par devise.",
                "Bills and supplier credit notes that nobody has decided on yet; amounts per currency.",
            ],
            "bill.waiting",
            Measure::Count,
            Window::All,
            HistoryMeaning::ByReceiptDay,
            Unit::Count,
        ),
        bills(
            "approval_time_mean",
            ["Délai moyen d'approbation", "Mean approval time"],
            [
                "De la réception à l'approbation d'une facture fournisseur, moyenne des 90 derniers jours.",
                "From receipt to approval of a bill, mean of the last 90 days.",
            ],
            "bill.approval_time",
            Measure::Mean,
            QUARTER,
            HistoryMeaning::AsOfDay,
            Unit::Duration,
        ),
        bills(
            "approval_time_p90",
            ["Délai d'approbation (90 %)", "Approval time (p90)"],
            [
                "Neuf factures sur dix des 90 derniers jours ont été approuvées en moins de temps ; exact à 6,25 % près.",
                "Nine bills in ten of the last 90 days were approved in less time; exact to 6.25 %.",
            ],
            "bill.approval_time",
            Measure::Percentile(90),
            QUARTER,
            HistoryMeaning::AsOfDay,
            Unit::Duration,
        ),
        bills(
            "bill_error_rate",
            ["Factures en erreur", "Bill error rate"],
            [
                "Part des factures fournisseurs reçues au cours des 90 derniers jours et traitées qui ont dû être \
                 corrigées ou rejetées.",
                "Share of the bills received in the last 90 days and decided on that had to be corrected or rejected.",
            ],
            "bill.outcome",
            Measure::Share(vec!["corrected".to_owned(), "rejected".to_owned()]),
            QUARTER,
            HistoryMeaning::AsOfDay,
            Unit::Ratio,
        ),
    ]
}
