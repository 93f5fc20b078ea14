//! Texts as users type them: trimmed, bounded, without control characters.

use crate::error::Error;

/// A text that must be there: trimmed, 1 to `most` characters.
pub(crate) fn required(field: &'static str, text: &str, most: usize) -> Result<String, Error> {
    optional(field, Some(text), most)?.ok_or_else(|| Error::invalid(field, "it is empty: write something"))
}

/// A text that may be missing; what is blank counts as missing.
pub(crate) fn optional(
    field: &'static str,
    text: Option<&str>,
    most: usize,
) -> Result<Option<String>, Error> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > most {
        return Err(Error::invalid(field, format!("it is longer than {most} characters: shorten it")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(Error::invalid(field, "it has control characters: remove them"));
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_trimmed_and_bounded() {
        assert_eq!(required("name", "  Café ", 4).expect("text"), "Café");
        assert!(required("name", " \t", 10).is_err());
        assert_eq!(optional("note", Some("  "), 10).expect("blank"), None);
        assert!(optional("note", Some("12345"), 4).is_err());
        assert!(optional("note", Some("a\u{0}b"), 4).is_err(), "PostgreSQL stores no NUL");
    }
}
