//! Words that users have chosen (names, roles, what a browser calls itself), made fit for a letter.

/// A text as one short line without links: control characters, invisible ones and those that turn the direction of
/// writing are gone, spaces are single, the length is bounded in characters, and what mail programs would make a link of
/// (`https://…`, `evil.example`, an address) is taken apart. Who invites somebody must not thereby be able to send any link
/// to anybody in our name.
pub fn plain(text: &str, most: usize) -> String {
    let mut letters = Vec::new();
    for letter in text.chars() {
        match letter {
            letter if is_unseen(letter) => {}
            letter if letter.is_whitespace() || letter.is_control() => {
                if letters.last().is_some_and(|last| *last != ' ') {
                    letters.push(' ');
                }
            }
            // What browsers take for a dot in a host's name (UTS 46).
            '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => letters.push('.'),
            letter => letters.push(letter),
        }
    }
    let mut line = String::new();
    for (at, letter) in letters.iter().enumerate() {
        match letter {
            '@' => line.push_str(" (at) "),
            '.' | ':' => {
                line.push(*letter);
                if would_link(&letters, at) {
                    line.push(' ');
                }
            }
            letter => line.push(*letter),
        }
    }
    let line = line.trim();
    if line.chars().count() <= most {
        return line.to_owned();
    }
    let kept: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Whether a dot stands within what may be the name of a host, or a colon before what may be an address: `evil.example`
/// and `https://`, but neither `S.A.R.L.` nor `Dupont et Fils: Paris`.
fn would_link(letters: &[char], at: usize) -> bool {
    let next = |n: usize| letters.get(at + n).copied();
    let before = at.checked_sub(1).and_then(|at| letters.get(at)).copied();
    if letters[at] == ':' {
        return next(1) == Some('/')
            || (before.is_some_and(char::is_alphabetic) && next(1).is_some_and(char::is_alphanumeric));
    }
    let word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '-');
    // One letter between dots is an abbreviation; no name of a host ends in one.
    word(before) && word(next(1)) && word(next(2))
}

/// Format characters that show nothing, or turn what stands after them.
fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_companies_and_people_stay_as_they_are() {
        for name in [
            "Dupont & Fils",
            "S.A.R.L. Dupont",
            "L'Oréal",
            "Müller GmbH",
            "Jean-Luc d'Ormesson",
            "株式会社",
            "St. Gobain: Paris",
            "Nr. 5",
        ] {
            assert_eq!(plain(name, 60), name);
        }
    }

    #[test]
    fn nothing_breaks_out_of_a_line() {
        assert_eq!(plain("A\r\nBcc: all@example.com", 60), "A Bcc: all (at) example. com");
        assert_eq!(plain(" a\u{2028}b\u{85}c\td\0e ", 60), "a b c d e");
        assert_eq!(plain("invoice\u{202e}fdp.exe", 60), "invoicefdp. exe");
        assert_eq!(plain("\u{200b}\u{feff}", 60), "");
    }

    #[test]
    fn no_link_is_left() {
        assert_eq!(plain("Pay at https://evil.example/now", 60), "Pay at https: //evil. example/now");
        assert_eq!(plain("www.evil.com", 60), "www. evil. com");
        assert_eq!(plain("evil\u{3002}com", 60), "evil. com");
        assert_eq!(plain("http://1.22.33.44/", 60), "http: //1. 22. 33. 44/");
        assert_eq!(plain("mailto:x", 60), "mailto: x");
    }

    #[test]
    fn it_is_short() {
        assert_eq!(plain(&"a".repeat(300), 60).chars().count(), 60);
        assert_eq!(plain("abcdef", 4), "abc…");
    }
}
