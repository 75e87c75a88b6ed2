//! `Warning` headers (RFC 7234, 5.5), as registries use them (distribution-spec, "Warnings").

/// Bytes of the texts of one answer that are read: registries are to send no more.
const MOST: usize = 4096;

/// The texts that a registry has for the people behind its client: those of `299 - "TEXT"`. Whatever else a `Warning` may
/// be comes from caches, and is none.
///
/// ```
/// use chartoci::http::warning::texts;
/// assert_eq!(texts(["299 - \"moves on \\\"Monday\\\"\", 110 proxy \"stale\""]), ["moves on \"Monday\""]);
/// ```
pub fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let (mut found, mut read) = (Vec::new(), 0);
    for value in values {
        let mut rest = value;
        while let Some((before, quoted)) = rest.split_once('"') {
            let Some((text, after)) = quoted_string(quoted) else { break };
            read += text.len();
            if read > MOST {
                return found;
            }
            if before.trim_start_matches([' ', '\t', ',']).trim_end() == "299 -" && !text.trim().is_empty() {
                found.push(text);
            }
            // A date may follow, in quotes of its own.
            rest = after;
        }
    }
    found
}

/// A quoted string after its first quote, and what follows its last (RFC 9110, 5.6.4).
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut shown = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((shown, text.get(at + 1..)?)),
            '\\' => shown.push(characters.next()?.1),
            _ => shown.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_registries_are_found_and_no_others() {
        assert_eq!(
            texts(["299 - \"a\", 299 - \"b, c\"", "299 - \"d\" \"Sun, 06 Nov 1994 08:49:37 GMT\""]),
            ["a", "b, c", "d"]
        );
        assert_eq!(
            texts(["110 proxy \"stale\"", "199 - \"x\"", "299 - \"\"", "299 -", "299 - \"open", "\"", ""]),
            [""; 0]
        );
    }

    #[test]
    fn no_more_is_read_than_an_answer_may_say() {
        let long = format!("299 - \"{}\"", "x".repeat(MOST - 1));
        assert_eq!(texts([&*long, "299 - \"a\"", "299 - \"b\""]).len(), 2);
    }
}
