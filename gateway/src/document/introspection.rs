//! What a schema's description of itself costs.
//!
//! `__schema.types` lists every type, so what lies below it is counted by the averages of the schema, which make
//! its exact totals. Behind `type`, `ofType` and their like stands any type, so there the largest counts: a query
//! that goes from types to fields to types to fields grows too dear by itself. That needs several models of
//! `__Type`.

use async_graphql::parser::types::{BaseType, Type};

use super::list_size::ListSize;
use super::model::{CostModel, FieldModel, Possible, TypeId, TypeModel, UNIT};

/// What an object of introspection weighs.
const WEIGHT: u64 = UNIT / 100;
/// Directives that the language brings, and a few of the schema's own.
const DIRECTIVES: u64 = 16;

const TYPE: &[&str] = &["kind", "name", "description", "specifiedByURL", "isOneOf"];
const FIELD: &[&str] = &["name", "description", "isDeprecated", "deprecationReason"];

/// How many of everything a schema has.
#[derive(Clone, Debug)]
pub(super) struct Census {
    pub(super) types: u64,
    wrappers: usize,
    fields: Count,
    arguments: Count,
    inputs: Count,
    values: Count,
    possible: Count,
    interfaces: Count,
}

/// How many in all, and how many at most in one place.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: u64,
    most: u64,
}

impl Count {
    fn add(&mut self, items: usize) {
        let items = items as u64;
        self.all += items;
        self.most = self.most.max(items);
    }

    fn average(self, places: u64) -> u64 {
        self.all.div_ceil(places.max(1))
    }
}

impl Default for Census {
    /// What every schema has: the five scalars of the language, and the types of introspection.
    fn default() -> Self {
        Self {
            types: 13,
            wrappers: 3,
            fields: Count { all: 45, most: 11 },
            arguments: Count { all: 8, most: 1 },
            inputs: Count::default(),
            values: Count { all: 27, most: 19 },
            possible: Count::default(),
            interfaces: Count::default(),
        }
    }
}

impl Census {
    pub(super) fn fields(&mut self, items: usize) {
        self.fields.add(items);
    }

    pub(super) fn arguments(&mut self, items: usize) {
        self.arguments.add(items);
    }

    pub(super) fn inputs(&mut self, items: usize) {
        self.inputs.add(items);
    }

    pub(super) fn values(&mut self, items: usize) {
        self.values.add(items);
    }

    pub(super) fn possible(&mut self, items: usize) {
        self.possible.add(items);
    }

    pub(super) fn implemented(&mut self, items: usize) {
        self.interfaces.add(items);
    }

    /// Takes note of how many lists and non-nulls stand around a type's name.
    pub(super) fn wrapped(&mut self, ty: &Type) {
        fn wrappers(ty: &Type) -> usize {
            let list = match &ty.base {
                BaseType::Named(_) => 0,
                BaseType::List(item) => 1 + wrappers(item),
            };
            list + usize::from(!ty.nullable)
        }
        self.wrappers = self.wrappers.max(wrappers(ty));
    }
}

/// Adds the types of introspection, and the two fields of the query root that lead to them.
pub(super) fn add(model: &mut CostModel, census: &Census) {
    let Some(query) = model.roots.query else { return };
    let leaf = model.names["String"];
    let mut add = |name: Option<&str>, like: Option<TypeId>| {
        let id = model.types.len();
        model.types.push(TypeModel {
            weight: WEIGHT,
            composite: true,
            possible: Possible::new(vec![id]),
            like,
            ..TypeModel::default()
        });
        if let Some(name) = name {
            model.names.insert(name.to_owned(), id);
        }
        id
    };
    let schema = add(Some("__Schema"), None);
    let any = add(Some("__Type"), None);
    let wrapped: Vec<TypeId> = (0..census.wrappers).map(|_| add(None, Some(any))).collect();
    let every = add(None, Some(any));
    let any_field = add(Some("__Field"), None);
    let every_field = add(None, Some(any_field));
    let input = add(Some("__InputValue"), None);
    let value = add(Some("__EnumValue"), None);
    let directive = add(Some("__Directive"), None);

    let one = |returns| field(returns, None);
    let many = |returns, size| field(returns, Some(size));
    let leaves = |names: &'static [&'static str]| {
        names.iter().map(move |name| (*name, FieldModel { weight: 0, ..one(leaf) }))
    };
    let mut set = |id: TypeId, fields: Vec<(&'static str, FieldModel)>, names| {
        let all = fields.into_iter().chain(leaves(names));
        model.types[id].fields = all.map(|(name, field)| (name.to_owned(), field)).collect();
    };

    let (types, fields) = (census.types, census.fields.all);
    set(
        every,
        vec![
            ("fields", many(every_field, census.fields.average(types))),
            ("interfaces", many(any, census.interfaces.average(types))),
            ("possibleTypes", many(any, census.possible.average(types))),
            ("enumValues", many(value, census.values.average(types))),
            ("inputFields", many(input, census.inputs.average(types))),
            ("ofType", many(any, 0)),
        ],
        TYPE,
    );
    for (depth, id) in std::iter::once(any).chain(wrapped.iter().copied()).enumerate() {
        let within = wrapped.get(depth).map_or(many(any, 0), |within| one(*within));
        set(
            id,
            vec![
                ("fields", many(any_field, census.fields.most)),
                ("interfaces", many(any, census.interfaces.most)),
                ("possibleTypes", many(any, census.possible.most)),
                ("enumValues", many(value, census.values.most)),
                ("inputFields", many(input, census.inputs.most)),
                ("ofType", within),
            ],
            TYPE,
        );
    }
    set(
        every_field,
        vec![("args", many(input, census.arguments.average(fields))), ("type", one(any))],
        FIELD,
    );
    set(any_field, vec![("args", many(input, census.arguments.most)), ("type", one(any))], FIELD);
    set(
        input,
        vec![("type", one(any))],
        &["name", "description", "defaultValue", "isDeprecated", "deprecationReason"],
    );
    set(value, Vec::new(), FIELD);
    set(
        directive,
        vec![("args", many(input, census.arguments.most.max(5)))],
        &["name", "description", "isRepeatable", "locations"],
    );
    set(
        schema,
        vec![
            ("types", many(every, types)),
            ("queryType", one(any)),
            ("mutationType", one(any)),
            ("subscriptionType", one(any)),
            ("directives", many(directive, DIRECTIVES)),
        ],
        &["description"],
    );
    // Each of the two walks the whole schema to find what is visible.
    let walk = FieldModel { weight: (types + fields) * WEIGHT, own: true, ..one(schema) };
    let root = &mut model.types[query].fields;
    root.insert("__type".to_owned(), FieldModel { returns: any, ..walk.clone() });
    root.insert("__schema".to_owned(), walk);
}

fn field(returns: TypeId, size: Option<u64>) -> FieldModel {
    FieldModel {
        returns,
        list: size.is_some(),
        weight: WEIGHT,
        own: false,
        sizes: size.map(ListSize::assumed).into_iter().collect(),
        sized: None,
    }
}
