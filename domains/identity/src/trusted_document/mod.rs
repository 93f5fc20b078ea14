//! Trusted documents: query texts that a company has registered, which its clients name by their hash.

pub mod service;
mod store;

use sha2::{Digest, Sha256};

use crate::error::Error;

/// Most documents of one registration: they are one transaction, which must stay short.
pub const MOST_AT_ONCE: usize = 100;
/// Most bytes of a text, in UTF-8.
pub const MOST_BYTES: usize = 65_536;

/// A document to register.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// What it is for: usually the name of its operation.
    pub name: String,
    /// The text, exactly as clients hash it.
    pub text: String,
}

impl NewDocument {
    /// Checks the document at a place of the list that is registered.
    fn check(&self, place: usize) -> Result<(), Error> {
        let name = self.name.trim();
        if !(1..=200).contains(&name.chars().count()) || name.contains('\0') {
            return Err(Error::invalid(
                format!("documents.{place}.name"),
                "a document's name has 1 to 200 characters",
            ));
        }
        if !(1..=MOST_BYTES).contains(&self.text.len()) || self.text.contains('\0') {
            return Err(Error::invalid(
                format!("documents.{place}.text"),
                format!("a document's text has 1 to {MOST_BYTES} bytes, and no NUL"),
            ));
        }
        Ok(())
    }
}

/// The SHA-256 of a text's bytes in UTF-8: what clients send in its place.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// A hash in hexadecimal digits, as clients send it.
pub fn written(sha256: &[u8]) -> String {
    use std::fmt::Write as _;
    sha256.iter().fold(String::with_capacity(2 * sha256.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// Reads a hash of 64 hexadecimal digits.
pub fn read_hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, text: &str) -> Option<String> {
        let refused = NewDocument { name: name.to_owned(), text: text.to_owned() }.check(2).err();
        refused.and_then(|error| kernel::DomainError::field(&error))
    }

    #[test]
    fn a_hash_reads_back_as_it_is_written() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(written(&hash("")), empty);
        assert_eq!(read_hash(&empty.to_uppercase()), Some(hash("")));
        for wrong in ["", &empty[1..], &format!("+{}", &empty[1..]), &"é".repeat(32)] {
            assert_eq!(read_hash(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_document_has_a_name_and_a_text_of_bounded_size() {
        assert_eq!(refused("Viewer", "{ viewer { role } }"), None);
        assert_eq!(refused("Viewer", &"é".repeat(MOST_BYTES / 2)), None);
        assert_eq!(refused(&"é".repeat(200), "{ a }"), None);
        for (name, text, field) in [
            (" ", "{ a }".to_owned(), "documents.2.name"),
            (&"n".repeat(201), "{ a }".to_owned(), "documents.2.name"),
            ("N", String::new(), "documents.2.text"),
            ("N", "{ a\0 }".to_owned(), "documents.2.text"),
            ("N", "é".repeat(MOST_BYTES / 2 + 1), "documents.2.text"),
        ] {
            assert_eq!(refused(name, &text).as_deref(), Some(field));
        }
    }
}
