//! Payments: what they settle, what is posted with that, and who may do it.

mod books;
mod concurrency;
mod currencies;
mod life;
mod properties;
mod walls;
mod world;
