//! Pseudo-random histories of issuing, paying, allocating, undoing, bouncing and crediting: what must hold
//! holds after each step, paying everything leaves nothing waiting, and taking everything back leaves no trace.

use chrono::{Days, NaiveDate};
use invoicing::payment::{self, Direction, NewPayment, Target};
use kernel::Currency;
use uuid::Uuid;

use super::books;
use super::world::{Open, World, allocate, bounce, credit, deallocate, new_payment, record};

/// A small deterministic generator (SplitMix64): the seed is the test's name for its history.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let roll = i64::try_from((z ^ (z >> 31)) >> 2).expect("62 bits");
        roll % end.max(1)
    }

    fn between(&mut self, first: i64, last: i64) -> i64 {
        first + self.below(last - first + 1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(usize::try_from(self.below(i64::try_from(from.len()).expect("few"))).expect("an index"))
    }

    /// Lines of a document: net amounts in minor units, and whether their tax waits for payment.
    fn lines(&mut self) -> Vec<(i64, bool)> {
        (0..self.between(1, 3)).map(|_| (self.between(1, 50_000), self.below(3) > 0)).collect()
    }
}

/// What pays back what payments of this direction pay.
fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Received => Direction::Made,
        Direction::Made => Direction::Received,
    }
}

struct History {
    world: World,
    /// The currency of every document and payment.
    currency: &'static str,
    dice: Dice,
    parties: Vec<(Uuid, Direction)>,
    payments: Vec<Uuid>,
    allocations: Vec<Uuid>,
    /// How often each kind of step happened: a history that does nothing proves nothing.
    done: [usize; 8],
}

impl History {
    async fn begin(seed: u64, currency: &'static str) -> Self {
        let world = World::new().await;
        if currency != "EUR" {
            world.rate(currency, "0.0061").await;
        }
        let parties = vec![
            (world.customer("A").await, Direction::Received),
            (world.customer("B").await, Direction::Received),
            (world.supplier("S", true).await, Direction::Made),
            (world.supplier("T", false).await, Direction::Made),
        ];
        let (payments, allocations) = (Vec::new(), Vec::new());
        Self { world, currency, dice: Dice(seed), parties, payments, allocations, done: [0; 8] }
    }

    /// A document of a party that has something open, of the side that `settled_by` pays.
    async fn some_open(&mut self, party: Uuid, settled_by: Direction) -> Option<Open> {
        let open = self.world.open_of(party, settled_by).await;
        self.dice.pick(&open).cloned()
    }

    async fn step(&mut self) -> &'static str {
        if self.dice.below(4) == 0 {
            self.world.tomorrow();
        }
        let roll = self.dice.below(24);
        let (index, name, did) = match roll {
            0..=4 => (0, "issue", self.document(false).await),
            5..=7 => (1, "credit note", self.document(true).await),
            8..=11 => (2, "pay", self.pay().await),
            12..=14 => (3, "allocate", self.allocate().await),
            15 | 16 => (4, "undo", self.undo().await),
            17 | 18 => (5, "bounce", self.bounce().await),
            19..=21 => (6, "set a credit note", self.credit().await),
            _ => (7, "refund", self.refund().await),
        };
        self.done[index] += usize::from(did);
        name
    }

    async fn document(&mut self, credit: bool) -> bool {
        let (party, pays) = *self.dice.pick(&self.parties).expect("a party");
        let lines = self.dice.lines();
        let _id = match (pays, credit) {
            (Direction::Received, false) => self.world.invoice_in(self.currency, party, &lines).await,
            (Direction::Received, true) => {
                let Some(corrected) = self.world.some_invoice(party).await else { return false };
                let share = self.dice.between(1, 100);
                return self.world.credit_note(corrected, share).await.is_some();
            }
            (Direction::Made, false) => self.world.bill_in(self.currency, party, &lines).await,
            (Direction::Made, true) => self.world.supplier_credit_in(self.currency, party, &lines).await,
        };
        true
    }

    /// A payment in the history's currency, at a rate within 10 % of the documents'.
    fn money(&mut self, direction: Direction, party: Uuid, paid_on: NaiveDate, amount: i64) -> NewPayment {
        let mut payment = new_payment(direction, party, paid_on, amount);
        if self.currency != "EUR" {
            payment.currency = Currency::parse(self.currency).expect("currency");
            payment.base_minor = Some((amount * 61 * self.dice.between(90, 110) / 10_000).max(1));
        }
        payment
    }

    async fn pay(&mut self) -> bool {
        let (party, direction) = *self.dice.pick(&self.parties).expect("a party");
        let open = self.world.open_of(party, direction).await;
        let mut allocations: Vec<(Target, i64)> = Vec::new();
        for document in open.iter().take(usize::try_from(self.dice.below(4)).expect("few")) {
            let whole = self.dice.below(2) == 0;
            let amount = if whole { document.open } else { self.dice.between(1, document.open) };
            allocations.push((document.target, amount));
        }
        let over = if self.dice.below(3) == 0 { self.dice.between(1, 20_000) } else { 0 };
        let amount = allocations.iter().map(|(_, amount)| amount).sum::<i64>() + over;
        if amount == 0 {
            return false;
        }
        // Some payments become known late: their journals have gone on by then.
        let late = Days::new(u64::try_from(self.dice.below(3)).expect("few"));
        let paid_on = self.world.scope.today() - late;
        let mut payment = self.money(direction, party, paid_on, amount);
        payment.allocations = allocations;
        let id = record(&self.world.scope, payment).await.expect("recorded");
        self.allocations.extend(self.world.allocations_of(id).await);
        self.payments.push(id);
        true
    }

    async fn allocate(&mut self) -> bool {
        let Some(id) = self.dice.pick(&self.payments).copied() else { return false };
        let payment = self.world.payment(id).await;
        let left = payment::on_account_minor(&payment);
        let direction = Direction::parse(&payment.direction).expect("a direction");
        let Some(open) = self.some_open(payment.party_id, direction).await else { return false };
        if left == 0 {
            return false;
        }
        let amount = self.dice.between(1, open.open.min(left));
        let made = allocate(&self.world.scope, id, vec![(open.target, amount)]).await;
        self.allocations.extend(made.expect("allocated"));
        true
    }

    async fn undo(&mut self) -> bool {
        while !self.allocations.is_empty() {
            let at = self.dice.below(i64::try_from(self.allocations.len()).expect("few"));
            let id = self.allocations.swap_remove(usize::try_from(at).expect("an index"));
            match deallocate(&self.world.scope, id).await {
                Ok(_) => return true,
                // Its payment has bounced meanwhile.
                Err(invoicing::Error::AlreadyUndone) => {}
                Err(error) => panic!("undone: {error:?}"),
            }
        }
        false
    }

    async fn bounce(&mut self) -> bool {
        let Some(id) = self.dice.pick(&self.payments).copied() else { return false };
        let today = self.world.scope.today();
        match bounce(&self.world.scope, id, today).await {
            Ok(()) => true,
            Err(invoicing::Error::AlreadyBounced) => false,
            Err(error) => panic!("bounced: {error:?}"),
        }
    }

    /// A credit note that is not used up: its party, and the direction of what it may be set against.
    async fn some_note(&mut self) -> Option<(Uuid, Direction, Open)> {
        let first = usize::try_from(self.dice.below(4)).expect("few");
        for at in 0..self.parties.len() {
            let (party, direction) = self.parties[(first + at) % self.parties.len()];
            if let Some(note) = self.some_open(party, opposite(direction)).await {
                return Some((party, direction, note));
            }
        }
        None
    }

    async fn credit(&mut self) -> bool {
        let Some((party, direction, note)) = self.some_note().await else { return false };
        let Some(document) = self.some_open(party, direction).await else { return false };
        let amount = self.dice.between(1, note.open.min(document.open));
        let set = credit(&self.world.scope, note.target, document.target, amount).await;
        self.allocations.push(set.expect("set against"));
        true
    }

    /// Pays a customer's credit note back, or receives a supplier's.
    async fn refund(&mut self) -> bool {
        let Some((party, direction, note)) = self.some_note().await else { return false };
        let amount = self.dice.between(1, note.open);
        let mut payment = self.money(opposite(direction), party, self.world.scope.today(), amount);
        payment.allocations = vec![(note.target, amount)];
        let id = record(&self.world.scope, payment).await.expect("refunded");
        self.allocations.extend(self.world.allocations_of(id).await);
        self.payments.push(id);
        true
    }

    async fn check(&self, when: &str) {
        books::check(&self.world.test, &self.world.scope, when).await;
        if self.currency == "EUR" {
            books::check_parties(&self.world.test, &self.world.scope, when).await;
        }
    }

    /// Pays whatever is open, in either direction.
    async fn pay_everything(&mut self) {
        for (party, _) in self.parties.clone() {
            for direction in [Direction::Received, Direction::Made] {
                for open in self.world.open_of(party, direction).await {
                    let mut payment = self.money(direction, party, self.world.scope.today(), open.open);
                    payment.allocations = vec![(open.target, open.open)];
                    self.payments.push(record(&self.world.scope, payment).await.expect("paid"));
                }
            }
        }
    }
}

async fn history(seed: u64, currency: &'static str) {
    let mut history = History::begin(seed, currency).await;
    for number in 1..=70 {
        let step = history.step().await;
        history.check(&format!("seed {seed}, after step {number}: {step}")).await;
    }
    assert!(history.done.iter().all(|times| *times > 0), "seed {seed} does each: {:?}", history.done);
    history.pay_everything().await;
    history.check(&format!("seed {seed}, all paid")).await;
    let mut db = history.world.test.superuser().await;
    let company = history.world.scope.company().id;
    for account in ["44574", "44564"] {
        let left = books::balance(&mut db, company, account).await;
        assert_eq!(left, 0, "seed {seed}: all is paid, so nothing waits on {account}");
    }
}

#[tokio::test]
async fn whatever_happens_the_books_agree_with_the_documents_seed_1() {
    history(1, "EUR").await;
}

#[tokio::test]
async fn whatever_happens_the_books_agree_with_the_documents_seed_2() {
    history(2, "EUR").await;
}

#[tokio::test]
async fn whatever_happens_the_books_agree_with_the_documents_seed_3() {
    history(3, "EUR").await;
}

#[tokio::test]
async fn whatever_happens_in_yen_the_books_agree_with_the_documents_seed_4() {
    history(4, "JPY").await;
}

#[tokio::test]
async fn taking_everything_back_brings_every_figure_back() {
    for (seed, currency) in [(11, "EUR"), (12, "JPY")] {
        let mut history = History::begin(seed, currency).await;
        for _ in 0..12 {
            history.document(false).await;
        }
        let before = books::figures(&history.world.test, &history.world.scope).await;
        for _ in 0..10 {
            history.pay().await;
            history.allocate().await;
            history.undo().await;
        }
        history.pay_everything().await;
        let paid = books::figures(&history.world.test, &history.world.scope).await;
        assert_ne!(before, paid, "something was paid");
        history.world.tomorrow();
        let today = history.world.scope.today();
        for id in std::mem::take(&mut history.payments) {
            bounce(&history.world.scope, id, today).await.expect("bounced");
        }
        history.check(&format!("seed {seed}, all bounced")).await;
        let after = books::figures(&history.world.test, &history.world.scope).await;
        assert_eq!(before, after, "seed {seed}: bounced payments leave history and nothing else");
    }
}
