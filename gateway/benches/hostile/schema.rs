//! A small schema with one of everything.

use async_graphql::{
    Context, EmptySubscription, InputObject, Interface, Object, Schema as Built, SimpleObject, Union,
};

pub(crate) type Schema = Built<Query, Mutation, EmptySubscription>;

pub(crate) fn build() -> Schema {
    Built::build(Query, Mutation, EmptySubscription).disable_suggestions().finish()
}

/// The schema's text with the sizes of its lists.
pub(crate) fn annotated(sdl: &str) -> String {
    const PAGE: &str = "@listSize(slicingArguments: [\"first\"], requireOneSlicingArgument: false)";
    sdl.lines()
        .map(|line| {
            let page = line.contains("first: Int") && line.contains("[Item!]!");
            if page { format!("{line} {PAGE}\n") } else { format!("{line}\n") }
        })
        .collect()
}

pub(crate) struct Query;
pub(crate) struct Mutation;

#[derive(Clone, Copy)]
pub(crate) struct Item;

#[derive(SimpleObject)]
pub(crate) struct Other {
    id: String,
    value: i32,
}

#[derive(Interface)]
#[graphql(field(name = "id", ty = "String"))]
pub(crate) enum Node {
    Item(Item),
    Other(Other),
}

#[derive(Union)]
pub(crate) enum Any {
    Item(Item),
    Other(Other),
}

#[derive(InputObject)]
pub(crate) struct Filter {
    number: Option<i32>,
    text: Option<String>,
    all: Option<Vec<Filter>>,
}

impl Filter {
    fn count(&self) -> usize {
        let own = usize::from(self.number.is_some()) + self.text.as_ref().map_or(0, String::len);
        own + self.all.iter().flatten().map(Self::count).sum::<usize>()
    }
}

#[Object]
impl Query {
    async fn hello(&self, #[graphql(default)] text: String) -> usize {
        text.len()
    }

    async fn count(&self, filter: Option<Filter>, numbers: Option<Vec<i32>>) -> usize {
        filter.map_or(0, |filter| filter.count()) + numbers.map_or(0, |numbers| numbers.len())
    }

    async fn pair(&self, _context: &Context<'_>, left: i32, right: i32) -> i32 {
        left.wrapping_add(right)
    }

    async fn item(&self) -> Item {
        Item
    }

    async fn items(&self, first: Option<i32>) -> Vec<Item> {
        vec![Item; usize::try_from(first.unwrap_or(10)).unwrap_or(0).min(100)]
    }

    async fn node(&self) -> Node {
        Node::Item(Item)
    }

    async fn any(&self) -> Any {
        Any::Other(Other { id: "o".to_owned(), value: 1 })
    }
}

#[Object]
impl Item {
    async fn id(&self) -> String {
        "i".to_owned()
    }

    async fn name(&self) -> &str {
        "item"
    }

    async fn value(&self, #[graphql(default)] of: i32) -> i32 {
        of
    }

    async fn item(&self) -> Item {
        Item
    }

    async fn items(&self, first: Option<i32>) -> Vec<Item> {
        vec![Item; usize::try_from(first.unwrap_or(10)).unwrap_or(0).min(100)]
    }
}

#[Object]
impl Mutation {
    async fn store(&self, filter: Filter) -> usize {
        filter.count()
    }
}
