//! The figures that every company starts with.

use invoicing::cubes as of;
use kernel::cube::Cube;

use super::spec::{Part, Total};
use super::{Condition, Direction, Grain, Measure, Slices, Spec, Unit, Window};

/// A definition as it is seeded.
pub(crate) struct Builtin {
    pub(crate) key: &'static str,
    /// French, English.
    pub(crate) label: [&'static str; 2],
    /// French, English.
    pub(crate) description: [&'static str; 2],
    pub(crate) cube: &'static Cube,
    pub(crate) filter: Vec<Condition>,
    pub(crate) measure: Measure,
    pub(crate) window: Window,
    /// By which dimensions it can be split; those that the cube's own rollup keeps.
    pub(crate) dimensions: &'static [&'static str],
    pub(crate) direction: Direction,
}

impl Builtin {
    pub(crate) fn spec(&self) -> Spec {
        Spec {
            cube: self.cube,
            filter: self.filter.clone(),
            measure: self.measure.clone(),
            window: self.window,
            dimensions: self.dimensions.iter().map(|name| (*name).to_owned()).collect(),
            // Each of them has one, as a test holds.
            unit: self.measure.unit().unwrap_or(Unit::Count),
            slices: Slices::default(),
        }
    }
}

/// The month of today, days to come included.
const MONTH: Window = Window::Calendar { period: Grain::Month, to_date: false };
/// Rolling figures look at a quarter: long enough for a small company's percentile to mean something.
const QUARTER: Window = Window::Rolling { days: 90 };

pub(crate) fn builtins() -> Vec<Builtin> {
    let mut all = sales();
    all.extend(receivables());
    all.extend(purchases());
    all.extend(bills());
    all.push(Builtin {
        key: "satisfaction_mean",
        label: ["Satisfaction des clients", "Customer satisfaction"],
        description: [
            "Moyenne des notes de 1 à 5 laissées par les clients au cours des 90 derniers jours.",
            "Mean of the scores from 1 to 5 that customers left in the last 90 days.",
        ],
        cube: &of::SATISFACTION,
        filter: Vec::new(),
        measure: Measure::Mean(&of::SATISFACTION.quantities[0]),
        window: QUARTER,
        dimensions: &[],
        direction: Direction::Up,
    });
    all
}

fn only(kind: &str) -> Vec<Condition> {
    vec![Condition::any_of("kind", [kind])]
}

fn moved(direction: &str) -> Vec<Condition> {
    vec![Condition::any_of("direction", [direction])]
}

fn sales() -> Vec<Builtin> {
    vec![
        Builtin {
            key: "revenue_month",
            label: ["Chiffre d'affaires du mois", "Revenue of the month"],
            description: [
                "Factures émises ce mois, hors taxes, avoirs déduits, par devise.",
                "Invoices issued this month, net of tax, less credit notes, per currency.",
            ],
            cube: &of::INVOICE_ISSUED,
            filter: Vec::new(),
            measure: Measure::Sum(&of::INVOICE_ISSUED.quantities[0]),
            window: MONTH,
            dimensions: &["kind"],
            direction: Direction::Up,
        },
        Builtin {
            key: "invoices_issued_month",
            label: ["Factures émises du mois", "Invoices issued this month"],
            description: [
                "Nombre de factures émises ce mois, avoirs non compris ; montants hors taxes par devise.",
                "How many invoices were issued this month, without credit notes; amounts net of tax per currency.",
            ],
            cube: &of::INVOICE_ISSUED,
            filter: only("invoice"),
            measure: Measure::Count,
            window: MONTH,
            dimensions: &[],
            direction: Direction::Up,
        },
        Builtin {
            key: "average_invoice",
            label: ["Facture moyenne", "Average invoice"],
            description: [
                "Montant moyen hors taxes des factures émises au cours des 90 derniers jours, par devise.",
                "Mean amount, net of tax, of the invoices issued in the last 90 days, per currency.",
            ],
            cube: &of::INVOICE_ISSUED,
            filter: only("invoice"),
            measure: Measure::Mean(&of::INVOICE_ISSUED.quantities[0]),
            window: QUARTER,
            dimensions: &[],
            direction: Direction::Up,
        },
        Builtin {
            key: "cash_received_month",
            label: ["Encaissements du mois", "Cash received this month"],
            description: [
                "Paiements reçus ce mois, par devise ; un paiement rejeté ne compte plus au jour de son encaissement.",
                "Payments received this month, per currency; a bounced one no longer counts at the day it came in.",
            ],
            cube: &of::PAYMENT_RECORDED,
            filter: moved("received"),
            measure: Measure::Sum(&of::PAYMENT_RECORDED.quantities[0]),
            window: MONTH,
            dimensions: &[],
            direction: Direction::Up,
        },
        Builtin {
            key: "cash_paid_month",
            label: ["Décaissements du mois", "Cash paid this month"],
            description: [
                "Paiements effectués ce mois, par devise ; un paiement rejeté ne compte plus au jour de son émission.",
                "Payments made this month, per currency; a bounced one no longer counts at the day it went out.",
            ],
            cube: &of::PAYMENT_RECORDED,
            filter: moved("made"),
            measure: Measure::Sum(&of::PAYMENT_RECORDED.quantities[0]),
            window: MONTH,
            dimensions: &[],
            direction: Direction::Down,
        },
    ]
}

/// What stood open at the end of a day, in each currency.
fn balance(
    key: &'static str,
    label: [&'static str; 2],
    description: [&'static str; 2],
    cube: &'static Cube,
    filter: Vec<Condition>,
) -> Builtin {
    Builtin {
        key,
        label,
        description,
        cube,
        filter,
        measure: Measure::Sum(&cube.quantities[0]),
        window: Window::Balance,
        dimensions: &["kind"],
        direction: Direction::Down,
    }
}

fn receivables() -> Vec<Builtin> {
    let base = &of::RECEIVABLE_BALANCE.quantities[1];
    vec![
        balance(
            "receivables_open",
            ["Créances clients", "Receivables open"],
            [
                "Ce que les clients doivent encore sur les factures émises, avoirs non imputés déduits, par devise.",
                "What customers still owe on issued invoices, less credit notes that are not set off yet, per currency.",
            ],
            &of::RECEIVABLE_BALANCE,
            Vec::new(),
        ),
        balance(
            "receivables_overdue",
            ["Créances échues", "Receivables overdue"],
            [
                "Ce que les clients doivent encore sur les factures dont l'échéance est passée, par devise.",
                "What customers still owe on invoices whose due date has passed, per currency.",
            ],
            &of::RECEIVABLE_OVERDUE,
            only("invoice"),
        ),
        Builtin {
            key: "overdue_share",
            label: ["Part des créances échues", "Share of receivables overdue"],
            description: [
                "Part de ce que les clients doivent sur les factures dont l'échéance est passée, dans la devise de la société.",
                "How much of what customers owe on invoices is overdue, in the company's currency.",
            ],
            cube: &of::RECEIVABLE_OVERDUE,
            filter: only("invoice"),
            measure: Measure::Quotient {
                of: Total::Sum(&of::RECEIVABLE_OVERDUE.quantities[1]),
                over: Part {
                    cube: &of::RECEIVABLE_BALANCE,
                    filter: only("invoice"),
                    total: Total::Sum(base),
                },
            },
            window: Window::Balance,
            dimensions: &[],
            direction: Direction::Down,
        },
        Builtin {
            key: "days_to_pay_mean",
            label: ["Délai de paiement des clients", "Mean time to be paid"],
            description: [
                "Du jour de l'émission d'une facture à celui de son règlement complet, moyenne des factures réglées au cours \
                 des 90 derniers jours.",
                "From the issue date of an invoice to the day it was settled in full, mean of the invoices settled in the \
                 last 90 days.",
            ],
            cube: &of::INVOICE_PAID,
            filter: Vec::new(),
            measure: Measure::Mean(&of::INVOICE_PAID.quantities[0]),
            window: QUARTER,
            dimensions: &[],
            direction: Direction::Down,
        },
    ]
}

fn purchases() -> Vec<Builtin> {
    vec![
        Builtin {
            key: "purchases_month",
            label: ["Achats du mois", "Purchases of the month"],
            description: [
                "Factures fournisseurs comptabilisées ce mois, hors taxes, avoirs déduits, par devise.",
                "Bills posted this month, net of tax, less supplier credit notes, per currency.",
            ],
            cube: &of::BILL_POSTED,
            filter: Vec::new(),
            measure: Measure::Sum(&of::BILL_POSTED.quantities[0]),
            window: MONTH,
            dimensions: &["kind"],
            direction: Direction::Down,
        },
        balance(
            "payables_open",
            ["Dettes fournisseurs", "Payables open"],
            [
                "Ce qui reste à payer sur les factures fournisseurs comptabilisées, avoirs déduits, par devise.",
                "What is still to be paid on posted bills, less supplier credit notes, per currency.",
            ],
            &of::PAYABLE_BALANCE,
            Vec::new(),
        ),
        balance(
            "payables_overdue",
            ["Dettes fournisseurs échues", "Payables overdue"],
            [
                "Ce qui reste à payer sur les factures fournisseurs dont l'échéance est passée, par devise.",
                "What is still to be paid on bills whose due date has passed, per currency.",
            ],
            &of::PAYABLE_OVERDUE,
            only("bill"),
        ),
    ]
}

fn bills() -> Vec<Builtin> {
    let bills = |key, label, description, cube, measure, window, dimensions| Builtin {
        key,
        label,
        description,
        cube,
        filter: Vec::new(),
        measure,
        window,
        dimensions,
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
            &of::BILL_QUEUE,
            Measure::Count,
            Window::Balance,
            &["kind"],
        ),
        bills(
            "approval_time_mean",
            ["Délai moyen d'approbation", "Mean approval time"],
            [
                "De la réception à l'approbation d'une facture fournisseur, moyenne des 90 derniers jours.",
                "From receipt to approval of a bill, mean of the last 90 days.",
            ],
            &of::BILL_APPROVAL_TIME,
            Measure::Mean(&of::BILL_APPROVAL_TIME.quantities[0]),
            QUARTER,
            &[],
        ),
        bills(
            "approval_time_p90",
            ["Délai d'approbation (90 %)", "Approval time (p90)"],
            [
                "Neuf factures sur dix des 90 derniers jours ont été approuvées en moins de temps ; exact à 6,25 % près.",
                "Nine bills in ten of the last 90 days were approved in less time; exact to 6.25 %.",
            ],
            &of::BILL_APPROVAL_TIME,
            Measure::Percentile(90),
            QUARTER,
            &[],
        ),
        Builtin {
            key: "approval_working_time",
            label: ["Délai d'approbation ouvré", "Approval time in working hours"],
            description: [
                "De la réception à l'approbation d'une facture fournisseur, en heures ouvrées, moyenne des 90 derniers jours.",
                "From receipt to approval of a bill, in working hours, mean of the last 90 days.",
            ],
            cube: &of::PROCESS_BUSINESS_TIME,
            filter: vec![Condition::any_of("path", ["bill.received.approved"])],
            measure: Measure::Mean(&of::PROCESS_BUSINESS_TIME.quantities[0]),
            window: QUARTER,
            dimensions: &[],
            direction: Direction::Down,
        },
        bills(
            "bill_error_rate",
            ["Factures en erreur", "Bill error rate"],
            [
                "Part des factures fournisseurs reçues au cours des 90 derniers jours et traitées qui ont dû être \
                 corrigées ou rejetées.",
                "Share of the bills received in the last 90 days and decided on that had to be corrected or rejected.",
            ],
            &of::BILL_OUTCOME,
            Measure::Share(Condition::any_of("outcome", ["corrected", "rejected"])),
            QUARTER,
            &["outcome"],
        ),
    ]
}
