//! What the tests of this module share.

use async_graphql::Variables;

use super::{Admitted, Checked, CostModel, Limits, Refused, check};

/// A schema with one of everything that the model reads.
pub(super) const SDL: &str = r#"
directive @cost(weight: String!) on OBJECT | FIELD_DEFINITION | SCALAR | ENUM
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION

interface Node { id: ID! related: [Line!]! }
union Party = Customer | Supplier
type Query {
	hello(text: String): String!
	report: String! @cost(weight: "2.5")
	customer(id: ID!): Customer
	invoices(first: Int, last: Int, filter: Filter): InvoiceConnection!
		@listSize(slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"])
	lines(first: Int = 20, top: Int): [Line!]! @listSize(slicingArguments: ["first", "top"], assumedSize: 7, requireOneSlicingArgument: false)
	tags: [Tag!]! @listSize(assumedSize: 4)
	plain: [Line!]!
	some(first: Int): [Line!]! @listSize(slicingArguments: ["first"], requireOneSlicingArgument: false)
	node(id: ID!): Node
	party: Party
	heavy: Heavy
}
type Mutation { issue(input: Filter): Invoice! cheap: Boolean! @cost(weight: "1") }
type Subscription { tick(every: Int): Invoice! }
type InvoiceConnection { edges: [InvoiceEdge!]! nodes: [Invoice!]! totalCount: Int! @cost(weight: "5") }
type InvoiceEdge { cursor: String! node: Invoice! }
type Invoice implements Node {
	id: ID! number: String customer: Customer! lines: [Line!]! @listSize(assumedSize: 10)
	related: [Line!]! @listSize(assumedSize: 3)
}
type Customer implements Node {
	id: ID! name: String! parent: Customer invoices(first: Int = 5): [Invoice!]! @listSize(slicingArguments: ["first"])
	related: [Line!]! @listSize(assumedSize: 8) @cost(weight: "2")
}
type Supplier { name: String! rating: Heavy }
type Line { text: String! amount: Money! }
type Money { amount: String! currency: String! }
type Tag @cost(weight: "0.25") { name: String! }
type Heavy @cost(weight: "50") { value: Int! }
input Filter { number: String any: [Filter!] }
"#;

pub(super) fn model() -> CostModel {
    CostModel::from_sdl(SDL).expect("the schema of the tests is read")
}

/// Limits that let nearly everything pass, for tests of what is counted.
pub(super) fn wide() -> Limits {
    Limits {
        fields: u64::MAX - 1,
        comparisons: u64::MAX,
        values: u64::MAX,
        cost: u64::MAX,
        list_size: 1_000_000,
        root_fields: u64::MAX - 1,
        aliases: 1_000_000,
        input_values: u64::MAX,
        ..Limits::default()
    }
}

pub(super) fn variables(json: serde_json::Value) -> Variables {
    Variables::from_json(json)
}

pub(super) fn admit(text: &str, json: serde_json::Value, limits: &Limits) -> Result<Admitted, Refused> {
    check(text, None, &variables(json), &model(), limits).map(|Checked { admitted, .. }| admitted)
}

/// The cost of a document without variables.
pub(super) fn cost(text: &str) -> u64 {
    admit(text, serde_json::json!({}), &wide()).expect(text).cost
}

/// The code that a document is refused with.
pub(super) fn refusal(text: &str, limits: &Limits) -> &'static str {
    admit(text, serde_json::json!({}), limits).expect_err(text).code()
}
