//! A file: what may be announced, and what its row says.

pub mod service;
mod store;

use std::borrow::Cow;

use chrono::TimeDelta;

use crate::error::Error;

/// Most bytes of one file: 20 MiB.
pub const MAX_BYTES: u64 = 20 * 1024 * 1024;

/// The media types that are kept: electronic invoices, scans, and tables.
pub const MEDIA_TYPES: &[&str] =
    &["application/xml", "text/xml", "application/pdf", "image/png", "image/jpeg", "text/csv"];

/// How long the bytes of an announced file may come.
pub const UPLOAD_LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// How long a download link opens its file.
pub const DOWNLOAD_LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// Most characters of a file's name.
const MAX_NAME: usize = 255;

/// Whether the bytes of a file are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Announced; the bytes are awaited until the upload expires.
    Pending,
    /// The bytes are kept, and never change.
    Stored,
}

impl State {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Stored => "stored",
        }
    }

    /// Reads the stored form.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Stored].into_iter().find(|state| state.as_str() == text)
    }
}

/// What is announced of a file.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// The name as the person knows it, 1 to 255 characters without slashes and control characters.
    pub name: String,
    /// One of [`MEDIA_TYPES`]; parameters such as a charset are dropped.
    pub media_type: String,
    /// How many bytes will come, 1 to [`MAX_BYTES`].
    pub size_bytes: u64,
}

/// The announcement as it is stored: trimmed and checked, or refused.
pub(crate) fn checked(upload: &NewUpload) -> Result<NewUpload, Error> {
    let invalid =
        |field, message: &'static str| Err(Error::Invalid { field, message: Cow::Borrowed(message) });
    let name = upload.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return invalid("name", "a file's name has 1 to 255 characters");
    }
    if name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\')) || matches!(name, "." | "..") {
        return invalid("name", "a file's name has no slash and no control character: give the bare name");
    }
    let media_type = upload.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !MEDIA_TYPES.contains(&media_type.as_str()) {
        return Err(Error::MediaType { given: upload.media_type.chars().take(100).collect() });
    }
    if upload.size_bytes == 0 {
        return invalid("size", "an empty file is not kept: give its size in bytes");
    }
    if upload.size_bytes > MAX_BYTES {
        return Err(Error::TooLarge { limit_bytes: MAX_BYTES });
    }
    Ok(NewUpload { name: name.to_owned(), media_type, size_bytes: upload.size_bytes })
}

/// Bytes in lower-case hexadecimal, as hashes are written.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use kernel::DomainError;

    use super::*;

    fn refusal(name: &str, media_type: &str, size_bytes: u64) -> Option<(&'static str, Option<String>)> {
        let upload = NewUpload { name: name.to_owned(), media_type: media_type.to_owned(), size_bytes };
        checked(&upload).err().map(|error| (error.code(), error.field()))
    }

    #[test]
    fn what_is_announced_is_checked() {
        let long = "a".repeat(256);
        assert_eq!(refusal("facture.xml", "application/xml", 1), None);
        assert_eq!(refusal("Reçu n° 7.pdf", "Application/PDF; version=1", MAX_BYTES), None);
        for name in ["", "  ", "..", "../../etc/passwd", "a\\b", "a\nb", "a\0b", &long] {
            assert_eq!(refusal(name, "text/csv", 1), Some(("INVALID", Some("name".to_owned()))), "{name:?}");
        }
        for media_type in ["", "text/html", "application/x-sh", "text/csv2"] {
            assert_eq!(refusal("a", media_type, 1), Some(("MEDIA_TYPE", Some("mediaType".to_owned()))));
        }
        assert_eq!(refusal("a", "text/csv", 0), Some(("INVALID", Some("size".to_owned()))));
        assert_eq!(refusal("a", "text/csv", MAX_BYTES + 1), Some(("TOO_LARGE", Some("size".to_owned()))));
    }
}
