//! What a request may ask for, decided before any of it is paid.
//!
//! Every step is linear in what it reads, and cheaper than the step after it. The text's length comes first, then
//! a lexer that counts tokens and brackets ([`Limits::tokens`], [`Limits::nesting`]), the real parser, the
//! fragments (cycles, and the size that the document has once they are opened, computed once per fragment),
//! depth, aliases, directives, the work that validation would have, and last, with the variables at hand, list
//! sizes and the static cost after the GraphQL Cost Directives specification (IBM, 2021). The first step that a
//! document fails answers, with a code of its own ([`Refused::code`]).
//!
//! [`parse`] does all that needs no variables, and its result can be kept and shared; [`Parsed::admit`] does the
//! rest.
//! [`check`] is the two in one. [`actual_cost`] says afterwards what the answer was worth.
//!
//! The limits also bound what async-graphql does with an admitted document: its recursion, its walks over opened
//! fragments, and those of its validation rules that grow faster than the text ([`Limits::comparisons`]). They
//! bound it for a schema with `disable_suggestions`; with suggestions each unknown name is compared to all known
//! ones.
//!
//! This module never validates a document against the schema: a field that the model does not know costs nothing
//! here and is refused by the executor. It never looks at what a resolver does.

mod actual;
mod cost;
mod fragments;
mod input;
mod introspection;
mod json;
mod limits;
mod list_size;
mod model;
mod parsed;
#[cfg(test)]
mod prices;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod properties;
mod refused;
mod sdl;
mod shape;
mod subscription;
#[cfg(test)]
mod testing;
mod tokens;

pub use actual::actual_cost;
pub use json::scan_body;
pub use limits::{Limit, Limits};
pub use model::{CostModel, ModelError};
pub use parsed::{Admitted, Parsed, parse};
pub use refused::{Class, Refused};

use async_graphql::Variables;

/// A document that may run, and what is known of it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The document; [`Parsed::document`] clones out what the executor takes.
    pub parsed: Parsed,
    /// Its operation, and what that costs.
    pub admitted: Admitted,
}

/// Reads a document, and admits one of its operations.
///
/// # Errors
/// The first limit or rule that it fails.
pub fn check(
    text: &str,
    operation_name: Option<&str>,
    variables: &Variables,
    model: &CostModel,
    limits: &Limits,
) -> Result<Checked, Refused> {
    let parsed = parse(text, limits)?;
    let admitted = parsed.admit(operation_name, variables, model, limits)?;
    Ok(Checked { parsed, admitted })
}
