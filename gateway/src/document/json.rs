//! Counts the values of a JSON text before it is read: each of them takes memory, and many times the time that
//! counting takes.

use super::limits::{Limit, Limits};
use super::refused::Refused;

/// Holds the body of a request against [`Limits::input_values`] before it is read, one pass over its bytes.
///
/// It counts every value of the body, used by the document or not, and does not say whether the text is JSON.
///
/// # Errors
/// When it has more values than arguments may have.
pub fn scan_body(body: &[u8], limits: &Limits) -> Result<(), Refused> {
    let mut values = 1_u64;
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                // Strings are not values yet when they are keys, and commas in them separate nothing.
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => {
                            bytes.next();
                        }
                        _ => {}
                    }
                }
            }
            b',' | b'[' | b'{' => values += 1,
            _ => {}
        }
    }
    Refused::over(Limit::InputValues, values, limits.input_values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_body_counts_and_what_stands_in_strings_does_not() {
        let limits = Limits { input_values: 7, ..Limits::default() };
        let body = br#"{"query": "{ a(b: [1, 2, 3, \", 4, 5]) }", "variables": {"a": [1, 2], "b": "[,,,"}}"#;
        assert_eq!(scan_body(body, &limits), Ok(()));
        let refused =
            scan_body(br#"{"variables": {"a": [1, 2, 3, 4, 5, 6]}}"#, &limits).expect_err("nine values");
        assert_eq!((refused.code(), scan_body(b"\"\\", &limits)), ("INPUT_TOO_LARGE", Ok(())));
    }
}
