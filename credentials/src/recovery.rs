//! Recovery codes: what gets a person in who has lost the second factor (look-up secrets of NIST SP 800-63B-4, section
//! 3.1.2). Each works once.
//!
//! A code has 24 symbols of Crockford's base 32, which are 120 random bits. From 112 bits on, section 3.1.2.2 asks for
//! an approved hash and no more; shorter ones would need salt and a slow hash, and with ten of them each wrong guess would
//! cost the server ten slow hashes, or the set one salt. Six groups of four symbols, without letters that look alike, are
//! still copied by hand from a sheet of paper.
//!
//! This module never stores codes, nor remembers which were used.

use sha2::{Digest, Sha256};

/// How many codes a person is given at once.
pub const CODES: usize = 10;
/// Symbols of a code.
const SYMBOLS: usize = 24;
/// Symbols of a group.
const GROUP: usize = 4;

/// Crockford's base 32: without I, L, O (which look like 1, 1, 0) and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// New codes, as they are shown: `7K2M-…`.
pub fn generate() -> Vec<String> {
    (0..CODES).map(|_| one()).collect()
}

fn one() -> String {
    let symbols = rand::random::<[u8; SYMBOLS]>().map(|byte| ALPHABET[usize::from(byte & 31)]);
    let mut code = String::with_capacity(SYMBOLS + SYMBOLS / GROUP);
    for (place, symbol) in symbols.into_iter().enumerate() {
        if place > 0 && place % GROUP == 0 {
            code.push('-');
        }
        code.push(char::from(symbol));
    }
    code
}

/// A code as people type it, in the form that is hashed: capitals, no hyphens and spaces, letters that look like digits
/// read as those. `None` when it cannot be a code.
pub fn normalise(typed: &str) -> Option<String> {
    let mut code = String::with_capacity(SYMBOLS);
    for c in typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '—' | '‐' | '‑'))
    {
        let symbol = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        if code.len() == SYMBOLS || !u8::try_from(symbol).is_ok_and(|byte| ALPHABET.contains(&byte)) {
            return None;
        }
        code.push(symbol);
    }
    (code.len() == SYMBOLS).then_some(code)
}

/// The stored form of a code as [`normalise`] gives it. Finding it by this hash is what verifies it: its 120 bits cannot be
/// guessed, so how long the look-up takes tells nothing.
pub fn hash(normalised: &str) -> Vec<u8> {
    Sha256::digest(normalised.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_readable_and_each_is_another() {
        let codes: HashSet<String> = (0..100).flat_map(|_| generate()).collect();
        assert_eq!(codes.len(), 1000);
        for code in &codes {
            assert_eq!(code.len(), 29);
            assert!(code.split('-').all(|group| group.len() == 4), "{code}");
            assert!(!code.contains(['I', 'L', 'O', 'U']), "{code}");
        }
        let symbols: HashSet<char> = codes.iter().flat_map(|code| code.chars()).collect();
        assert_eq!(symbols.len(), 33, "all 32 symbols and the hyphen");
    }

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let code = "01AB-CDEF-GHJK-MNPQ-RSTV-WXYZ";
        let hashed = hash(&normalise(code).expect("a code"));
        for typed in [
            "01abcdefghjkmnpqrstvwxyz",
            " oIab cdef ghjk mnpq rstv wxyz ",
            "Olab–CDEF–GHJK–MNPQ–RSTV–WXYZ",
            "01AB\u{a0}CDEF-GHJK-MNPQ-RSTV-WXYZ\n",
        ] {
            assert_eq!(normalise(typed).map(|code| hash(&code)), Some(hashed.clone()), "{typed}");
        }
        for wrong in [
            "",
            "123456",
            "01AB-CDEF-GHJK-MNPQ-RSTV-WXY",
            "01AB-CDEF-GHJK-MNPQ-RSTV-WXYZZ",
            "U1AB-CDEF-GHJK-MNPQ-RSTV-WXYZ",
            "é1AB-CDEF-GHJK-MNPQ-RSTV-WXYZ",
        ] {
            assert_eq!(normalise(wrong), None, "{wrong}");
        }
    }
}
