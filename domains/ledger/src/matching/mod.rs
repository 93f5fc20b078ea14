//! Lettering: which receivable or payable lines settle each other. What is undone stays, with the day of its end,
//! so that a report of an earlier day still shows it. The limits are held by the trigger on `matching`.

pub mod service;

pub(crate) use service::match_open_in;
pub use service::{match_in, unmatch_in};
