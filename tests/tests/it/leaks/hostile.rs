//! What no client should send, and some do.

use serde_json::{Value, json};

use crate::walk::Place;

/// Values that a place of a type does not expect.
pub(super) fn hostile(place: &Place) -> Vec<Value> {
    let long = "x".repeat(70_000);
    let any = [
        json!(null),
        json!({}),
        json!([]),
        json!([[]]),
        json!(true),
        json!(-1),
        json!(1e300),
        json!({"a": {"b": 1}}),
    ];
    let own = match place.type_name.as_str() {
        "ID" => vec![
            json!(""),
            json!("nonsense"),
            json!("party_"),
            json!("party_01h455vb4pex5vsknk084sn02"),
            json!("\u{0}"),
            json!(long),
            json!("' OR '1'='1"),
            json!("0190a5a5-0000-7000-8000-000000000000"),
            json!("session_01h455vb4pex5vsknk084sn02q"),
        ],
        "Int" => vec![
            json!(2_147_483_647),
            json!(-2_147_483_648),
            json!(2_147_483_648_i64),
            json!(1.5),
            json!("1"),
            json!(0),
            json!(9_223_372_036_854_775_807_i64),
            json!(18_446_744_073_709_551_615_u64),
        ],
        "Decimal" | "Float" => [
            "NaN",
            "Infinity",
            "-1",
            "1e999999",
            "0x10",
            "",
            "1,5",
            "99999999999999999999999999999",
            "79228162514264337593543950335",
            "0.0000000000000000000000000001",
            "-0",
            "92233720368547758.07",
            "92233720368547758.08",
            "١",
        ]
        .map(|text| json!(text))
        .to_vec(),
        "Date" | "DateTime" => [
            "2026-02-30",
            "0000-01-01",
            "9999-12-31",
            "-5000-01-01",
            "10000-01-01",
            "+262142-12-31",
            "1970-01-01",
            "today",
            "",
            "2026-06-15T25:00:00Z",
            "9999-12-31T23:59:59Z",
            "+262142-12-31T23:59:59Z",
        ]
        .map(|text| json!(text))
        .to_vec(),
        "Boolean" => vec![json!("true"), json!(1)],
        "String" => vec![
            json!("\u{0}"),
            json!("a\u{0}b"),
            json!(long),
            json!("' OR '1'='1"),
            json!("\\"),
            json!("%s%n{{7*7}}${x}"),
            json!(" "),
            json!("\u{202e}\u{feff}\u{10ffff}"),
            json!("\u{1}\u{1f}\u{7f}"),
            json!("é".repeat(201)),
            json!("../../etc/passwd"),
            json!("\n\r\t"),
        ],
        _ => vec![json!("NO_SUCH_VALUE"), json!("")],
    };
    own.into_iter().chain(any).collect()
}

/// Bodies that are no good request, or a request for something that is not there.
pub(super) fn bodies() -> Vec<Vec<u8>> {
    let documents = [
        "",
        "{",
        "}",
        "{ }",
        "query",
        "{ compny { name } }",
        "{ company { nme } }",
        "{ company }",
        "{ company { name { x } } }",
        "mutation { creatParty { id } }",
        "subscription { kpis { revision } }",
        "query A { company { name } } query B { company { name } }",
        "{ ...F } fragment F on Query { ...F }",
        "{ ...Missing }",
        "fragment F on Nothing { x } { ...F }",
        "{ company { name @nothing } }",
        "{ company @include(if: \"x\") { name } }",
        "query($x: Nothing) { company { name } }",
        "query($x: Int!) { company { name } }",
        "{ parties(first: $x) { totalCount } }",
        "{ parties(first: 99999999999999999999) { totalCount } }",
        "{ parties(first: 1, first: 2) { totalCount } }",
        "{ parties(nothing: 1) { totalCount } }",
        "{ parties(first: 1, after: \"AAAA\") { totalCount } }",
        "{ party(id: 1) { id } }",
        "{ exchangeRate(currency: \"\\u0000\") }",
        "{ __type(name: \"CreditAmountInput\") { name ofType { x } } }",
        "{ \u{0} }",
        "{ a: \"\u{1}\" }",
        "query { company { name } } extend type Query { x: Int }",
        "type X { y: Int }",
        "{ node(id: \"kpi_01h455vb4pex5vsknk084sn02q\") { ... on Nothing { x } } }",
        "{ company { ... on Party { name } } }",
        "{ company { name: id name } }",
        "{ bills(first: 1, filter: {states: [NOTHING]}) { totalCount } }",
    ];
    let mut bodies: Vec<Vec<u8>> =
        documents.iter().map(|text| json!({"query": text}).to_string().into_bytes()).collect();
    let wraps = |text: &str| format!("{{{text}}}").into_bytes();
    bodies.extend([
        wraps(r#""query":"{ a(x: \"\ud800\") }""#), wraps(r#""query":"\ud800""#), wraps(r#""query":1"#), wraps(r#""query":null"#), wraps(""),
        wraps(r#""query":"{ __typename }","variables":[]"#), wraps(r#""query":"{ __typename }","variables":"x""#),
        wraps(r#""query":"{ __typename }","operationName":"Nothing""#), wraps(r#""query":"{ __typename }","operationName":7"#),
        wraps(r#""query":"{ __typename }","extensions":1"#), wraps(r#""query":"{ __typename }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}"#),
        wraps(r#""query":"{ __typename }","query":"{ __typename }""#), wraps(r#""query":"query($n: Int) { parties(first: $n) { totalCount } }","variables":{"n":1e999}"#),
        wraps(r#""query":"query($n: Int) { parties(first: $n) { totalCount } }","variables":{"n":123456789012345678901234567890}"#),
        b"\xef\xbb\xbf{\"query\":\"{ __typename }\"}".to_vec(), b"{\"query\":\"\xff\xfe\"}".to_vec(), b"{\"query\":\"{ a(x: \\\"\xc3\x28\\\") }\"}".to_vec(),
        b"\x00\x01\x02".to_vec(), b"nul".to_vec(), b"[]".to_vec(), b"[[[[".repeat(5_000), format!("{{\"query\":{}", "{\"a\":".repeat(5_000)).into_bytes(),
        json!({"query": format!("{{ {} }}", "a ".repeat(100_000))}).to_string().into_bytes(),
        json!({"query": format!("{{ a(x: \"{}\") }}", "x".repeat(900_000))}).to_string().into_bytes(),
        json!({"query": "query($x: String) { account(number: $x) { id } }", "variables": {"x": "x".repeat(900_000)}}).to_string().into_bytes(),
        vec![b'x'; 2 * 1024 * 1024],
    ]);
    bodies
}
