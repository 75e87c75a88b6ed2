//! `Link` headers (RFC 8288), as lists in pages use them.

/// The target of the first link whose relation is `next`, as it stands: relative or absolute.
///
/// ```
/// use chartoci::http::link::next;
/// assert_eq!(next(["</v2/web/tags/list?last=b&n=2>; rel=\"next\""]), Some("/v2/web/tags/list?last=b&n=2"));
/// assert_eq!(next(["<a>; rel=prev, <b,c>; title=\"x;y\"; REL=\"up next\""]), Some("b,c"));
/// assert_eq!(next(["<a>; rel=prev"]), None);
/// ```
pub fn next<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    values.into_iter().find_map(|value| {
        let mut rest = value;
        loop {
            let (target, parameters) = rest.split_once('<')?.1.split_once('>')?;
            let (is_next, after) = relation(parameters);
            if is_next {
                return Some(target.trim());
            }
            rest = after;
        }
    })
}

/// Reads a link's parameters up to the comma that ends it: whether `next` is among its relations, and what follows.
fn relation(mut text: &str) -> (bool, &str) {
    let mut is_next = None;
    loop {
        text = text.trim_start();
        let Some(parameter) = text.strip_prefix(';') else {
            return (is_next.unwrap_or(false), text.strip_prefix(',').unwrap_or(text));
        };
        let end = parameter.find(['=', ';', ',']).unwrap_or(parameter.len());
        let (name, rest) = parameter.split_at(end);
        let (value, rest) = match rest.strip_prefix('=') {
            Some(rest) => value(rest.trim_start()),
            None => ("", rest),
        };
        // The first `rel` counts (RFC 8288, 3.3).
        if name.trim().eq_ignore_ascii_case("rel") && is_next.is_none() {
            is_next = Some(value.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next")));
        }
        text = rest;
    }
}

/// A parameter's value, quoted or bare, and what follows.
fn value(text: &str) -> (&str, &str) {
    match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => {
            let (value, rest) = text.split_at(text.find([';', ',']).unwrap_or(text.len()));
            (value.trim(), rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_link_to_the_next_page_is_found_however_it_is_written() {
        for value in [
            "<t>; rel=\"next\"",
            "<t>;rel=next",
            "<t> ; Rel = \"NEXT\"",
            "<s>; rel=\"prev\", <t>; rel=\"next\"",
            "<s>, <t>; rel=next",
            "<s>; title=\"<x>; rel=next\", <t>; rel=next",
        ] {
            assert_eq!(next([value]), Some("t"), "{value}");
        }
        assert_eq!(next(["<s>; rel=prev", "<t>; rel=next"]), Some("t"));
    }

    #[test]
    fn junk_is_no_link() {
        for value in ["", "<", "<t", "t; rel=next", "<t>", "<t>; rel", "<t>; rel=\"", "<t>; rel=prev; rel=next"] {
            assert_eq!(next([value]), None, "{value}");
        }
    }
}
