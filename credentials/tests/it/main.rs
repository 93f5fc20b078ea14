//! What this crate promises, against independent counterparts.

mod passkeys;
