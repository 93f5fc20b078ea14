//! What fields cost, said beside them in the terms of the GraphQL Cost Directives specification (IBM), so that the
//! contract tells clients as well. An object costs 1 and a scalar nothing; what is dearer says so.
#![expect(non_camel_case_types, reason = "named as the library names directives")]

use std::borrow::Cow;

use async_graphql::TypeDirective;
use async_graphql::registry::location_traits::Directive_At_FIELD_DEFINITION;
use async_graphql::registry::{MetaDirectiveInvocation, Registry};

/// What a field costs by itself, beside what is selected below it.
#[TypeDirective(name = "cost", location = "FieldDefinition")]
fn cost(#[graphql(desc = "The cost, where one object costs 1.")] weight: String) {}

/// How long a list is taken to be for its cost.
#[TypeDirective(name = "listSize", location = "FieldDefinition")]
fn list_size(
    #[graphql(desc = "How many items are assumed, where no argument says how many.")] assumed_size: Option<
        i32,
    >,
    #[graphql(desc = "The arguments that say how many items are wanted.")] slicing_arguments: Option<
        Vec<String>,
    >,
    #[graphql(desc = "The fields below that hold the items.")] sized_fields: Option<Vec<String>>,
    #[graphql(desc = "Whether exactly one of these arguments is needed.", default = true)]
    require_one_slicing_argument: bool,
) {
}

/// `costs::apply(n)`: the field costs `n` by itself.
pub(crate) struct costs;
/// `about::apply(n)`: a list that no argument sizes; it is about so long.
pub(crate) struct about;
/// `paged::apply()`: a connection, sized by `first` or `last`.
pub(crate) struct paged;
/// `newest::apply()`: a connection that goes one way, sized by `first`.
pub(crate) struct newest;

impl costs {
    pub(crate) fn apply(n: u32) -> MetaDirectiveInvocation {
        cost::apply(n.to_string())
    }
}

impl about {
    pub(crate) fn apply(n: i32) -> MetaDirectiveInvocation {
        list_size::apply(Some(n), None, None, false)
    }
}

impl paged {
    pub(crate) fn apply() -> MetaDirectiveInvocation {
        sized_by(&["first", "last"])
    }
}

impl newest {
    pub(crate) fn apply() -> MetaDirectiveInvocation {
        sized_by(&["first"])
    }
}

fn sized_by(arguments: &[&str]) -> MetaDirectiveInvocation {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    list_size::apply(None, Some(arguments), Some(vec!["edges".to_owned()]), true)
}

macro_rules! directive {
    ($name:ident is $spec:ident) => {
        impl TypeDirective for $name {
            fn name(&self) -> Cow<'static, str> {
                $spec.name()
            }

            fn register(&self, registry: &mut Registry) {
                $spec.register(registry);
            }
        }

        impl Directive_At_FIELD_DEFINITION for $name {}
    };
}

directive!(costs is cost);
directive!(about is list_size);
directive!(paged is list_size);
directive!(newest is list_size);
