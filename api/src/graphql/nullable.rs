//! An error stays at the field that has it, where the field may be null (GraphQL, section 6.4.4, "Handling Execution
//! Errors"). The library hands an error of a resolver up to the next nullable parent instead, so that one refused field took
//! its neighbours with it.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo,
};
use async_graphql::{Response, ServerError, ServerResult, Value};

/// Keeps errors at their fields, for everything that the library resolves; [`super::inline`] does the same for what it
/// resolves itself.
pub(super) struct AtTheirFields;

impl ExtensionFactory for AtTheirFields {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Kept::default())
    }
}

/// The errors of one request.
#[derive(Default)]
struct Kept(Mutex<Vec<ServerError>>);

#[async_trait::async_trait]
impl Extension for Kept {
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(ctx, operation_name).await;
        response.errors.append(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        response
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let may_be_null = is_nullable(info.return_type);
        match next.run(ctx, info).await {
            Err(error) if may_be_null => {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push(error);
                Ok(None)
            }
            resolved => resolved,
        }
    }
}

/// Whether a type, as the schema writes it, may be null.
pub(super) fn is_nullable(type_name: &str) -> bool {
    !type_name.ends_with('!')
}

#[cfg(test)]
#[expect(clippy::unnecessary_wraps, reason = "fields that may be null")]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Error, Object, Schema, SimpleObject};

    use super::AtTheirFields;
    use crate::graphql::inline::Inline;

    #[derive(SimpleObject)]
    struct Leaf {
        name: String,
    }

    struct Thing;

    #[Object]
    impl Thing {
        fn name(&self) -> &'static str {
            "thing"
        }

        fn refused(&self) -> Result<Option<Leaf>, Error> {
            Err(Error::new("refused"))
        }

        fn needed(&self) -> Result<Leaf, Error> {
            Err(Error::new("needed"))
        }
    }

    struct Query;

    #[Object]
    impl Query {
        fn thing(&self) -> Option<Thing> {
            Some(Thing)
        }

        fn inline(&self) -> Option<Inline<Thing>> {
            Some(Inline(Thing))
        }

        fn refused(&self) -> Result<Option<Leaf>, Error> {
            Err(Error::new("refused"))
        }
    }

    async fn ask(query: &str) -> (String, Vec<String>) {
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).extension(AtTheirFields).finish();
        let answer = schema.execute(query).await;
        let path = |error: &async_graphql::ServerError| serde_json::to_string(&error.path).expect("a path");
        (serde_json::to_string(&answer.data).expect("JSON"), answer.errors.iter().map(path).collect())
    }

    #[tokio::test]
    async fn a_refused_field_takes_nothing_else_with_it() {
        for parent in ["thing", "inline"] {
            let (data, errors) =
                ask(&format!("{{ refused {{ name }} {parent} {{ name refused {{ name }} }} }}")).await;
            assert_eq!(data, format!(r#"{{"refused":null,"{parent}":{{"name":"thing","refused":null}}}}"#));
            assert_eq!(errors.len(), 2);
            for path in [format!(r#"["{parent}","refused"]"#), r#"["refused"]"#.to_owned()] {
                assert!(errors.contains(&path), "{errors:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_field_that_may_not_be_null_takes_its_parent_and_no_more() {
        for parent in ["thing", "inline"] {
            let (data, errors) =
                ask(&format!("{{ {parent} {{ name needed {{ name }} }} again: {parent} {{ name }} }}")).await;
            assert_eq!(data, format!(r#"{{"{parent}":null,"again":{{"name":"thing"}}}}"#));
            assert_eq!(errors, [format!(r#"["{parent}","needed"]"#)]);
        }
    }
}
