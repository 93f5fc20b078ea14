//! Subscriptions that cost little while they wait.
//!
//! `Schema::execute_stream` keeps, for as long as a subscription lives, the state in which it was prepared and validated:
//! 6 KiB beside the document. Here a resolver hands its events over with [`lean`], the executor's stream ends and is
//! dropped, and each event is resolved as the derive macro would have it. That uses what the macro uses, which is hidden
//! in the library's documentation: one reason more why its version is pinned.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Task, Poll, ready};

use async_graphql::extensions::ResolveInfo;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::{
    Context, ContextSelectionSet, Executor, OutputType, Positioned, QueryEnv, QueryPathNode,
    QueryPathSegment, Request, Response, SchemaEnv, Value,
};
use futures_util::future::{BoxFuture, Either};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, Stream, StreamExt, stream};

/// Where a resolver leaves its events, and who is to answer them.
#[derive(Clone, Default)]
struct Handover(Arc<Mutex<Option<BoxStream<'static, Response>>>>);

impl Handover {
    fn put(&self, responses: BoxStream<'static, Response>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(responses);
    }

    fn take(&self) -> Option<BoxStream<'static, Response>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Executes a request as `Schema::execute_stream` does, with the same responses, but so that a subscription whose resolver
/// uses [`lean`] needs less memory. Extensions see its start and its events; the hook around the whole stream
/// (`Extension::subscribe`) ends with its start.
pub fn execute_lean<E: Executor>(schema: &E, mut request: Request) -> BoxStream<'static, Response> {
    // The parser leaves room in its lists for more; a copy has none.
    if let Ok(document) = request.parsed_query().cloned() {
        request.set_parsed_query(document);
    }
    let handover = Handover::default();
    let executing = schema.execute_stream(request.data(handover.clone()), None);
    Lean::Executing { executing, handover }.boxed()
}

/// The events of a subscription's resolver, handed over if the request was executed by [`execute_lean`], and else as they
/// are. Make it the resolver's last call.
pub fn lean<S>(ctx: &Context<'_>, events: S) -> impl Stream<Item = S::Item> + use<S>
where
    S: Stream + Send + 'static,
    S::Item: OutputType + 'static,
{
    let is_alone = ctx.query_env.operation.node.selection_set.node.items.len() == 1;
    match ctx.data_opt::<Handover>().filter(|_| is_alone) {
        None => Either::Left(events),
        Some(handover) => {
            let (schema, query) = (ctx.schema_env.clone(), ctx.query_env.clone());
            let responses = events.then(move |event| -> BoxFuture<'static, Response> {
                respond(event, schema.clone(), query.clone()).boxed()
            });
            handover.put(responses.boxed());
            Either::Right(stream::empty())
        }
    }
}

enum Lean {
    Executing { executing: BoxStream<'static, Response>, handover: Handover },
    Waiting(BoxStream<'static, Response>),
}

impl Stream for Lean {
    type Item = Response;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Option<Response>> {
        if let Self::Executing { executing, handover } = &mut *self {
            match ready!(executing.poll_next_unpin(cx)) {
                Some(response) => return Poll::Ready(Some(response)),
                None => match handover.take() {
                    Some(responses) => *self = Self::Waiting(responses),
                    None => return Poll::Ready(None),
                },
            }
        }
        match &mut *self {
            Self::Waiting(responses) => responses.poll_next_unpin(cx),
            Self::Executing { .. } => Poll::Ready(None),
        }
    }
}

impl Drop for Lean {
    fn drop(&mut self) {
        // What is handed over knows the request, and the request's data knows it: nobody else would end that circle.
        if let Self::Executing { handover, .. } = self {
            drop(handover.take());
        }
    }
}

/// The operation's one field.
fn field(query: &QueryEnv) -> Option<&Positioned<Field>> {
    match &query.operation.node.selection_set.node.items.first()?.node {
        Selection::Field(field) => Some(field),
        _ => None,
    }
}

/// Resolves an event.
async fn respond<T: OutputType>(event: T, schema: SchemaEnv, query: QueryEnv) -> Response {
    let resolve = async |data: Option<async_graphql::Data>| {
        let Some(field) = field(&query) else { return Response::default() };
        let name = &field.node.response_key().node;
        let segment = QueryPathSegment::Name(name);
        let path = QueryPathNode { parent: None, segment };
        let selection = &field.node.selection_set;
        let ctx: ContextSelectionSet<'_> =
            query.create_context(&schema, Some(path), selection, data.as_ref());
        let info = ResolveInfo {
            path_node: &path,
            parent_type: schema.registry.subscription_type.as_deref().unwrap_or_default(),
            return_type: &T::qualified_type_name(),
            name: field.node.name.node.as_str(),
            alias: field.node.alias.as_ref().map(|alias| alias.node.as_str()),
            is_for_introspection: false,
            field: &field.node,
        };
        let mut resolving = std::pin::pin!(async { event.resolve(&ctx, field).await.map(Some) });
        let mut response = match query.extensions.resolve(info, &mut resolving).await {
            Ok(value) => {
                let data = IndexMap::from([(name.clone(), value.unwrap_or_default())]);
                Response::new(Value::Object(data))
            }
            Err(error) => Response::from_errors(vec![error]),
        };
        let mut errors = query.errors.lock().unwrap_or_else(PoisonError::into_inner);
        response.errors.append(&mut errors);
        response
    };
    query.extensions.execute(query.operation_name.as_deref(), resolve).await
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use async_graphql::{EmptyMutation, Error, Object, Schema, SimpleObject, Subscription};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn hello(&self) -> &str {
            "world"
        }
    }

    struct Step(i32);

    #[Object]
    impl Step {
        async fn n(&self) -> i32 {
            self.0
        }

        async fn odd(&self) -> Result<i32, Error> {
            ready(if self.0 % 2 == 1 { Ok(self.0) } else { Err("even".into()) }).await
        }

        async fn half(&self) -> Option<Half> {
            (self.0 % 2 == 0).then_some(Half { of: self.0, is: self.0 / 2 })
        }

        async fn guest(&self, ctx: &Context<'_>) -> String {
            ctx.data_unchecked::<Arc<String>>().to_string()
        }
    }

    #[derive(SimpleObject)]
    struct Half {
        of: i32,
        is: i32,
    }

    struct Feed;

    #[Subscription]
    impl Feed {
        async fn steps(
            &self,
            ctx: &Context<'_>,
            #[graphql(validator(maximum = 9))] to: i32,
        ) -> impl Stream<Item = Step> + use<> {
            lean(ctx, stream::iter(1..=to).map(Step))
        }

        async fn falters(
            &self,
            ctx: &Context<'_>,
        ) -> Result<impl Stream<Item = Result<Step, Error>> + use<>, Error> {
            ready(Ok(lean(ctx, stream::iter([Ok(Step(1)), Err("lost".into()), Ok(Step(3))])))).await
        }

        async fn broken(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Step> + use<>, Error> {
            let steps: Option<stream::Iter<std::vec::IntoIter<Step>>> = None;
            ready(steps.map(|steps| lean(ctx, steps)).ok_or_else(|| "cannot be followed".into())).await
        }

        async fn never(&self, ctx: &Context<'_>) -> impl Stream<Item = Step> + use<> {
            lean(ctx, stream::pending())
        }
    }

    fn schema() -> Schema<Query, EmptyMutation, Feed> {
        Schema::new(Query, EmptyMutation, Feed)
    }

    fn request(query: &str) -> Request {
        Request::new(query).data(Arc::new("Ada".to_owned()))
    }

    #[tokio::test]
    async fn responses_are_those_of_the_library() {
        let schema = schema();
        for query in [
            "subscription { steps(to: 3) { n half { of is } guest } }",
            "subscription S($to: Int = 2) { all: steps(to: $to) { __typename number: n ...on Step { odd } } }",
            "subscription { steps(to: 2) { odd half { is } } }",
            "subscription { steps(to: 3) { ...F } } fragment F on Step { n @skip(if: true) guest }",
            "subscription { a: steps(to: 2) { n } b: falters { n } }",
            "subscription { falters { n } }",
            "subscription { broken { n } }",
            "subscription { steps(to: 10) { n } }",
            "subscription { unknown }",
            "subscription {",
            "{ hello }",
        ] {
            let expected: Vec<Response> = schema.execute_stream(request(query)).collect().await;
            let responses: Vec<Response> = execute_lean(&schema, request(query)).collect().await;
            assert!(!expected.is_empty(), "{query}");
            let text = |responses| serde_json::to_string(responses).expect("JSON");
            assert_eq!(text(&responses), text(&expected), "{query}");
        }
    }

    #[tokio::test]
    async fn a_stream_that_is_dropped_leaves_nothing_behind() {
        let schema = schema();
        let guest = Arc::new("Ada".to_owned());
        let start = |query: &str| execute_lean(&schema, Request::new(query).data(guest.clone()));
        drop(start("subscription { never { n } }"));
        let mut waiting = start("subscription { never { n } }");
        assert!(waiting.next().now_or_never().is_none());
        assert!(Arc::strong_count(&guest) > 1);
        drop(waiting);
        let mut going = start("subscription { steps(to: 3) { n } }");
        assert!(going.next().await.is_some());
        drop(going);
        assert_eq!(
            start("subscription { a: never { n } b: broken { n } }").next().await.map(|one| one.errors.len()),
            Some(1)
        );
        assert_eq!(Arc::strong_count(&guest), 1);
    }
}
