//! The kernel's promises, on a real database.
#[path = "it/events.rs"]
mod events;
#[path = "it/folding.rs"]
mod folding;
#[path = "it/hints.rs"]
mod hints;
#[path = "it/idempotency.rs"]
mod idempotency;
#[path = "it/walls.rs"]
mod walls;
