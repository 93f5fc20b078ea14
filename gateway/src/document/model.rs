//! What each field of a schema costs.

use std::collections::HashMap;

use async_graphql::parser::types::OperationType;

use super::list_size::ListSize;

/// A type of the model by number.
pub(super) type TypeId = usize;

/// Weights are kept in thousandths.
pub(super) const UNIT: u64 = 1_000;

/// What each field of a schema costs, read from the schema's own text (GraphQL Cost Directives, IBM 2021).
///
/// An object, interface or union weighs 1, a scalar or enum 0. `@cost(weight: "…")` on a type sets what each of
/// its objects weighs, on a field what it weighs there instead, also for a scalar. A field of the mutation root
/// weighs 10 unless it says otherwise. A list costs what its items cost together; how many they are tell, in this
/// order:
///
/// 1. the field above, when it names this one in `sizedFields` (a connection's `edges`),
/// 2. the largest of its own `slicingArguments` that are given, variables and their defaults put in,
/// 3. the largest default that the schema gives these arguments,
/// 4. its `assumedSize`,
/// 5. [`Limits::list_size`](super::Limits::list_size); but 1 for a list that declares nothing.
///
/// With `requireOneSlicingArgument` (the default) a field is refused when the request gives none of its slicing
/// arguments and none has a default in the schema, or when it gives several. A field of an interface costs as
/// much as it does in the dearest of the objects behind it. What a fragment on an abstract type selects costs as
/// much as for the dearest object. Introspection is answered from memory: a hundred of its objects weigh as much
/// as one other.
///
/// `@cost` on arguments and input fields, negative weights, and paths in `slicingArguments` are not read: they
/// are errors of the model. The cost of input is bounded by
/// [`Limits::input_values`](super::Limits::input_values).
#[derive(Clone, Debug, Default)]
pub struct CostModel {
    pub(super) types: Vec<TypeModel>,
    pub(super) names: HashMap<String, TypeId>,
    pub(super) roots: Roots,
    /// The sets of names that `sizedFields` gave, each once.
    pub(super) sized: Vec<Vec<String>>,
}

/// The types that operations start at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Roots {
    pub(super) query: Option<TypeId>,
    pub(super) mutation: Option<TypeId>,
    pub(super) subscription: Option<TypeId>,
}

/// A type as the model sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct TypeModel {
    /// What one object of it weighs.
    pub(super) weight: u64,
    /// Whether it has fields to select.
    pub(super) composite: bool,
    /// The objects that it may be.
    pub(super) possible: Possible,
    pub(super) fields: HashMap<String, FieldModel>,
    /// The type whose name stands for it in fragments, where a schema's type has several models.
    pub(super) like: Option<TypeId>,
}

/// A field as the model sees it.
#[derive(Clone, Debug)]
pub(super) struct FieldModel {
    pub(super) returns: TypeId,
    pub(super) list: bool,
    /// What one of what it returns weighs.
    pub(super) weight: u64,
    /// Whether that weight is the field's own, and due also when it returns null.
    pub(super) own: bool,
    /// What it declares about its length; several in an interface whose objects declare it differently.
    pub(super) sizes: Vec<ListSize>,
    /// Which of the fields below are as long, see [`CostModel::sized`].
    pub(super) sized: Option<usize>,
}

/// A set of object types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Possible {
    pub(super) objects: Vec<TypeId>,
    bits: Vec<u64>,
}

impl Possible {
    pub(super) fn new(mut objects: Vec<TypeId>) -> Self {
        objects.sort_unstable();
        objects.dedup();
        let mut bits = vec![0; objects.last().map_or(0, |last| last / 64 + 1)];
        for object in &objects {
            bits[object / 64] |= 1 << (object % 64);
        }
        Self { objects, bits }
    }

    pub(super) fn contains(&self, object: TypeId) -> bool {
        self.bits.get(object / 64).is_some_and(|word| word & (1 << (object % 64)) != 0)
    }

    fn meets(&self, other: &Self) -> bool {
        self.bits.iter().zip(&other.bits).any(|(mine, theirs)| mine & theirs != 0)
    }

    fn within(&self, other: &Self) -> bool {
        let theirs = |place: usize| other.bits.get(place).copied().unwrap_or(0);
        self.bits.iter().enumerate().all(|(place, mine)| mine & !theirs(place) == 0)
    }
}

impl CostModel {
    /// Whether the schema has a type of that name.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The type that an operation starts at.
    pub(super) fn root(&self, operation: OperationType) -> Option<TypeId> {
        match operation {
            OperationType::Query => self.roots.query,
            OperationType::Mutation => self.roots.mutation,
            OperationType::Subscription => self.roots.subscription,
        }
    }

    pub(super) fn field(&self, on: TypeId, name: &str) -> Option<&FieldModel> {
        self.types[on].fields.get(name)
    }

    /// The type that a fragment `on name` sees within `on`; `None` if it can never apply there.
    pub(super) fn narrow(&self, on: TypeId, name: &str) -> Option<TypeId> {
        let to = *self.names.get(name)?;
        if to == on || self.types[on].like == Some(to) {
            return Some(on);
        }
        self.types[on].possible.meets(&self.types[to].possible).then_some(to)
    }

    /// Whether every object of `on` is one of `general`.
    pub(super) fn covers(&self, general: TypeId, on: TypeId) -> bool {
        general == on || self.types[on].possible.within(&self.types[general].possible)
    }

    /// Whether a field is one of a set of `sizedFields`.
    pub(super) fn is_sized(&self, set: usize, field: &str) -> bool {
        self.sized[set].iter().any(|name| name == field)
    }
}

/// Why a schema's text gives no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The text cannot be read.
    #[error("the schema cannot be read: {0}")]
    Unreadable(String),
    /// A type is named and not defined.
    #[error("`{place}` names the type `{name}`, which the schema does not have")]
    UnknownType {
        /// Where it is named.
        place: String,
        /// Its name.
        name: String,
    },
    /// A weight is not what it must be.
    #[error(
        "the weight of `{place}` must be a decimal with at most three places, like \"2\" or \"0.5\", not {found}"
    )]
    Weight {
        /// What it is the weight of.
        place: String,
        /// What stands there.
        found: String,
    },
    /// A weight stands where none is read.
    #[error("`{place}` has a `@cost`, which is read on fields and types only")]
    Misplaced {
        /// Where it stands.
        place: String,
    },
    /// A list's size is not what it must be.
    #[error("the `@listSize` of `{place}` cannot be used: {reason}")]
    ListSize {
        /// The field.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}
