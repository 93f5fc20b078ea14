//! A certificate for tests.

use serde_json::{Value, json};

/// A certificate for `localhost` that nobody else trusts: certificate and key, in files of their own.
pub(crate) struct Certificate {
    folder: tempfile::TempDir,
    pub(crate) pem: String,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).expect("written");
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).expect("written");
        Self { folder, pem: made.cert.pem() }
    }

    /// The options of a server that has it.
    pub(crate) fn options(&self, tls: &str) -> Value {
        json!({"tls": tls, "cert": self.folder.path().join("cert.pem"), "key": self.folder.path().join("key.pem")})
    }
}
