//! Which characters can be shown: Helm keeps no others in the texts of Chart.yaml (Go 1.27: `unicode.IsSpace`,
//! `unicode.IsPrint`), and no others reach a terminal.

/// Turns every white space into a blank and drops what cannot be printed (Helm 4.3, `sanitizeString`).
pub(crate) fn sanitise(text: &mut String) {
    if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        let clean = |c: char| if c.is_whitespace() { Some(' ') } else { is_printable(c).then_some(c) };
        *text = text.chars().filter_map(clean).collect();
    }
}

/// Letters, marks, numbers, punctuation and symbols: what the standard library does not escape.
pub(crate) fn is_printable(c: char) -> bool {
    // Behind another character, marks are not escaped for being marks.
    let mut buffer = *b"a\0\0\0\0";
    let length = c.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..=length]).unwrap_or_default();
    matches!(c, '"' | '\'' | '\\') || text.escape_debug().nth(1) == Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Helm 4.3.1 keeps as many: those of Unicode 17. A toolchain with another Unicode fails here.
    #[test]
    fn as_many_characters_stay_as_in_go() {
        let stays = |c: &char| c.is_whitespace() || is_printable(*c);
        assert_eq!((char::MIN..=char::MAX).filter(stays).count(), 159_637);
    }

    #[test]
    fn only_what_can_be_printed_stays() {
        let mut text =
            "a\tb\u{85}c\u{2003}d\u{200b}e\u{ad}f\u{e000}g\u{301}h\u{1f600}i\u{e0100}j\u{feff}\u{7f}'\"\\".to_owned();
        sanitise(&mut text);
        assert_eq!(text, "a b c defg\u{301}h\u{1f600}i\u{e0100}j'\"\\");
    }
}
