//! The promises of figures, on a real database.

mod by_hand;
mod definitions;
mod drill_down;
mod fan_out;
mod figures;
mod followers;
mod following;
mod forging;
mod invariant;
mod plans;
mod support;
mod watching;
mod work;
