//! Where letters go, from the settings: to an SMTP server, on a shelf, or nowhere yet.

use mail::post::{Post, Smtp, SmtpOptions};

use crate::server::Failure;
use crate::settings::Settings;

/// Who takes letters. `None`: they wait in the outbox until a server that knows an SMTP server sends them. Needs a tokio
/// runtime.
pub(crate) fn post(settings: &Settings) -> Result<Option<Post>, Failure> {
    let Some(url) = &settings.smtp_url else {
        if settings.outbox {
            tracing::warn!(
                "letters are shown to whoever asks for /outbox: never let strangers reach this server"
            );
        }
        return Ok(settings.outbox.then_some(Post::Shelf));
    };
    if settings.outbox {
        return Err("--outbox keeps letters here, --smtp-url sends them: give one of the two".into());
    }
    let from = settings.mail_from.as_deref().ok_or(
        "--smtp-url needs --mail-from, the sender of letters, such as `Coulisse <post@example.com>`",
    )?;
    let ca = match &settings.smtp_ca {
        Some(file) => Some(std::fs::read(file).map_err(|e| format!("--smtp-ca {}: {e}", file.display()))?),
        None => None,
    };
    Ok(Some(Post::Smtp(Box::new(Smtp::new(SmtpOptions { url, from, ca: ca.as_deref() })?))))
}
