//! Documents that are made to cost much.

use serde_json::{Value, json};

/// One request.
pub(crate) struct Case {
    pub(crate) text: String,
    pub(crate) operation: Option<&'static str>,
    pub(crate) variables: Value,
}

impl Case {
    pub(crate) fn size(&self) -> usize {
        self.text.len() + if self.variables.is_null() { 0 } else { self.variables.to_string().len() }
    }
}

/// Requests of one kind that grow with a number.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) make: fn(usize) -> Case,
    /// Larger numbers are not tried.
    pub(crate) most: usize,
}

fn text(text: String) -> Case {
    Case { text, operation: None, variables: Value::Null }
}

/// Of several operations, the first.
fn first(text: String) -> Case {
    Case { operation: Some("Q0"), ..self::text(text) }
}

fn with(variables: Value, text: String) -> Case {
    Case { text, operation: None, variables }
}

/// `n` parts, each made from its number.
fn parts(n: usize, part: impl Fn(usize) -> String) -> String {
    (0..n).map(part).collect::<Vec<_>>().join(" ")
}

/// Half of what there is in one place, half in another.
fn halves(n: usize) -> (usize, usize) {
    (n.div_ceil(2), (n / 2).max(1))
}

macro_rules! families {
    ($($name:literal $(, at most $most:literal)? => |$n:ident| $body:expr;)*) => {
        vec![$(Family { name: $name, make: |$n: usize| $body, most: [$($most,)? usize::MAX][0] },)*]
    };
}

pub(crate) fn families() -> Vec<Family> {
    let mut all = fragments();
    all.extend(floods());
    all.extend(meetings());
    all.extend(inputs());
    all.extend(texts());
    all.extend(answers());
    all
}

fn fragments() -> Vec<Family> {
    families! {
        "spreads doubled", at most 30 => |n| text(format!(
            "{{ item {{ ...F0 }} }} {} fragment F{n} on Item {{ id }}",
            parts(n, |i| format!("fragment F{i} on Item {{ ...F{0} ...F{0} }}", i + 1))
        ));
        "spreads doubled below fields", at most 30 => |n| text(format!(
            "{{ item {{ ...F0 }} }} {} fragment F{n} on Item {{ id }}",
            parts(n, |i| format!("fragment F{i} on Item {{ a: item {{ ...F{0} }} b: item {{ ...F{0} }} }}", i + 1))
        ));
        "spreads doubled, never reached", at most 30 => |n| text(format!(
            "{{ item {{ id }} }} {} fragment F{n} on Item {{ id }}",
            parts(n, |i| format!("fragment F{i} on Item {{ ...F{0} ...F{0} }}", i + 1))
        ));
        "spreads by hundreds" => |n| text(format!(
            "{{ item {{ {} }} }} fragment F on Item {{ {} }}",
            parts(n, |_| "...F".into()),
            parts(n, |i| format!("a{i}: id"))
        ));
        "spreads of an unknown fragment" => |n| text(format!("{{ item {{ {} }} }}", parts(n, |_| "...F".into())));
        "a chain of fragments" => |n| text(format!(
            "{{ item {{ ...F0 }} }} {} fragment F{n} on Item {{ id }}",
            parts(n, |i| format!("fragment F{i} on Item {{ ...F{} }}", i + 1))
        ));
        "a circle of fragments" => |n| text(format!(
            "{{ item {{ ...F0 }} }} {}", parts(n, |i| format!("fragment F{i} on Item {{ ...F{} }}", (i + 1) % n))
        ));
        "circles that meet" => |n| text(format!(
            "{{ item {{ id }} }} {}",
            parts(n, |i| format!("fragment F{i} on Item {{ {} }}", parts(n, |j| format!("...F{j}"))))
        ));
        "fragments never used" => |n| text(format!(
            "{{ item {{ id }} }} {}", parts(n, |i| format!("fragment F{i} on Item {{ id }}"))
        ));
        "inline fragments in one another" => |n| text(format!("{{ {} hello {} }}", "... {".repeat(n), "}".repeat(n)));
        "inline fragments side by side" => |n| text(format!(
            "{{ node {{ {} }} }}", parts(n, |_| "... on Node { id }".into())
        ));
        "impossible inline fragments" => |n| text(format!(
            "{{ any {{ {} }} }}", parts(n, |_| "... on Query { id }".into())
        ));
    }
}

fn floods() -> Vec<Family> {
    families! {
        "aliases" => |n| text(format!("{{ {} }}", parts(n, |i| format!("a{i}: hello"))));
        "aliases below a field" => |n| text(format!("{{ item {{ {} }} }}", parts(n, |i| format!("a{i}: id"))));
        "one field again and again" => |n| text(format!("{{ item {{ {} }} }}", "id ".repeat(n)));
        "unknown fields" => |n| text(format!("{{ item {{ {} }} }}", parts(n, |i| format!("u{i}"))));
        "unknown fields of long names" => |n| text(format!(
            "{{ item {{ {} }} }}", parts(n, |i| format!("{i:u>200}"))
        ));
        "unknown fields at the root" => |n| text(format!("{{ {} }}", parts(n, |i| format!("u{i}"))));
        "unknown arguments" => |n| text(format!("{{ hello({}) }}", parts(n, |i| format!("u{i}: 1"))));
        "unknown types" => |n| text(format!("{{ item {{ {} }} }}", parts(n, |i| format!("... on U{i} {{ id }}"))));
        "directives at one field" => |n| text(format!("{{ hello {} }}", "@skip(if: false) ".repeat(n)));
        "directives at many fields" => |n| text(format!("{{ item {{ {} }} }}", "id @skip(if: false) ".repeat(n)));
        "unknown directives" => |n| text(format!("{{ item {{ {} }} }}", "id @u @u @u @u @u @u @u @u ".repeat(n)));
        "directives of fragments" => |n| text(format!(
            "{{ item {{ id }} }} {}", parts(n, |i| format!("fragment F{i} on Item @u @u @u @u @u @u {{ id }}"))
        ));
        "arguments of a directive" => |n| text(format!(
            "{{ hello @skip({}) }}", parts(n, |i| format!("{i:u>150}: 1"))
        ));
        "operations" => |n| first(parts(n, |i| format!("query Q{i} {{ hello }}")));
        "anonymous operations" => |n| text("{ hello } ".repeat(n));
        "operations of one name" => |n| text("query Q { hello } ".repeat(n));
        "operations that spread all" => |n| first(format!(
            "fragment F on Item {{ {} }} {}",
            parts(n, |i| format!("u{i}")), parts(n, |i| format!("query Q{i} {{ item {{ ...F }} }}"))
        ));
        "variables" => |n| text(format!("query({}) {{ hello }}", parts(n, |i| format!("$v{i}: Int"))));
        "variables of one name" => |n| text(format!("query({}) {{ hello }}", "$v: Int ".repeat(n)));
        "variables of lists of unknowns" => |n| text(format!("query({}) {{ hello }}", "$v: [U] = [1] ".repeat(n)));
        "variables without definition" => |n| text(format!(
            "{{ item {{ {} }} }}", parts(n, |i| format!("value(of: $v{i})"))
        ));
        "typenames" => |n| text(format!("{{ {} }}", "__typename ".repeat(n)));
    }
}

/// What the rule about overlapping fields, and those about variables, compare with each other.
fn meetings() -> Vec<Family> {
    families! {
        "conflicts of names" => |n| text(format!("{{ item {{ x: name {} }} }}", "x: id ".repeat(n)));
        "conflicts of arguments" => |n| text(format!("{{ item {{ value(of: 1) {} }} }}", "value(of: 2) ".repeat(n)));
        "many arguments against none" => |n| {
            let (left, right) = halves(n);
            text(format!("{{ item {{ value({}) {} }} }}", parts(left, |i| format!("a{i}: 1")), "value ".repeat(right)))
        };
        "many arguments against many" => |n| {
            let arguments = parts(n.isqrt() + 1, |i| format!("a{i}: 1"));
            text(format!("{{ item {{ {} }} }}", parts(n.isqrt() + 2, |_| format!("value({arguments})"))))
        };
        "long values against each other" => |n| text(format!(
            "{{ item {{ {0} {1} {1} }} }}", "value(of: 1)", format!("value(of: [{}])", "1 ".repeat(n))
        ));
        "one fragment on many levels" => |n| {
            let (sets, fields) = halves(n);
            text(format!(
                "{{ item {{ {} }} }} fragment F on Item {{ {} }}", "item { ...F } ".repeat(sets),
                parts(fields, |i| format!("u{i}"))
            ))
        };
        "one fragment, conflicting" => |n| {
            let (sets, fields) = halves(n);
            text(format!(
                "{{ item {{ {} }} }} fragment F on Item {{ id: name {} }}",
                "item { ...F } ".repeat(sets),
                "id ".repeat(fields)
            ))
        };
        "one fragment, long names" => |n| {
            let (sets, fields) = halves(n);
            let (key, left, right) = ("k".repeat(190), "l".repeat(190), "r".repeat(190));
            text(format!(
                "{{ hello }} fragment G on Item {{ {} }} fragment F on Item {{ {key}: {left} {} }}",
                "item { ...F } ".repeat(sets), format!("{key}: {right} ").repeat(fields)
            ))
        };
        "one fragment, never reached" => |n| {
            let (sets, fields) = halves(n);
            text(format!(
                "{{ hello }} fragment G on Item {{ {} }} fragment F on Item {{ x: name {} }}",
                "item { ...F } ".repeat(sets), "x: id ".repeat(fields)
            ))
        };
        "one fragment, huge literals" => |n| {
            let (spreads, values) = halves(n);
            text(format!(
                "{{ {} }} fragment F on Query {{ count(numbers: [{}]) }}", "...F ".repeat(spreads), "1 ".repeat(values)
            ))
        };
        "levels of inline fragments" => |n| text(format!(
            "{{ item {{ x: name {} {} {} }} }}", "... { ".repeat(25), "x: id ".repeat(n), "}".repeat(25)
        ));
        "uses against definitions" => |n| {
            let (definitions, uses) = halves(n);
            text(format!(
                "query({}) {{ count(numbers: [{}]) }}",
                parts(definitions, |i| format!("$v{i}: String")),
                parts(uses, |i| format!("$v{}", definitions - 1 - i % definitions.min(3)))
            ))
        };
        "uses against operations" => |n| {
            let (operations, uses) = halves(n);
            first(format!(
                "{} fragment F on Query {{ count(numbers: [{}]) }}",
                parts(operations, |i| format!("query Q{i}($v: String) {{ ...F }}")), "$v ".repeat(uses)
            ))
        };
        "undefined against operations" => |n| {
            let (operations, uses) = halves(n);
            first(format!(
                "{} fragment F on Query {{ count(numbers: [{}]) }}",
                parts(operations, |i| format!("query Q{i} {{ ...F }}")), parts(uses, |i| format!("$v{i}"))
            ))
        };
        "spreads against operations" => |n| {
            let (operations, uses) = halves(n);
            first(format!(
                "{} fragment F on Query {{ {} }} fragment G on Query {{ hello }}",
                parts(operations, |i| format!("query Q{i} {{ ...F }}")), "...G ".repeat(uses)
            ))
        };
    }
}

fn inputs() -> Vec<Family> {
    families! {
        "deep input objects" => |n| text(format!("{{ count(filter: {}{}) }}", "{all: [".repeat(n), "]}".repeat(n)));
        "deep lists" => |n| text(format!("{{ count(numbers: {}{}) }}", "[".repeat(n), "]".repeat(n)));
        "deep input in a variable", at most 120 => |n| with(
            json!({"f": (0..n).fold(json!({}), |inner, _| json!({"all": [inner]}))}),
            "query($f: Filter) { count(filter: $f) }".to_owned()
        );
        "a long literal list" => |n| text(format!("{{ count(numbers: [{}]) }}", "1 ".repeat(n)));
        "a long list of wrong values" => |n| text(format!("{{ count(numbers: [{}]) }}", "a ".repeat(n)));
        "a long list in a variable" => |n| with(
            json!({"n": vec![1; n]}), "query($n: [Int!]) { count(numbers: $n) }".to_owned()
        );
        "a large input in a variable" => |n| with(
            json!({"f": {"all": vec![json!({"number": 1, "text": "x"}); n]}}),
            "query($f: Filter) { count(filter: $f) }".to_owned()
        );
        "a large input of unknown fields" => |n| with(
            json!({"f": (0..n).map(|i| (format!("u{i}"), json!(1))).collect::<serde_json::Map<_, _>>()}),
            "query($f: Filter) { count(filter: $f) }".to_owned()
        );
        "a variable used again and again" => |n| with(
            json!({"f": {"all": vec![json!({"number": 1}); 1000]}}),
            format!("query($f: Filter) {{ {} }}", "count(filter: $f) ".repeat(n))
        );
        "a long string used again and again" => |n| with(
            json!({"t": "x".repeat(900_000)}),
            format!("query($t: String!) {{ {} }}", "hello(text: $t) ".repeat(n))
        );
        "a list used where it never runs" => |n| with(json!({"n": vec![1; 1000]}), format!(
                "query($n: [Int!]) {{ count(numbers: $n) }} fragment F on Query {{ {} }}",
                "count(numbers: $n) ".repeat(n)
            ));
        "an object's repeated keys" => |n| text(format!("{{ count(filter: {{{}}}) }}", "number: 1 ".repeat(n)));
        "a default of many values" => |n| text(format!(
            "query($n: [Int!] = [{}]) {{ count(numbers: $n) }}", "1 ".repeat(n)
        ));
    }
}

fn texts() -> Vec<Family> {
    families! {
        "a long string" => |n| text(format!("{{ hello(text: \"{}\") }}", "x".repeat(n)));
        "a long string of escapes" => |n| text(format!("{{ hello(text: \"{}\") }}", "\\n".repeat(n)));
        "a long string of unicode" => |n| text(format!("{{ hello(text: \"{}\") }}", "😀".repeat(n)));
        "a long block string" => |n| text(format!("{{ hello(text: \"\"\"{}\"\"\") }}", "x\n ".repeat(n)));
        "a string without end" => |n| text(format!("{{ hello(text: \"{}", "x".repeat(n)));
        "a block string without end" => |n| text(format!("{{ hello(text: \"\"\"{}", "\" ".repeat(n)));
        "block strings half open" => |n| text(format!("{{ hello(text: {}) }}", "\"\"\"\\\"\"\"\" ".repeat(n)));
        "blanks" => |n| text(format!("{{ {} hello }}", " ".repeat(n)));
        "blanks before the end" => |n| text(format!("{{ hello {}", " ".repeat(n)));
        "line ends" => |n| text(format!("{{ {} hello }}", "\r\n".repeat(n)));
        "commas" => |n| text(format!("{{ {} hello {} }}", ",".repeat(n), ",".repeat(n)));
        "a long comment" => |n| text(format!("{{ hello #{}\n }}", "x".repeat(n)));
        "empty comments" => |n| text(format!("{{ hello {} }}", "#\n".repeat(n)));
        "empty comments before a fault" => |n| text(format!("{{ hello {} $ }}", "#\n".repeat(n)));
        "comments between all" => |n| text(format!("{{ item {{ {} }} }}", "id #\n".repeat(n)));
        "byte order marks" => |n| text(format!("{}{{ hello }}", "\u{feff}".repeat(n)));
        "a long name" => |n| text(format!("{{ {} }}", "x".repeat(n)));
        "a long number" => |n| text(format!("{{ count(numbers: [{}]) }}", "1".repeat(n)));
        "a large exponent" => |n| text(format!("{{ count(numbers: [{}]) }}", "1e999 ".repeat(n)));
        "nulls without blanks" => |n| text(format!(
            "{{ count(numbers: [{}]) }}", format!("{} ", "null".repeat(50)).repeat(n)
        ));
        "names that begin as keywords" => |n| text(format!("{{ count(numbers: [{}]) }}", "truex ".repeat(n)));
        "open braces" => |n| text("{".repeat(n));
        "open braces with fields" => |n| text("{a".repeat(n));
        "open brackets" => |n| text(format!("{{ count(numbers: {}", "[".repeat(n)));
        "open parentheses" => |n| text("(".repeat(n));
        "closed selection sets" => |n| text(format!("{{ {} id {} }}", "item { ".repeat(n), "}".repeat(n)));
        "a deep type" => |n| text(format!("query($v: {}Int{}) {{ hello }}", "[".repeat(n), "]".repeat(n)));
        "dots" => |n| text("... ".repeat(n));
        "wrong at the very end" => |n| text(format!("{{ item {{ {} }} }} )", "id ".repeat(n)));
        "half a field at the end" => |n| text(format!(
            "{{ item {{ {} value(of:) }} }}", "id value(of: 1) ".repeat(n)
        ));
        "what GraphQL does not know" => |n| text("\u{1}".repeat(n));
    }
}

fn answers() -> Vec<Family> {
    families! {
        "pages in pages" => |n| text(format!("{{ {} id {} }}", "items(first: 100) { ".repeat(n), "}".repeat(n)));
        "a huge page", at most 1_000_000 => |n| text(format!("{{ items(first: {n}) {{ id }} }}"));
        "cheap fields of many items" => |n| text(format!(
            "{{ items(first: 100) {{ items(first: 50) {{ {} }} }} }}", parts(n, |i| format!("a{i}: id"))
        ));
        "introspection in circles", at most 12 => |n| text(format!(
            "{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type { ".repeat(n), "} }".repeat(n)
        ));
        "introspection again and again" => |n| text(format!(
            "{{ {} }}", parts(n, |i| format!("a{i}: __schema {{ types {{ fields {{ name args {{ name }} }} }} }}"))
        ));
        "types again and again" => |n| text(format!(
            "{{ {} }}", parts(n, |i| format!("a{i}: __type(name: \"Item\") {{ name }}"))
        ));
    }
}

/// Makes a body of about that many values.
type Body = fn(usize) -> String;

/// Bodies of requests.
pub(crate) fn bodies() -> Vec<(&'static str, Body)> {
    fn body(variables: &str) -> String {
        format!("{{\"query\":\"{{hello}}\",\"variables\":{{{variables}\"n\":1}}}}")
    }
    vec![
        ("a list of numbers", |n| body(&format!("\"l\":[{}1],", "1,".repeat(n)))),
        ("a list of empty lists", |n| body(&format!("\"l\":[{}1],", "[],".repeat(n / 2)))),
        ("a list of objects", |n| body(&format!("\"l\":[{}1],", "{\"a\":1},".repeat(n / 2)))),
        ("many variables", |n| {
            body(&(0..n).map(|i| format!("\"v{i:06}\":1")).fold(String::new(), |all, one| all + &one + ","))
        }),
        ("a long string", |n| body(&format!("\"s\":\"{}\",", "x".repeat(n * 40)))),
        ("a string of escapes", |n| body(&format!("\"s\":\"{}\",", "\\u00e9".repeat(n * 6)))),
    ]
}

/// What clients send on ordinary days.
pub(crate) fn ordinary() -> Vec<(&'static str, String)> {
    let screen = "query Items($first: Int = 50) { \
                  items(first: $first) { ...ItemParts items(first: 5) { id name } } } \
                  fragment ItemParts on Item { id name value item { id name } }";
    let dashboard = format!(
        "query Dashboard {{ {} }} fragment Tile on Item {{ id name value item {{ id name value }} }}",
        parts(25, |i| format!("tile{i}: item {{ ...Tile items(first: 5) {{ id name value(of: {i}) }} }}"))
    );
    vec![
        ("one field", "{ hello }".to_owned()),
        ("a screen", screen.to_owned()),
        ("a dashboard", dashboard),
        ("introspection", include_str!("introspection.graphql").to_owned()),
    ]
}
