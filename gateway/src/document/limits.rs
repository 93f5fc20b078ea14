//! How much of everything a request may have.

/// How much of everything a request may have. Every count is taken with fragments opened: what is spread twice
/// counts twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the document's text. The parser takes time for each, also for blanks, comments and strings.
    pub length: u64,
    /// Tokens of the text: names, numbers, strings, punctuators (GraphQL, section 2.1.6).
    pub tokens: u64,
    /// Brackets that are open at once anywhere in the text. The parser calls itself for each.
    pub nesting: u64,
    /// Selection sets in one another, those of fragments included. The executor calls itself for each; its own
    /// limit (`SchemaBuilder::limit_recursive_depth`) must not be lower, or it speaks first and without a code.
    pub recursion: u64,
    /// Fields in one another, as the answer shows them. The usual introspection query needs 15.
    pub depth: u64,
    /// Fields of an operation's root.
    pub root_fields: u64,
    /// Aliases of an operation.
    pub aliases: u64,
    /// Directives of all operations together.
    pub directives: u64,
    /// Directives at one place.
    pub directives_at_once: u64,
    /// Fields of all operations together: validation walks every operation, whichever will run.
    pub fields: u64,
    /// What those validation rules do that grow faster than the text: comparisons of fields of one level with each
    /// other, and of variables' uses with their definitions, each operation anew, and the messages about
    /// what they find. One is worth up to a microsecond.
    pub comparisons: u64,
    /// Lists and objects in one another in an argument, variables put in.
    pub input_depth: u64,
    /// Values in arguments, variables put in at each use; 256 bytes of a string count as one more.
    pub input_values: u64,
    /// Items of one list in an argument.
    pub input_list: u64,
    /// What `first`, `last` or another slicing argument may ask for.
    pub list_size: u64,
    /// Values that the executor may have to make: those of the answer, lists at their full size, and those of the
    /// arguments of each of its fields. It bounds answers of many cheap fields, which cost alone does not.
    pub values: u64,
    /// Static cost of the operation, see [`CostModel`](super::CostModel).
    pub cost: u64,
}

impl Default for Limits {
    /// Chosen so that no document costs more than 50 ms of CPU before it is refused (`benches/hostile` holds it).
    fn default() -> Self {
        Self {
            length: 100_000,
            tokens: 8_000,
            nesting: 64,
            recursion: 32,
            depth: 16,
            root_fields: 30,
            aliases: 200,
            directives: 500,
            directives_at_once: 8,
            fields: 5_000,
            comparisons: 20_000,
            input_depth: 12,
            input_values: 20_000,
            input_list: 5_000,
            list_size: 100,
            values: 200_000,
            cost: 10_000,
        }
    }
}

/// One of the [`Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::length`]
    Length,
    /// [`Limits::tokens`]
    Tokens,
    /// [`Limits::nesting`]
    Nesting,
    /// [`Limits::recursion`]
    Recursion,
    /// [`Limits::depth`]
    Depth,
    /// [`Limits::root_fields`]
    RootFields,
    /// [`Limits::aliases`]
    Aliases,
    /// [`Limits::directives`]
    Directives,
    /// [`Limits::directives_at_once`]
    DirectivesAtOnce,
    /// [`Limits::fields`]
    Fields,
    /// [`Limits::comparisons`]
    Comparisons,
    /// [`Limits::input_depth`]
    InputDepth,
    /// [`Limits::input_values`]
    InputValues,
    /// [`Limits::input_list`]
    InputList,
    /// [`Limits::list_size`]
    ListSize,
    /// [`Limits::values`]
    Values,
    /// [`Limits::cost`]
    Cost,
}

impl Limit {
    /// The stable code of what exceeds it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Length => "DOCUMENT_TOO_LONG",
            Self::Tokens => "TOO_MANY_TOKENS",
            Self::Nesting | Self::Recursion | Self::Depth => "DOCUMENT_TOO_DEEP",
            Self::RootFields => "TOO_MANY_ROOT_FIELDS",
            Self::Aliases => "TOO_MANY_ALIASES",
            Self::Directives | Self::DirectivesAtOnce => "TOO_MANY_DIRECTIVES",
            Self::Fields => "TOO_MANY_FIELDS",
            Self::Comparisons => "DOCUMENT_TOO_COMPLEX",
            Self::InputDepth => "INPUT_TOO_DEEP",
            Self::InputValues | Self::InputList => "INPUT_TOO_LARGE",
            Self::ListSize => "LIST_SIZE_EXCEEDED",
            Self::Values => "ANSWER_TOO_LARGE",
            Self::Cost => "COST_LIMIT_EXCEEDED",
        }
    }

    /// Its name, as `extensions.limit` tells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Tokens => "tokens",
            Self::Nesting => "nesting",
            Self::Recursion => "recursion",
            Self::Depth => "depth",
            Self::RootFields => "rootFields",
            Self::Aliases => "aliases",
            Self::Directives => "directives",
            Self::DirectivesAtOnce => "directivesAtOnce",
            Self::Fields => "fields",
            Self::Comparisons => "comparisons",
            Self::InputDepth => "inputDepth",
            Self::InputValues => "inputValues",
            Self::InputList => "inputList",
            Self::ListSize => "listSize",
            Self::Values => "values",
            Self::Cost => "cost",
        }
    }

    /// What it counts, as the subject of a sentence.
    pub(super) fn subject(self) -> &'static str {
        match self {
            Self::Length => "Bytes of the document's text",
            Self::Tokens => "Tokens of the document",
            Self::Nesting => "Brackets open at once in the document",
            Self::Recursion => "Selection sets in one another, fragments opened",
            Self::Depth => "Fields in one another",
            Self::RootFields => "Fields of the operation's root",
            Self::Aliases => "Aliases of the operation",
            Self::Directives => "Directives of the document",
            Self::DirectivesAtOnce => "Directives at one place",
            Self::Fields => "Fields of the document, fragments opened",
            Self::Comparisons => "Comparisons that validating the document would take",
            Self::InputDepth => "Lists and objects in one another in an argument",
            Self::InputValues => "Values in arguments, variables put in",
            Self::InputList => "Items of a list in an argument",
            Self::ListSize => "Items asked of a list",
            Self::Values => "Values that the answer may hold",
            Self::Cost => "The cost of the operation",
        }
    }

    /// What the client can do.
    pub(super) fn fix(self) -> &'static str {
        match self {
            Self::Length => {
                "send values as variables and leave out blanks and comments, or split the request"
            }
            Self::Tokens => "ask for fewer fields, or split the request",
            Self::Nesting | Self::Recursion | Self::Depth => {
                "ask for what lies deeper in a request of its own"
            }
            Self::RootFields => "split the request",
            Self::Aliases => "use a field that takes a list, or split the request",
            Self::Directives | Self::DirectivesAtOnce => "leave out the directives that do nothing",
            Self::Fields => "spread large fragments less often, or split the request",
            Self::Comparisons => {
                "spread large fragments in fewer places, use fewer operations, variables and arguments, or split the \
                 document"
            }
            Self::InputDepth => "flatten the input",
            Self::InputValues | Self::InputList => "send the input in several requests",
            Self::ListSize => "ask for a smaller page, and for the next one with a cursor",
            Self::Values | Self::Cost => "ask for fewer fields or smaller pages",
        }
    }
}
