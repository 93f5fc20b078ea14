//! A document that was read, and the admission of one of its operations.

use async_graphql::parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Type,
};
use async_graphql::parser::{Error, parse_query};
use async_graphql::{Name, Pos, Positioned, Value, Variables};

use super::cost::price;
use super::input::{Known, constant};
use super::limits::{Limit, Limits};
use super::model::CostModel;
use super::refused::Refused;
use super::shape::{Shape, measure};
use super::subscription::flatten;
use super::tokens::{Scan, scan};

/// How much of the parser's own words is repeated.
const REASON_MOST: usize = 200;

/// A document that was read, and passed the limits that need no variables.
///
/// It depends on the text and the limits only, so that it can be kept and shared (`Arc<Parsed>`) for as long as
/// the limits stay.
#[derive(Clone, Debug)]
pub struct Parsed {
    document: ExecutableDocument,
    scan: Scan,
    shape: Shape,
    /// The types of fragments that were taken away at the roots of subscriptions.
    conditions: Vec<(Name, Pos)>,
}

/// An operation that may run.
#[derive(Clone, Debug, PartialEq)]
pub struct Admitted {
    /// Query, mutation or subscription.
    pub operation: OperationType,
    /// Its name, if it has one.
    pub name: Option<Name>,
    /// Its static cost, rounded up; see [`CostModel`].
    pub cost: u64,
    /// Values that the executor may have to make, see [`Limits::values`].
    pub values: u64,
    defaults: Vec<(Name, Value)>,
}

impl Admitted {
    /// Puts in the defaults of variables that were not given (GraphQL, section 6.1.2).
    ///
    /// Call it before the executor runs: async-graphql 8.0.0-rc.5 reads `@skip` and `@include` without these
    /// defaults, so that `@include(if: $x)` with `$x: Boolean = true` would leave the field out.
    pub fn complete(&self, variables: &mut Variables) {
        for (name, value) in &self.defaults {
            if !variables.contains_key(name) {
                variables.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Reads a document, and holds it against the limits that need no variables.
///
/// # Errors
/// The first limit that it exceeds, or the first rule that it breaks.
pub fn parse(text: &str, limits: &Limits) -> Result<Parsed, Refused> {
    let scan = scan(text, limits)?;
    let mut document = parse_query(text).map_err(|error| unreadable(&error))?;
    let shape = measure(&document, limits)?;
    let conditions = flatten(&mut document)?;
    Ok(Parsed { document, scan, shape, conditions })
}

impl Parsed {
    /// The document. The executor takes a clone of it (`Request::set_parsed_query`), which is some thirty times
    /// cheaper than to parse it again.
    pub fn document(&self) -> &ExecutableDocument {
        &self.document
    }

    /// Gives the document away.
    pub fn into_document(self) -> ExecutableDocument {
        self.document
    }

    /// Tokens of the text: a measure of the memory that the document takes.
    pub fn tokens(&self) -> u64 {
        self.scan.tokens
    }

    /// Fields of all operations, fragments opened.
    pub fn fields(&self) -> u64 {
        self.shape.fields
    }

    /// Fields in one another.
    pub fn depth(&self) -> u64 {
        self.shape.depth
    }

    /// Steps of validation that grow faster than the text, see [`Limits::comparisons`].
    pub fn comparisons(&self) -> u64 {
        self.shape.comparisons
    }

    /// Which operation a request means (GraphQL, section 6.1).
    ///
    /// # Errors
    /// When there is none of that name, or several and no name.
    pub fn operation(
        &self,
        name: Option<&str>,
    ) -> Result<(Option<&Name>, &Positioned<OperationDefinition>), Refused> {
        let unknown =
            |name: &str| Refused::OperationUnknown { name: name.chars().take(REASON_MOST).collect() };
        match (&self.document.operations, name) {
            (DocumentOperations::Single(operation), None) => Ok((None, operation)),
            (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
            (DocumentOperations::Multiple(operations), Some(name)) => operations
                .get_key_value(name)
                .map(|(name, operation)| (Some(name), operation))
                .ok_or_else(|| unknown(name)),
            (DocumentOperations::Multiple(operations), None) => {
                let mut all = operations.iter();
                match (all.next(), all.next()) {
                    (Some((name, operation)), None) => Ok((Some(name), operation)),
                    _ => Err(Refused::OperationNameMissing { count: operations.len() }),
                }
            }
        }
    }

    /// Decides whether an operation of the document may run with these variables.
    ///
    /// # Errors
    /// The first limit that it exceeds, or the first rule that it breaks.
    pub fn admit(
        &self,
        operation_name: Option<&str>,
        variables: &Variables,
        model: &CostModel,
        limits: &Limits,
    ) -> Result<Admitted, Refused> {
        let (name, operation) = self.operation(operation_name)?;
        let operation = &operation.node;
        self.refuse_unknown_types(model)?;
        self.refuse_stray_conditions(model)?;
        self.refuse_large_variables(variables, limits)?;
        let mut known = Known::new(operation, variables, limits);
        let price = price(&self.document, operation, model, &mut known, limits)?;
        let defaults = operation
            .variable_definitions
            .iter()
            .filter_map(|definition| {
                let default = definition.node.default_value.as_ref()?;
                Some((definition.node.name.node.clone(), default.node.clone()))
            })
            .collect();
        Ok(Admitted {
            operation: operation.ty,
            name: name.cloned(),
            cost: price.cost,
            values: price.values,
            defaults,
        })
    }

    /// async-graphql 8.0.0-rc.5 checks a variable's default against its type, and panics when that is a list of a
    /// type that it does not know.
    fn refuse_unknown_types(&self, model: &CostModel) -> Result<(), Refused> {
        for (_, operation) in self.document.operations.iter() {
            for definition in &operation.node.variable_definitions {
                let BaseType::List(item) = &definition.node.var_type.node.base else { continue };
                let name = innermost(item);
                if !model.knows(name) {
                    return Err(Refused::UnknownType {
                        variable: definition.node.name.node.to_string(),
                        name: name.to_string(),
                        at: definition.pos,
                    });
                }
            }
        }
        Ok(())
    }

    /// The fragments that stood at the root of a subscription must have been on its type.
    fn refuse_stray_conditions(&self, model: &CostModel) -> Result<(), Refused> {
        for (name, at) in &self.conditions {
            let root = model.root(OperationType::Subscription);
            if root.is_none_or(|root| model.narrow(root, name).is_none()) {
                let found = format!("it is asked of the type `{name}`");
                return Err(Refused::SubscriptionRoot { found, at: *at });
            }
        }
        Ok(())
    }

    /// Validation clones a variable's value wherever the text uses it, in every operation and fragment.
    fn refuse_large_variables(&self, variables: &Variables, limits: &Limits) -> Result<(), Refused> {
        let mut values = 0_u64;
        for (name, uses) in &self.shape.uses {
            if let Some(value) = variables.get(name) {
                let size = constant(value, limits.input_depth + 1);
                size.within(limits, || format!("${name}"))?;
                values = values.saturating_add(size.values.saturating_mul(*uses));
            }
        }
        Refused::over(Limit::InputValues, values, limits.input_values)
    }
}

fn innermost(ty: &Type) -> &Name {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => innermost(item),
    }
}

/// The parser's words without the drawing of the line that it stopped at, which may be as long as the text.
fn unreadable(error: &Error) -> Refused {
    let at = error.positions().next();
    let reason = match error {
        Error::Syntax { message, .. } => {
            let words = message.rsplit_once("= ").map_or(message.as_str(), |(_, words)| words);
            words.trim().chars().take(REASON_MOST).collect()
        }
        Error::RecursionLimitExceeded => "its selection sets are nested too deep for the parser".to_owned(),
        other => other.to_string(),
    };
    Refused::Syntax { reason, at }
}
