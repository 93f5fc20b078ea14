//! From PostgreSQL's own log of a request to a pgbench script of the same statements.

use std::collections::BTreeMap;

/// A statement as PostgreSQL logged it: its text, and its parameters as literals by number.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    sql: String,
    parameters: BTreeMap<usize, String>,
}

/// A script for pgbench, and the variables that it is given: bound as parameters, as the server binds them.
pub(crate) struct Script {
    pub text: String,
    pub variables: Vec<String>,
}

/// Reads the statements of one session from a log with `log_statement = all`.
pub(crate) fn statements(log: &str) -> Vec<Statement> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut in_detail = false;
    for line in log.lines() {
        if let Some((_, sql)) = line.split_once("LOG:  execute ").and_then(|(_, rest)| rest.split_once(": "))
        {
            found.push((sql.to_owned(), String::new()));
            in_detail = false;
        } else if let Some((_, sql)) = line.split_once("LOG:  statement: ") {
            found.push((sql.to_owned(), String::new()));
            in_detail = false;
        } else if let Some((_, detail)) = line.split_once("DETAIL:  parameters: ") {
            if let Some(last) = found.last_mut() {
                detail.clone_into(&mut last.1);
            }
            in_detail = true;
        } else if line.starts_with('\t')
            && let Some(last) = found.last_mut()
        {
            let part = if in_detail { &mut last.1 } else { &mut last.0 };
            part.push('\n');
            part.push_str(line.trim_start_matches('\t'));
        }
    }
    let read =
        |(sql, parameters): (String, String)| Statement { sql, parameters: parse_parameters(&parameters) };
    found.into_iter().map(read).collect()
}

/// The statement with something in the place of each `$1`, `$2`, …
fn fill(statement: &Statement, mut value: impl FnMut(&str) -> String) -> String {
    let mut filled = String::new();
    let mut rest = statement.sql.as_str();
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        let digits: String = rest[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        match digits.parse::<usize>().ok().and_then(|n| statement.parameters.get(&n)) {
            Some(literal) => filled.push_str(&value(literal)),
            None => filled.push_str(&rest[at..=at + digits.len()]),
        }
        rest = &rest[at + 1 + digits.len()..];
    }
    filled + rest
}

/// `$1 = 'a''b', $2 = NULL` as literals by number.
fn parse_parameters(text: &str) -> BTreeMap<usize, String> {
    let mut values = BTreeMap::new();
    let mut rest = text;
    while let Some(start) = rest.find('$') {
        let Some((number, after)) = rest[start + 1..].split_once(" = ") else { break };
        let literal = if after.starts_with('\'') {
            let mut end = 1;
            let bytes = after.as_bytes();
            while end < bytes.len() {
                if bytes[end] == b'\'' {
                    if bytes.get(end + 1) == Some(&b'\'') {
                        end += 1;
                    } else {
                        break;
                    }
                }
                end += 1;
            }
            &after[..=end.min(after.len() - 1)]
        } else {
            after.split(',').next().unwrap_or(after)
        };
        if let Ok(number) = number.parse() {
            values.insert(number, literal.to_owned());
        }
        rest = &after[literal.len()..];
    }
    values
}

/// A pgbench script. Ids that the request made are made anew in each run of it, so that inserts do not collide;
/// every other parameter stays one. What stood in the log of an earlier, like request was not made by this one.
pub(crate) fn script(statements: &[Statement], earlier: &str) -> Script {
    let plain: Vec<String> = statements.iter().map(|statement| fill(statement, str::to_owned)).collect();
    let mut made: Vec<String> = Vec::new();
    for (n, statement) in plain.iter().enumerate().filter(|(_, statement)| is_insert(statement)) {
        for id in uuids(statement) {
            let known = earlier.contains(&id) || plain[..n].iter().any(|before| before.contains(&id));
            if !known && !made.contains(&id) {
                made.push(id);
            }
        }
    }
    let mut text = String::new();
    for n in 0..made.len() {
        text.push_str("\\set made");
        text.push_str(&n.to_string());
        text.push_str(" random(1, 900000000000)\n");
    }
    let mut variables = Vec::new();
    for statement in statements {
        let filled = fill(statement, |literal| {
            let bare = literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            match bare {
                Some(bare) if !made.iter().any(|id| bare.contains(id.as_str())) => {
                    variables.push(format!("v{}={}", variables.len(), bare.replace("''", "'")));
                    format!(":v{}", variables.len() - 1)
                }
                Some(bare) => anew(bare, &made),
                None => literal.to_owned(),
            }
        });
        let line = filled.split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(line.trim_end_matches(';'));
        text.push_str(";\n");
    }
    Script { text, variables }
}

/// A literal with the made ids in it made anew: one that is an id, an array of some, or JSON with some in it.
fn anew(part: &str, made: &[String]) -> String {
    let number = |id: &str| made.iter().position(|known| known == id.trim_matches('"'));
    let expression =
        |n: usize| format!("('00000000-0000-7000-8000-' || lpad(:made{n}::text, 12, '0'))::uuid");
    if let Some(n) = number(part) {
        return expression(n);
    }
    let inside = made.iter().any(|id| part.contains(id.as_str()));
    let elements: Option<Vec<&str>> = part
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .map(|inside| inside.split(',').collect());
    match elements {
        Some(elements) if elements.iter().any(|id| number(id).is_some()) => {
            let one = |id: &&str| {
                number(id).map_or_else(|| format!("'{}'::uuid", id.trim_matches('"')), expression)
            };
            format!("ARRAY[{}]", elements.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        // What else holds ids is JSON.
        _ if inside => {
            let replaced = made.iter().enumerate().filter(|(_, id)| part.contains(id.as_str()));
            let replaced = replaced.fold(format!("'{part}'"), |text, (n, id)| {
                format!("replace({text}, '{id}', {}::text)", expression(n))
            });
            format!("{replaced}::jsonb")
        }
        _ => format!("'{part}'"),
    }
}

fn is_insert(statement: &str) -> bool {
    statement.to_ascii_lowercase().contains("insert into")
}

fn uuids(text: &str) -> Vec<String> {
    text.split(['\'', '{', '}', ',', '"'])
        .filter(|part| part.len() == 36 && part.matches('-').count() == 4)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2026-01-01 [1] LOG:  statement: BEGIN; SET LOCAL app.tenant_id = '0a'\n\
        2026-01-01 [1] LOG:  execute sqlx_s_1: SELECT name FROM party WHERE id = $1\n\
        2026-01-01 [1] DETAIL:  parameters: $1 = '11111111-1111-7111-8111-111111111111'\n\
        2026-01-01 [1] LOG:  execute sqlx_s_2: INSERT INTO line SELECT $1, l->>'id'\n\
        \tFROM jsonb_array_elements($2) AS given(l)\n\
        2026-01-01 [1] DETAIL:  parameters: $1 = '11111111-1111-7111-8111-111111111111', \
        $2 = '[{\"id\": \"22222222-2222-7222-8222-222222222222\", \"text\": \"it''s\"}]'\n";

    #[test]
    fn parameters_stay_parameters_and_made_ids_are_made_anew() {
        let script = script(&statements(LOG), "");
        assert_eq!(
            script.text,
            "\\set made0 random(1, 900000000000)\n\
             BEGIN; SET LOCAL app.tenant_id = '0a';\n\
             SELECT name FROM party WHERE id = :v0;\n\
             INSERT INTO line SELECT :v1, l->>'id' FROM jsonb_array_elements(replace('[{\"id\": \
             \"22222222-2222-7222-8222-222222222222\", \"text\": \"it''s\"}]', '22222222-2222-7222-8222-222222222222', \
             ('00000000-0000-7000-8000-' || lpad(:made0::text, 12, '0'))::uuid::text)::jsonb) AS given(l);\n"
        );
        assert_eq!(script.variables[0], "v0=11111111-1111-7111-8111-111111111111");
    }
}
