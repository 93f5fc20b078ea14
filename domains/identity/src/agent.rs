//! The device behind a client's own name (`User-Agent`), in words: "Firefox on Linux".

use woothee::parser::Parser;

/// Most characters of a name that a client makes up.
const MOST: usize = 40;

/// A device in words, in a language (`fr`, else English). What says nothing that is known is told by its first word, as
/// in `curl`; what says nothing at all is an unknown device. The text is for people, and no proof: clients write what
/// they like.
pub fn describe(agent: Option<&str>, locale: &str) -> String {
    let is_french = locale == "fr";
    let unknown = if is_french { "appareil inconnu" } else { "an unknown device" };
    let Some(agent) = agent else { return unknown.to_owned() };
    let Some(found) = Parser::new().parse(agent).filter(|found| is_known(found.name)) else {
        return product(agent).unwrap_or_else(|| unknown.to_owned());
    };
    match system(found.os) {
        Some(system) => format!("{} {} {system}", found.name, if is_french { "sur" } else { "on" }),
        None => found.name.to_owned(),
    }
}

fn is_known(name: &str) -> bool {
    !matches!(name, "" | "UNKNOWN") && !name.starts_with("misc") && name != "HTTP Library"
}

fn system(os: &str) -> Option<&'static str> {
    Some(match os {
        "iPhone" => "iPhone",
        "iPad" => "iPad",
        "Android" => "Android",
        "Linux" => "Linux",
        "ChromeOS" => "ChromeOS",
        "BSD" => "BSD",
        _ if os.starts_with("Mac OS") => "macOS",
        _ if os.starts_with("Windows") => "Windows",
        _ => return None,
    })
}

/// The product token of RFC 9110, section 10.1.5, without its version.
fn product(agent: &str) -> Option<String> {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = agent.chars().take_while(is_plain).take(MOST).collect();
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_in_words() {
        for (agent, english) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.14.1", "curl"),
            ("acme-sync/2 (+https://example.com)", "acme-sync"),
            ("<script>alert(1)</script>", "an unknown device"),
            ("", "an unknown device"),
        ] {
            assert_eq!(describe(Some(agent), "en"), english, "{agent}");
        }
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        assert_eq!(describe(Some(firefox), "fr"), "Firefox sur Linux");
        assert_eq!(describe(None, "fr"), "appareil inconnu");
    }
}
