//! The promises of figures, on a real database.

mod alert_following;
mod alert_letters;
mod alert_races;
mod alerting;
mod alerts;
mod business_time;
mod by_hand;
mod cubes;
mod dashboards;
mod definitions;
mod drill_down;
mod embedding;
mod fan_out;
mod figures;
mod followers;
mod following;
mod forging;
mod invariant;
mod own_figures;
mod plans;
mod random;
mod slices;
mod support;
mod watching;
mod work;
