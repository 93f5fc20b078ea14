//! Objects whose fields need nothing that waits: resolved one field after another, in place.
//!
//! The library boxes a future for each field and joins them. For what was read ahead that is most of the work: half of a
//! list's cost was in allocating and moving futures that were ready at once. Loaders still batch, for the items of
//! a list are joined as before; only the fields within an object wait for each other.

use std::borrow::Cow;

use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value, indexmap::IndexMap,
};
use futures_util::future::try_join_all;

use super::money::MoneyFields;
use super::nullable::is_nullable;

/// An object resolved in place.
#[derive(Clone, Debug)]
pub(crate) struct Inline<T>(pub(crate) T);

impl<T: ContainerType> OutputType for Inline<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        in_place(ctx, &self.0).await
    }
}

/// A list of objects that were read with their parent: resolved in place, and one after another where nothing that is
/// asked of them has to be loaded. Otherwise they are joined, so that their loads share statements.
#[derive(Clone, Debug)]
pub(crate) struct Rows<T>(pub(crate) Vec<T>);

impl<T: ContainerType> OutputType for Rows<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<Inline<T>>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<Inline<T>>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<Inline<T>>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        if !is_at_hand::<T>(ctx) {
            let row = |(n, row)| async move {
                let ctx = ctx.with_index(n);
                in_place(&ctx, row).await.map_err(|error| ctx.set_error_path(error))
            };
            let joined = try_join_all(self.0.iter().enumerate().map(row));
            return Box::pin(joined).await.map(Value::List);
        }
        let mut values = Vec::with_capacity(self.0.len());
        for (n, row) in self.0.iter().enumerate() {
            let ctx = ctx.with_index(n);
            let value = in_place(&ctx, row).await.map_err(|error| ctx.set_error_path(error))?;
            values.push(value);
        }
        Ok(Value::List(values))
    }
}

/// The fields one after another. What is more than plain fields (a fragment, a directive, a field asked twice) takes the
/// library's way, which knows how answers merge.
async fn in_place<T: ContainerType>(ctx: &ContextSelectionSet<'_>, object: &T) -> ServerResult<Value> {
    let selected = &ctx.item.node.items;
    if !is_plain(selected) {
        return Box::pin(resolve_container(ctx, object)).await;
    }
    let mut answer = IndexMap::with_capacity(selected.len());
    for selection in selected {
        let Selection::Field(field) = &selection.node else { continue };
        let key: Name = field.node.response_key().node.clone();
        let value = if field.node.name.node == "__typename" {
            Value::from(object.introspection_type_name().into_owned())
        } else {
            match object.resolve_field(&ctx.with_field(field)).await {
                Ok(value) => value.unwrap_or_default(),
                Err(error) if may_be_null::<T>(ctx, field) => {
                    ctx.add_error(error);
                    Value::Null
                }
                Err(error) => return Err(error),
            }
        };
        answer.insert(key, value);
    }
    Ok(Value::Object(answer))
}

/// Whether all that is asked of a `T` is in its row: scalars, and money, which is made of two columns.
fn is_at_hand<T: ContainerType>(ctx: &ContextSelectionSet<'_>) -> bool {
    let row = ctx.schema_env.registry.types.get(T::type_name().as_ref());
    let money = MoneyFields::type_name();
    ctx.item.node.items.iter().all(|selection| {
        let Selection::Field(field) = &selection.node else { return false };
        let of_money = || {
            let field = row.and_then(|row| row.field_by_name(field.node.name.node.as_str()));
            field.is_some_and(|field| field.ty.trim_end_matches('!') == money)
        };
        field.node.selection_set.node.items.is_empty() || of_money()
    })
}

fn may_be_null<T: ContainerType>(ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> bool {
    let object = ctx.schema_env.registry.types.get(T::type_name().as_ref());
    let field = object.and_then(|object| object.field_by_name(field.node.name.node.as_str()));
    field.is_some_and(|field| is_nullable(&field.ty))
}

fn is_plain(selected: &[Positioned<Selection>]) -> bool {
    selected.iter().enumerate().all(|(n, selection)| {
        let Selection::Field(field) = &selection.node else { return false };
        let key = &field.node.response_key().node;
        let asked_before = |other: &Positioned<Selection>| {
            matches!(&other.node, Selection::Field(other) if &other.node.response_key().node == key)
        };
        field.node.directives.is_empty() && !selected[..n].iter().any(asked_before)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_graphql::dataloader::{DataLoader, Loader};
    use async_graphql::runtime::{TokioSpawner, TokioTimer};
    use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema, SimpleObject};

    use super::{Inline, Rows};

    struct Counted(Arc<AtomicUsize>);

    impl Loader<i32> for Counted {
        type Value = String;
        type Error = Infallible;

        async fn load(&self, keys: &[i32]) -> Result<HashMap<i32, String>, Infallible> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(keys.iter().map(|key| (*key, format!("item {key}"))).collect())
        }
    }

    #[derive(SimpleObject)]
    struct Item {
        name: String,
    }

    struct Line(i32);

    #[Object]
    impl Line {
        fn number(&self) -> i32 {
            self.0
        }

        async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
            let loader = ctx.data::<DataLoader<Counted>>()?;
            Ok(loader.load_one(self.0).await?.map(|name| Item { name }))
        }
    }

    struct Query;

    #[Object]
    impl Query {
        fn lines(&self) -> Rows<Line> {
            Rows(vec![Line(1), Line(2), Line(3)])
        }

        fn line(&self) -> Inline<Line> {
            Inline(Line(7))
        }
    }

    async fn ask(query: &str) -> (String, usize) {
        let loads = Arc::new(AtomicUsize::new(0));
        let loader = DataLoader::new(Counted(loads.clone()), TokioSpawner::current(), TokioTimer::default());
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).data(loader).finish();
        let answer = schema.execute(query).await;
        assert_eq!(answer.errors, []);
        (serde_json::to_string(&answer.data).expect("JSON"), loads.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn fields_come_in_the_order_of_the_selection_and_merge() {
        let (answer, _) = ask("{ line { __typename b: number number } }").await;
        assert_eq!(answer, r#"{"line":{"__typename":"Line","b":7,"number":7}}"#);
        let (answer, _) =
            ask("{ line { number ...F number } } fragment F on Line { again: number number }").await;
        assert_eq!(answer, r#"{"line":{"number":7,"again":7}}"#);
        let (answer, _) = ask("{ line { number @skip(if: true) kept: number @include(if: true) } }").await;
        assert_eq!(answer, r#"{"line":{"kept":7}}"#);
    }

    #[tokio::test]
    async fn what_the_rows_of_a_list_load_is_loaded_at_once() {
        let (answer, loads) = ask("{ lines { number item { name } } }").await;
        assert!(answer.ends_with(r#"{"number":3,"item":{"name":"item 3"}}]}"#), "{answer}");
        assert_eq!(loads, 1);
        assert_eq!(
            ask("{ lines { number } }").await.0,
            r#"{"lines":[{"number":1},{"number":2},{"number":3}]}"#
        );
    }
}
