//! How a letter looks: the same for all, in plain text and in HTML that loads nothing.

use kernel::html::escaped;

use super::Language;

/// A letter's words, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// Plain text, lines broken where paragraphs end.
    pub text: String,
    /// A whole HTML page without scripts, images, or anything else to load.
    pub html: String,
}

/// What one letter says, in one language.
pub(super) struct Words {
    pub(super) subject: String,
    /// What has happened.
    pub(super) first: Vec<String>,
    /// What the link does.
    pub(super) act: Option<&'static str>,
    /// How long that works, and what to do if it was not you.
    pub(super) then: Vec<String>,
}

const STYLE: &str = "font:16px/1.5 sans-serif;max-width:34em;margin:2em auto;padding:0 1em;color:#222";

impl Words {
    pub(super) fn laid_out(self, language: Language, link: Option<&str>) -> Rendered {
        let foot = match language {
            Language::Fr => {
                "Ce message a été envoyé par Coulisse, le back-office de votre entreprise. Inutile d'y répondre : personne \
                 ne lit les réponses."
            }
            Language::En => {
                "This message was sent by Coulisse, your company's back office. There is no need to answer: nobody reads \
                 the answers."
            }
        };
        let action = self.act.zip(link);
        let mut text = self.first.clone();
        let mut html: Vec<String> = self.first.iter().map(|line| paragraph(line)).collect();
        if let Some((act, link)) = action {
            let separator = if language == Language::Fr { " :" } else { ":" };
            text.push(format!("{act}{separator}\n{link}"));
            let href = escaped(link);
            html.push(format!("<p><a href=\"{href}\">{}</a></p>", escaped(act)));
        }
        text.extend(self.then.iter().cloned());
        html.extend(self.then.iter().map(|line| paragraph(line)));
        text.push(format!("-- \n{foot}"));
        html.push(format!("<p style=\"color:#666;font-size:14px\">{}</p>", escaped(foot)));
        let page = format!(
            "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n<body style=\"{STYLE}\">\n{}\n</body></html>\n",
            language.as_str(),
            escaped(&self.subject),
            html.join("\n")
        );
        Rendered { subject: self.subject, text: text.join("\n\n") + "\n", html: page }
    }
}

fn paragraph(line: &str) -> String {
    format!("<p>{}</p>", escaped(line))
}
