//! Reads the tokens of a document once, front to back, before the real parser does: that one calls itself for each
//! bracket and takes its time for each character.

use async_graphql::Pos;

use super::limits::{Limit, Limits};
use super::refused::Refused;

/// Names longer than this are refused: they are repeated in messages.
const NAME_MOST: usize = 200;
/// Numbers longer than this are refused: no type of GraphQL takes them.
const NUMBER_MOST: usize = 100;

/// What the tokens of a text amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// How many there are.
    pub(super) tokens: u64,
    /// How many brackets are open at once at most.
    pub(super) nesting: u64,
}

/// Counts the tokens and the open brackets of a text, one pass.
///
/// # Errors
/// When it is too long, has too many tokens or brackets, or a token that GraphQL does not have (section 2.1).
pub(super) fn scan(text: &str, limits: &Limits) -> Result<Scan, Refused> {
    Refused::over(Limit::Length, text.len() as u64, limits.length)?;
    let mut lexer = Lexer { text: text.as_bytes(), at: 0 };
    let mut scan = Scan::default();
    let mut open: Vec<u8> = Vec::new();
    let mut surplus = None;
    loop {
        let token = lexer.next().map_err(|flaw| flaw.refused(text))?;
        let Some((start, token)) = token else { break };
        scan.tokens += 1;
        if scan.tokens == limits.tokens + 1 {
            surplus = Some(start);
        }
        match token {
            b'(' | b'[' | b'{' => {
                open.push(token);
                scan.nesting = scan.nesting.max(open.len() as u64);
                if scan.nesting > limits.nesting {
                    return Err(exceeded(Limit::Nesting, scan.nesting, limits.nesting, text, start));
                }
            }
            b')' | b']' | b'}' if open.pop().map(closing) != Some(token) => {
                let reason = format!("`{}` closes nothing that is open", char::from(token));
                return Err(Flaw { at: start, reason }.refused(text));
            }
            _ => {}
        }
    }
    match (surplus, open.last()) {
        (Some(start), _) => Err(exceeded(Limit::Tokens, scan.tokens, limits.tokens, text, start)),
        (None, Some(bracket)) => {
            let reason = format!("it ends before `{}`", char::from(closing(*bracket)));
            Err(Flaw { at: text.len(), reason }.refused(text))
        }
        (None, None) => Ok(scan),
    }
}

fn exceeded(limit: Limit, found: u64, most: u64, text: &str, start: usize) -> Refused {
    Refused::Exceeded { limit, found, most, place: None, at: Some(position(text, start)) }
}

fn closing(bracket: u8) -> u8 {
    match bracket {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

/// Line and column, from 1, in characters.
fn position(text: &str, at: usize) -> Pos {
    let mut pos = Pos { line: 1, column: 1 };
    let mut after_return = false;
    for (index, character) in text.char_indices() {
        if index >= at {
            break;
        }
        match character {
            '\n' if after_return => {}
            '\n' | '\r' => pos = Pos { line: pos.line + 1, column: 1 },
            _ => pos.column += 1,
        }
        after_return = character == '\r';
    }
    pos
}

struct Flaw {
    at: usize,
    reason: String,
}

impl Flaw {
    fn refused(self, text: &str) -> Refused {
        Refused::Syntax { reason: self.reason, at: Some(position(text, self.at)) }
    }
}

struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn flaw<T>(&self, at: usize, reason: impl Into<String>) -> Result<T, Flaw> {
        Err(Flaw { at: at.min(self.text.len()), reason: reason.into() })
    }

    /// The next token: where it starts, and its first byte.
    fn next(&mut self) -> Result<Option<(usize, u8)>, Flaw> {
        self.skip_ignored();
        let start = self.at;
        let Some(&first) = self.text.get(start) else { return Ok(None) };
        match first {
            b'{' | b'}' | b'(' | b')' | b'[' | b']' | b':' | b'=' | b'!' | b'$' | b'@' | b'|' | b'&' => {
                self.at += 1;
            }
            b'.' if self.text[start..].starts_with(b"...") => self.at += 3,
            b'"' if self.text[start..].starts_with(b"\"\"\"") => self.block_string(start)?,
            b'"' => self.string(start)?,
            b'-' | b'0'..=b'9' => self.number(start)?,
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.name();
                if self.at - start > NAME_MOST {
                    return self.flaw(start, format!("a name has at most {NAME_MOST} characters"));
                }
            }
            _ => return self.flaw(start, "this character has no place outside of strings and comments"),
        }
        Ok(Some((start, first)))
    }

    /// Blanks, line ends, commas, byte order marks and comments (GraphQL, section 2.1.7).
    fn skip_ignored(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => self.at += 1,
                0xEF if self.peek(1) == 0xBB && self.peek(2) == 0xBF => self.at += 3,
                b'#' => {
                    while self.at < self.text.len() && !matches!(self.peek(0), b'\n' | b'\r') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn name(&mut self) {
        while matches!(self.peek(0), b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') {
            self.at += 1;
        }
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.peek(0).is_ascii_digit() {
            self.at += 1;
        }
        self.at > start
    }

    fn number(&mut self, start: usize) -> Result<(), Flaw> {
        const SHAPE: &str = "a number is written like -1, 20 or 3.5e10";
        if self.peek(0) == b'-' {
            self.at += 1;
        }
        let leading_zero = self.peek(0) == b'0' && self.peek(1).is_ascii_digit();
        if leading_zero || !self.digits() {
            return self.flaw(start, SHAPE);
        }
        if self.peek(0) == b'.' {
            self.at += 1;
            if !self.digits() {
                return self.flaw(start, SHAPE);
            }
        }
        if matches!(self.peek(0), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(0), b'+' | b'-') {
                self.at += 1;
            }
            if !self.digits() {
                return self.flaw(start, SHAPE);
            }
        }
        if matches!(self.peek(0), b'.' | b'_' | b'a'..=b'z' | b'A'..=b'Z') {
            return self.flaw(start, SHAPE);
        }
        if self.at - start > NUMBER_MOST {
            return self.flaw(start, format!("a number has at most {NUMBER_MOST} characters"));
        }
        Ok(())
    }

    fn string(&mut self, start: usize) -> Result<(), Flaw> {
        self.at += 1;
        loop {
            match self.text.get(self.at) {
                None | Some(b'\n' | b'\r') => {
                    return self.flaw(start, "this string does not end on its line");
                }
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        match self.peek(1) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' if (2..6).all(|ahead| self.peek(ahead).is_ascii_hexdigit()) => self.at += 6,
            _ => return self.flaw(self.at, "this escape is not one that a string may have"),
        }
        Ok(())
    }

    fn block_string(&mut self, start: usize) -> Result<(), Flaw> {
        self.at += 3;
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            if rest.starts_with(b"\"\"\"") {
                self.at += 3;
                return Ok(());
            }
            self.at += if rest.starts_with(b"\\\"\"\"") { 4 } else { 1 };
        }
        self.flaw(start, "this block string does not end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> u64 {
        scan(text, &Limits::default()).expect(text).tokens
    }

    fn refusal(text: &str) -> (String, Option<(usize, usize)>) {
        let refused = scan(text, &Limits::default()).expect_err(text);
        (refused.to_string(), refused.position().map(|pos| (pos.line, pos.column)))
    }

    #[test]
    fn every_kind_of_token_counts_once_and_what_is_ignored_does_not() {
        assert_eq!(tokens("{a}"), 3);
        assert_eq!(tokens("\u{feff}query Q($a: [Int!]! = [1, -2.5e+3]) @d { ...F b: c(d: $a) } # f g h"), 32);
        assert_eq!(tokens(r#"{ a(b: "x \" \u00e9 # {", c: """ " \""" } """) }"#), 11);
        assert_eq!(tokens(" , \t\r\n # only ignored"), 0);
    }

    #[test]
    fn brackets_are_measured_where_most_are_open() {
        let scan = scan("{ a(b: [{c: [1]}]) } { d }", &Limits::default()).expect("it is lexed");
        assert_eq!(scan.nesting, 5);
    }

    #[test]
    fn what_is_no_token_is_refused_with_its_place() {
        assert_eq!(refusal("{\n  a ? }").1, Some((2, 5)));
        assert_eq!(refusal("{ a }\r\n\r\n  )").1, Some((3, 3)));
        assert_eq!(refusal("{ a(b: \"x\n\") }").1, Some((1, 8)));
        assert_eq!(refusal("{ é }").1, Some((1, 3)));
        assert_eq!(refusal("{ a(b: \"é\\q\") }").1, Some((1, 10)));
        for wrong in [
            "{ a(b: 01) }",
            "{ a(b: 1.) }",
            "{ a(b: 1e) }",
            "{ a(b: 0x1) }",
            "{ a(b: 1.2.3) }",
            "{ a(b: -) }",
        ] {
            assert!(refusal(wrong).0.contains("a number is written"), "{wrong}");
        }
        assert!(refusal("{ a(b: \"\"\" x").0.contains("does not end"));
        assert!(refusal("{ a(b: 1 }").0.contains("`}` closes nothing"));
        assert!(refusal("{ a").0.contains("ends before `}`"));
        assert!(refusal("{ a .. }").0.contains("no place"));
    }

    #[test]
    fn names_and_numbers_have_a_length_that_messages_can_repeat() {
        assert!(refusal(&format!("{{ {} }}", "a".repeat(201))).0.contains("at most 200"));
        assert!(refusal(&format!("{{ a(b: {}) }}", "1".repeat(101))).0.contains("at most 100"));
    }

    #[test]
    fn too_many_tokens_or_brackets_are_refused_where_they_begin() {
        let limits = Limits { tokens: 4, nesting: 2, ..Limits::default() };
        let refused = scan("{a b c}", &limits).expect_err("five tokens");
        assert_eq!(
            (refused.code(), refused.position()),
            ("TOO_MANY_TOKENS", Some(Pos { line: 1, column: 7 }))
        );
        let refused = scan("{a{b{", &limits).expect_err("three brackets");
        assert_eq!(
            (refused.code(), refused.position()),
            ("DOCUMENT_TOO_DEEP", Some(Pos { line: 1, column: 5 }))
        );
        let refused = scan("#####", &Limits { length: 4, ..limits }).expect_err("five bytes");
        assert_eq!(refused.code(), "DOCUMENT_TOO_LONG");
    }
}
