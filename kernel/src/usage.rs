//! Which rights are used, by whom, on which day: noted in memory while requests run, written down by a worker.
//!
//! Nothing is written on the way of a request. What was noted since the last time it was taken is lost in a crash.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::permission::{Permission, PermissionSet};
use crate::scope::Actor;

/// So many actors, and what was noted of them asks to be taken early.
const MANY: usize = 20_000;
/// Most actors that are noted at once; of a further one nothing is.
const MOST: usize = 100_000;

/// What an actor used on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The company.
    pub company: Uuid,
    /// Who acted.
    pub actor: Actor,
    /// The company's calendar day.
    pub day: NaiveDate,
    /// The rights that were asked for and there.
    pub permissions: PermissionSet,
}

#[derive(Debug)]
struct Noted {
    day: NaiveDate,
    /// All of the day.
    known: PermissionSet,
    /// What was not taken yet.
    new: PermissionSet,
}

#[derive(Debug, Default)]
struct Shared {
    noted: Mutex<Memory>,
    many: Notify,
}

#[derive(Debug, Default)]
struct Memory {
    by: HashMap<(Uuid, Actor), Noted>,
    /// What was not taken when its day ended.
    late: Vec<Use>,
}

/// The uses of this process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Uses(Arc<Shared>);

impl Uses {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a use. Only members and programs are noted: the service itself has no rights to review, and who follows a
    /// signed link has none at all.
    pub(crate) fn note(&self, company: Uuid, actor: Actor, day: NaiveDate, permission: Permission) {
        if matches!(actor, Actor::System | Actor::Customer(_)) {
            return;
        }
        let mut memory = self.memory();
        let Memory { by, late } = &mut *memory;
        let count = by.len();
        let noted = match by.entry((company, actor)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if count >= MOST => return,
            Entry::Vacant(entry) => {
                entry.insert(Noted { day, known: PermissionSet::NONE, new: PermissionSet::NONE })
            }
        };
        if noted.day != day {
            if noted.new != PermissionSet::NONE {
                late.push(Use { company, actor, day: noted.day, permissions: noted.new });
            }
            *noted = Noted { day, known: PermissionSet::NONE, new: PermissionSet::NONE };
        }
        if !noted.known.has(permission) {
            noted.known = noted.known.with(permission);
            noted.new = noted.new.with(permission);
        }
        if count == MANY {
            self.0.many.notify_one();
        }
    }

    /// What is new since it was last taken. What a day knows already is not new again.
    pub fn take(&self) -> Vec<Use> {
        let mut memory = self.memory();
        let mut uses = std::mem::take(&mut memory.late);
        for ((company, actor), noted) in &mut memory.by {
            let permissions = std::mem::take(&mut noted.new);
            if permissions != PermissionSet::NONE {
                uses.push(Use { company: *company, actor: *actor, day: noted.day, permissions });
            }
        }
        // Who is forgotten is noted once more, which changes nothing where it is written down.
        if memory.by.len() >= MANY {
            memory.by = HashMap::new();
        }
        uses
    }

    /// Gives back what was taken and could not be written down.
    pub fn give_back(&self, uses: Vec<Use>) {
        let mut memory = self.memory();
        let room = MOST.saturating_sub(memory.late.len());
        memory.late.extend(uses.into_iter().take(room));
    }

    /// Ends when there is much to take.
    pub async fn many(&self) {
        self.0.many.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPANY: Uuid = Uuid::from_u128(1);
    const ADA: Actor = Actor::Person(Uuid::from_u128(2));

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 6, day).expect("a day")
    }

    fn used(day: NaiveDate, permissions: &[Permission]) -> Use {
        Use { company: COMPANY, actor: ADA, day, permissions: permissions.iter().copied().collect() }
    }

    #[test]
    fn what_is_used_is_taken_once_a_day() {
        use Permission::{CompanyRead, KpiRead, LedgerPost};
        let uses = Uses::default();
        uses.note(COMPANY, ADA, day(1), KpiRead);
        uses.note(COMPANY, ADA, day(1), KpiRead);
        uses.note(COMPANY, ADA, day(1), LedgerPost);
        assert_eq!(uses.take(), [used(day(1), &[KpiRead, LedgerPost])]);
        uses.note(COMPANY, ADA, day(1), KpiRead);
        assert_eq!(uses.take(), []);
        uses.note(COMPANY, ADA, day(1), CompanyRead);
        uses.note(COMPANY, ADA, day(2), KpiRead);
        let both = [used(day(1), &[CompanyRead]), used(day(2), &[KpiRead])];
        let taken = uses.take();
        assert_eq!(taken, both, "the day that ended is not lost");
        uses.give_back(taken);
        assert_eq!(uses.take(), both);
    }

    #[test]
    fn the_service_and_strangers_with_a_link_are_not_noted() {
        let uses = Uses::default();
        for actor in [Actor::System, Actor::Customer(Uuid::from_u128(3))] {
            uses.note(COMPANY, actor, day(1), Permission::KpiRead);
        }
        assert_eq!(uses.take(), []);
    }

    #[test]
    fn there_is_an_end_to_what_is_noted() {
        let uses = Uses::default();
        for person in 0..MOST as u128 + 10 {
            uses.note(COMPANY, Actor::Person(Uuid::from_u128(person)), day(1), Permission::KpiRead);
        }
        assert_eq!(uses.take().len(), MOST);
        assert_eq!(uses.memory().by.len(), 0);
    }
}
