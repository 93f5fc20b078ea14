//! From PostgreSQL's own log of a request to a pgbench script of the same statements.

use std::collections::BTreeMap;

/// A statement as PostgreSQL logged it, with its parameters put in.
pub(crate) type Statement = String;

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
    found.into_iter().map(|(sql, parameters)| fill(&sql, &parameters)).collect()
}

/// Puts the logged parameters in the place of `$1`, `$2`, …
fn fill(sql: &str, parameters: &str) -> String {
    let values = parse_parameters(parameters);
    let mut filled = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        let digits: String = rest[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        match digits.parse::<usize>().ok().and_then(|n| values.get(&n)) {
            Some(value) => filled.push_str(value),
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

/// A pgbench script. Ids that the request made are made anew in each run of it, so that inserts do not collide.
pub(crate) fn script(statements: &[Statement]) -> String {
    let mut made: Vec<String> = Vec::new();
    for statement in statements.iter().filter(|statement| is_insert(statement)) {
        for id in uuids(statement) {
            let earlier = statements.iter().take_while(|other| *other != statement);
            if !made.contains(&id) && !earlier.clone().any(|other| other.contains(&id)) {
                made.push(id);
            }
        }
    }
    let mut script = String::new();
    for n in 0..made.len() {
        script.push_str("\\set made");
        script.push_str(&n.to_string());
        script.push_str(" random(1, 900000000000)\n");
    }
    for statement in statements {
        let mut line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        for (n, id) in made.iter().enumerate() {
            line = line.replace(
                &format!("'{id}'"),
                &format!("('00000000-0000-7000-8000-' || lpad(:made{n}::text, 12, '0'))::uuid"),
            );
        }
        script.push_str(line.trim_end_matches(';'));
        script.push_str(";\n");
    }
    script
}

fn is_insert(statement: &str) -> bool {
    statement.to_ascii_lowercase().contains("insert into")
}

fn uuids(text: &str) -> Vec<String> {
    text.split('\'')
        .filter(|part| part.len() == 36 && part.matches('-').count() == 4)
        .map(str::to_owned)
        .collect()
}
