//! The demo's two companies and their year, decided before anything is written: the same at every start from
//! nothing, but for the dates, which end today.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rust_decimal::Decimal;

/// A company of the demo.
pub(super) struct Cast {
    pub name: &'static str,
    pub legal_form: &'static str,
    pub siren: &'static str,
    /// Domain of its people's e-mails.
    pub mail: &'static str,
    pub four_eyes: bool,
    pub customers: &'static [&'static str],
    pub suppliers: &'static [Supplier],
    pub items: &'static [Article],
    /// Invoices of an average working day, in hundredths.
    pub pace: u32,
    seed: u64,
}

/// Something sold.
pub(super) struct Article {
    pub code: &'static str,
    pub name: &'static str,
    /// A service is taxed when paid.
    pub service: bool,
    /// Cents.
    pub price: i64,
    pub tax_code: &'static str,
}

/// Somebody bought from.
pub(super) struct Supplier {
    pub name: &'static str,
    pub what: &'static str,
    /// Cents, of an ordinary bill.
    pub ordinary: i64,
    /// The expense account.
    pub account: &'static str,
}

const fn article(
    code: &'static str,
    name: &'static str,
    service: bool,
    price: i64,
    tax_code: &'static str,
) -> Article {
    Article { code, name, service, price, tax_code }
}

const fn supplier(name: &'static str, what: &'static str, ordinary: i64, account: &'static str) -> Supplier {
    Supplier { name, what, ordinary, account }
}

/// The two companies.
pub(super) const CAST: [Cast; 2] = [
    Cast {
        name: "Atelier Lumen",
        legal_form: "SAS",
        siren: "732829320",
        mail: "lumen.example",
        four_eyes: false,
        customers: &[
            "Hôtel des Quais",
            "Librairie Mercure",
            "Cabinet Ferrand",
            "Théâtre du Rempart",
            "Maison Aubrac",
            "Studio Nadir",
            "Mairie de Valserine",
            "Clinique Sainte-Foy",
            "Boulangerie Petit",
            "Garage Lemoine",
            "École Saint-Exupéry",
            "Galerie Orme",
            "Cinéma Rialto",
            "Pharmacie du Pont",
            "Restaurant L'Estran",
        ],
        suppliers: &[
            supplier("Verrerie du Nord", "Abat-jour en verre soufflé", 84_000, "601"),
            supplier("Laiton & Fils", "Tubes et raccords de laiton", 46_000, "601"),
            supplier("Électro Distribution", "Douilles, câbles, interrupteurs", 31_500, "607"),
            supplier("Transports Bruneau", "Livraisons", 12_800, "622"),
            supplier("Immobilière Carnot", "Loyer de l'atelier", 210_000, "613"),
            supplier("Énergie Vive", "Électricité", 38_000, "606"),
            supplier("Cabinet Roux", "Honoraires comptables", 45_000, "622"),
        ],
        items: &[
            article("LMP-01", "Lampe de table Aube", false, 14_900, "S20"),
            article("LMP-02", "Lampadaire Zénith", false, 39_000, "S20"),
            article("SUS-01", "Suspension Nacre", false, 22_500, "S20"),
            article("APP-01", "Applique Lune", false, 9_900, "S20"),
            article("AMP-10", "Ampoules, lot de dix", false, 4_500, "S20"),
            article("POSE", "Pose et raccordement", true, 6_500, "S20S"),
            article("ETUDE", "Étude d'éclairage", true, 48_000, "S20S"),
        ],
        pace: 300,
        seed: 11,
    },
    Cast {
        name: "Brasserie du Canal",
        legal_form: "SARL",
        siren: "552100554",
        mail: "canal.example",
        four_eyes: true,
        customers: &[
            "Épicerie Marceau",
            "Bar Le Phare",
            "Cave Bellevue",
            "Comité des Fêtes de Lorme",
            "Hôtel Terminus",
            "Festival des Îles",
            "Halles de la Gare",
            "Traiteur Dubois",
            "Camping du Lac",
            "Association La Ruche",
            "Café de la Poste",
            "Cantine Verte",
        ],
        suppliers: &[
            supplier("Malterie Soufflot", "Malts", 132_000, "601"),
            supplier("Houblons d'Alsace", "Houblons en pellets", 58_000, "601"),
            supplier("Verralia", "Bouteilles 33 cl", 71_000, "601"),
            supplier("Régie des Eaux", "Eau", 16_400, "606"),
            supplier("Frigo Services", "Entretien des groupes froids", 29_000, "622"),
            supplier("Imprimerie Colin", "Étiquettes", 18_700, "606"),
            supplier("Assurances Rive", "Prime trimestrielle", 64_000, "627"),
        ],
        items: &[
            article("BL-33", "Blonde du Canal, 24 × 33 cl", false, 4_320, "S20"),
            article("IPA-33", "IPA de l'Écluse, 24 × 33 cl", false, 5_040, "S20"),
            article("FUT-20", "Fût de 20 litres", false, 7_800, "S20"),
            article("JUS-12", "Jus de houblon sans alcool, 12 × 25 cl", false, 2_160, "S55"),
            article("VISITE", "Visite et dégustation", true, 1_200, "S20S"),
            article("TIREUSE", "Location de tireuse", true, 9_000, "S20S"),
        ],
        pace: 260,
        seed: 23,
    },
];

/// A sale, from the invoice to what the customer thinks of it.
#[derive(Clone, Debug)]
pub(super) struct Sale {
    pub day: NaiveDate,
    pub customer: usize,
    /// Item and quantity.
    pub lines: Vec<(usize, u32)>,
    pub paid: Option<Paid>,
    /// Days after the invoice on which part of it is credited.
    pub credited_on: Option<NaiveDate>,
    pub rating: Option<(NaiveDate, i16)>,
}

/// How a customer pays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paid {
    pub on: NaiveDate,
    /// Percent of what is open; more than a hundred stays on account.
    pub percent: u32,
    pub bounced_on: Option<NaiveDate>,
}

/// A purchase, from the bill to its payment.
#[derive(Clone, Debug)]
pub(super) struct Purchase {
    pub day: NaiveDate,
    pub supplier: usize,
    pub net_cents: i64,
    pub decision: Decision,
    pub decided_on: NaiveDate,
    pub paid_on: Option<NaiveDate>,
}

/// What becomes of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Approve,
    CorrectAndApprove,
    Reject,
}

/// A company's year.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    pub sales: Vec<Sale>,
    pub purchases: Vec<Purchase>,
}

fn after(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

/// Business of a month against an average one, in percent: quiet summers, full Decembers.
fn season(month: u32) -> u32 {
    match month {
        1 | 2 => 85,
        7 | 8 => 70,
        11 => 120,
        12 => 150,
        _ => 100,
    }
}

impl Cast {
    /// The company's year up to a day.
    pub(super) fn story(&self, first: NaiveDate, last: NaiveDate) -> Story {
        let mut dice = StdRng::seed_from_u64(self.seed);
        let mut story = Story::default();
        let mut bills = 0;
        for day in first.iter_days().take_while(|day| *day <= last) {
            if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                continue;
            }
            let expected = self.pace * season(day.month()) / 100;
            let sales = expected / 100 + u32::from(dice.random_range(0..100) < expected % 100);
            story.sales.extend((0..sales).map(|_| self.sale(&mut dice, day)));
            let purchases = 1 + u32::from(dice.random_range(0..100) < 60);
            for _ in 0..purchases {
                story.purchases.push(self.purchase(&mut dice, day, bills));
                bills += 1;
            }
        }
        story
    }

    /// One sale on a day.
    pub(super) fn sale(&self, dice: &mut StdRng, day: NaiveDate) -> Sale {
        let lines = (0..dice.random_range(1..=4))
            .map(|_| (dice.random_range(0..self.items.len()), dice.random_range(1..=12)))
            .collect();
        // Most pay around the thirtieth day, some late, a few not at all.
        let delay = match dice.random_range(0..100) {
            0..55 => Some(dice.random_range(5..32)),
            55..85 => Some(dice.random_range(32..50)),
            85..95 => Some(dice.random_range(50..110)),
            _ => None,
        };
        let paid = delay.map(|days| {
            let on = after(day, days);
            let percent = match dice.random_range(0..100) {
                0..88 => 100,
                88..96 => 50,
                _ => 110,
            };
            let bounced_on = (dice.random_range(0..100) < 2).then(|| after(on, 3));
            Paid { on, percent, bounced_on }
        });
        let credited_on = (dice.random_range(0..100) < 4).then(|| after(day, dice.random_range(2..20)));
        let rating = (dice.random_range(0..100) < 25).then(|| {
            let score = [5, 5, 4, 4, 4, 3, 2, 1][dice.random_range(0..8)];
            (after(day, dice.random_range(1..15)), score)
        });
        Sale { day, customer: dice.random_range(0..self.customers.len()), lines, paid, credited_on, rating }
    }

    /// One purchase on a day.
    pub(super) fn purchase(&self, dice: &mut StdRng, day: NaiveDate, number: usize) -> Purchase {
        let supplier = if number.is_multiple_of(20) {
            4 % self.suppliers.len()
        } else {
            dice.random_range(0..self.suppliers.len())
        };
        let percent: i64 = dice.random_range(60..150);
        let decision = match dice.random_range(0..100) {
            0..90 => Decision::Approve,
            90..95 => Decision::CorrectAndApprove,
            _ => Decision::Reject,
        };
        let decided_on = after(day, dice.random_range(0..9));
        let paid_on = (decision != Decision::Reject && dice.random_range(0..100) < 93)
            .then(|| after(decided_on, dice.random_range(20..40)));
        Purchase {
            day,
            supplier,
            net_cents: self.suppliers[supplier].ordinary * percent / 100,
            decision,
            decided_on,
            paid_on,
        }
    }
}

/// Cents as an amount.
pub(super) fn amount(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}
