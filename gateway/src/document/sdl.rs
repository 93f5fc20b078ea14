//! Reads the cost model from a schema's text.

use std::collections::{HashMap, HashSet};

use async_graphql::Value;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};
use async_graphql::{Name, Positioned};

use super::introspection::{self, Census};
use super::list_size::ListSize;
use super::model::{CostModel, FieldModel, ModelError, Possible, Roots, TypeId, TypeModel, UNIT};

/// What a field of the mutation root weighs unless it says otherwise.
const MUTATION: u64 = 10 * UNIT;

impl CostModel {
    /// Reads the model from a schema's text, as `Schema::sdl` writes it.
    ///
    /// # Errors
    /// When the text cannot be read, or a directive in it cannot be used.
    pub fn from_sdl(text: &str) -> Result<Self, ModelError> {
        let document = parse_schema(text).map_err(|error| ModelError::Unreadable(error.to_string()))?;
        let mut reader = Reader::default();
        for scalar in ["Int", "Float", "String", "Boolean", "ID"] {
            reader.register(scalar);
        }
        let mut named = [None, None, None];
        for definition in &document.definitions {
            match definition {
                TypeSystemDefinition::Type(definition) => reader.declare(&definition.node)?,
                TypeSystemDefinition::Schema(schema) => {
                    let roots = [&schema.node.query, &schema.node.mutation, &schema.node.subscription];
                    for (slot, root) in named.iter_mut().zip(roots) {
                        *slot = root.as_ref().map(|name| name.node.to_string()).or(slot.take());
                    }
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        let [query, mutation, subscription] = named;
        let root = |name: Option<String>, usual: &str| {
            reader.model.names.get(name.as_deref().unwrap_or(usual)).copied()
        };
        reader.model.roots = Roots {
            query: root(query, "Query"),
            mutation: root(mutation, "Mutation"),
            subscription: root(subscription, "Subscription"),
        };
        for definition in &document.definitions {
            if let TypeSystemDefinition::Type(definition) = definition {
                reader.fields(&definition.node)?;
            }
        }
        reader.settle();
        introspection::add(&mut reader.model, &reader.census);
        Ok(reader.model)
    }
}

#[derive(Default)]
struct Reader {
    model: CostModel,
    census: Census,
    /// Types with a weight of their own.
    weighed: HashSet<TypeId>,
    /// The objects behind interfaces and unions.
    behind: HashMap<TypeId, Vec<TypeId>>,
}

impl Reader {
    fn register(&mut self, name: &str) -> TypeId {
        if let Some(id) = self.model.names.get(name) {
            return *id;
        }
        let id = self.model.types.len();
        self.model.types.push(TypeModel::default());
        self.model.names.insert(name.to_owned(), id);
        id
    }

    fn known(&self, place: &str, name: &Name) -> Result<TypeId, ModelError> {
        self.model
            .names
            .get(name.as_str())
            .copied()
            .ok_or_else(|| ModelError::UnknownType { place: place.to_owned(), name: name.to_string() })
    }

    /// Makes a type known by its name, and its weight.
    fn declare(&mut self, definition: &TypeDefinition) -> Result<(), ModelError> {
        let name = definition.name.node.as_str();
        let id = self.register(name);
        let composite =
            matches!(definition.kind, TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_));
        if let Some(weight) = weight(name, &definition.directives)? {
            if matches!(definition.kind, TypeKind::InputObject(_)) {
                return Err(ModelError::Misplaced { place: name.to_owned() });
            }
            self.weighed.insert(id);
            self.model.types[id].weight = weight;
        } else if composite && !self.weighed.contains(&id) {
            self.model.types[id].weight = UNIT;
        }
        self.model.types[id].composite = composite;
        if !definition.extend {
            self.census.types += 1;
        }
        Ok(())
    }

    fn fields(&mut self, definition: &TypeDefinition) -> Result<(), ModelError> {
        let name = definition.name.node.as_str();
        let id = self.known(name, &definition.name.node)?;
        match &definition.kind {
            TypeKind::Object(object) => {
                self.behind.entry(id).or_default().push(id);
                for interface in &object.implements {
                    let interface = self.known(name, &interface.node)?;
                    self.behind.entry(interface).or_default().push(id);
                }
                self.census.implemented(object.implements.len());
                self.fields_of(id, name, &object.fields)
            }
            TypeKind::Interface(interface) => {
                self.census.implemented(interface.implements.len());
                self.fields_of(id, name, &interface.fields)
            }
            TypeKind::Union(union) => {
                for member in &union.members {
                    let member = self.known(name, &member.node)?;
                    self.behind.entry(id).or_default().push(member);
                }
                Ok(())
            }
            TypeKind::InputObject(input) => {
                self.census.inputs(input.fields.len());
                self.inputs(name, &input.fields)
            }
            TypeKind::Enum(values) => {
                self.census.values(values.values.len());
                Ok(())
            }
            TypeKind::Scalar => Ok(()),
        }
    }

    fn inputs(&mut self, of: &str, inputs: &[Positioned<InputValueDefinition>]) -> Result<(), ModelError> {
        for input in inputs {
            self.census.wrapped(&input.node.ty.node);
            if weight(of, &input.node.directives)?.is_some() {
                return Err(ModelError::Misplaced { place: format!("{of}.{}", input.node.name.node) });
            }
        }
        Ok(())
    }

    fn fields_of(
        &mut self,
        id: TypeId,
        name: &str,
        fields: &[Positioned<FieldDefinition>],
    ) -> Result<(), ModelError> {
        self.census.fields(fields.len());
        for field in fields {
            let place = format!("{name}.{}", field.node.name.node);
            let model = self.field(id, &place, &field.node)?;
            self.model.types[id].fields.insert(field.node.name.node.to_string(), model);
        }
        Ok(())
    }

    fn field(&mut self, on: TypeId, place: &str, field: &FieldDefinition) -> Result<FieldModel, ModelError> {
        self.census.wrapped(&field.ty.node);
        self.census.arguments(field.arguments.len());
        self.inputs(place, &field.arguments)?;
        let (base, list) = base(&field.ty.node);
        let returns = self.known(place, base)?;
        let own =
            weight(place, &field.directives)?.or((self.model.roots.mutation == Some(on)).then_some(MUTATION));
        let size = directive(&field.directives, "listSize")
            .map(|directive| ListSize::read(field, directive))
            .transpose()
            .and_then(|size| match size {
                Some(size) if size.sized.is_empty() && !list => {
                    Err("a field that is no list needs `sizedFields`".to_owned())
                }
                size => Ok(size),
            })
            .map_err(|reason| ModelError::ListSize { place: place.to_owned(), reason })?;
        let sized = size.as_ref().filter(|size| !size.sized.is_empty()).map(|size| self.set(&size.sized));
        Ok(FieldModel {
            returns,
            list,
            weight: own.unwrap_or(0),
            own: own.is_some(),
            sizes: size.into_iter().collect(),
            sized,
        })
    }

    /// The number of a set of names.
    fn set(&mut self, names: &[String]) -> usize {
        let mut names = names.to_vec();
        names.sort();
        names.dedup();
        self.model.sized.iter().position(|known| *known == names).unwrap_or_else(|| {
            self.model.sized.push(names);
            self.model.sized.len() - 1
        })
    }

    /// Fills in what can be told only once all types are known.
    fn settle(&mut self) {
        for (id, objects) in std::mem::take(&mut self.behind) {
            self.census.possible(if objects == [id] { 0 } else { objects.len() });
            self.model.types[id].possible = Possible::new(objects);
        }
        let abstracts: Vec<TypeId> = (0..self.model.types.len())
            .filter(|id| self.model.types[*id].composite && self.model.types[*id].possible.objects != [*id])
            .collect();
        for id in &abstracts {
            let objects = &self.model.types[*id].possible.objects;
            let dearest = objects.iter().map(|object| self.model.types[*object].weight).max();
            self.model.types[*id].weight = self.model.types[*id].weight.max(dearest.unwrap_or(0));
        }
        for id in 0..self.model.types.len() {
            let mut fields = std::mem::take(&mut self.model.types[id].fields);
            for field in fields.values_mut().filter(|field| !field.own) {
                field.weight = self.model.types[field.returns].weight;
            }
            self.model.types[id].fields = fields;
        }
        for id in abstracts {
            self.take_dearest(id);
        }
    }

    /// Makes the fields of an interface as dear as in the dearest of its objects.
    fn take_dearest(&mut self, id: TypeId) {
        let mut fields = std::mem::take(&mut self.model.types[id].fields);
        for (name, field) in &mut fields {
            let mut sized: Vec<String> =
                field.sized.map_or_else(Vec::new, |set| self.model.sized[set].clone());
            for object in &self.model.types[id].possible.objects {
                let Some(theirs) = self.model.types[*object].fields.get(name) else { continue };
                field.weight = field.weight.max(theirs.weight);
                field.own |= theirs.own;
                for size in &theirs.sizes {
                    if !field.sizes.contains(size) {
                        field.sizes.push(size.clone());
                    }
                }
                sized.extend(theirs.sized.iter().flat_map(|set| self.model.sized[*set].clone()));
            }
            if !sized.is_empty() {
                field.sized = Some(self.set(&sized));
            }
        }
        self.model.types[id].fields = fields;
    }
}

fn directive<'d>(directives: &'d [Positioned<ConstDirective>], name: &str) -> Option<&'d ConstDirective> {
    directives.iter().map(|directive| &directive.node).find(|directive| directive.name.node == name)
}

/// The weight that `@cost` declares, in thousandths.
fn weight(place: &str, directives: &[Positioned<ConstDirective>]) -> Result<Option<u64>, ModelError> {
    let Some(cost) = directive(directives, "cost") else { return Ok(None) };
    let value = cost.get_argument("weight").map(|weight| &weight.node);
    let weight = match value {
        Some(Value::String(text)) => thousandths(text),
        _ => None,
    };
    weight.map(Some).ok_or_else(|| ModelError::Weight {
        place: place.to_owned(),
        found: value.map_or_else(|| "nothing".to_owned(), ToString::to_string),
    })
}

fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.len() > 3 || ![whole, fraction].iter().all(|digits| is_digits(digits)) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<3}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(UNIT)?.checked_add(fraction)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The named type within, and whether it is a list.
fn base(ty: &Type) -> (&Name, bool) {
    match &ty.base {
        BaseType::Named(name) => (name, false),
        BaseType::List(item) => (base(item).0, true),
    }
}
