//! `Link` headers (RFC 8288), as lists in pages use them.

/// The target of the first link whose relation is `next`, as it stands: relative or absolute. Where no link is, the first
/// one that names no relation at all counts: some registries leave it out, and Helm follows.
///
/// ```
/// use chartoci::http::link::next;
/// assert_eq!(next(["</v2/web/tags/list?last=b&n=2>; rel=\"next\""]), Ok(Some("/v2/web/tags/list?last=b&n=2")));
/// assert_eq!(next(["<a>; rel=prev, <b,c>; title=\"x;y\"; REL=\"up next\""]), Ok(Some("b,c")));
/// assert_eq!(next(["<a>; rel=prev"]), Ok(None));
/// assert_eq!(next(["<a>"]), Ok(Some("a")));
/// assert_eq!(next(["/v2/web/tags/list; rel=next"]), Err("/v2/web/tags/list; rel=next"));
/// ```
///
/// # Errors
/// The value that is no link: what it was to lead to would be missing unnoticed.
pub fn next<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<Option<&'a str>, &'a str> {
    let mut unnamed = None;
    for value in values {
        let mut rest = value.trim_start_matches([' ', '\t', ',']);
        while !rest.is_empty() {
            let link = rest.strip_prefix('<').and_then(|link| link.split_once('>'));
            let (target, parameters) = link.ok_or(value)?;
            let (is_next, after) = relation(parameters);
            match is_next {
                Some(true) => return Ok(Some(target.trim())),
                Some(false) => {}
                None => unnamed = unnamed.or(Some(target.trim())),
            }
            rest = after.trim_start_matches([' ', '\t', ',']);
        }
    }
    Ok(unnamed)
}

/// Reads a link's parameters up to the comma that ends it: whether `next` is among its relations, if it has any, and what
/// follows.
fn relation(mut text: &str) -> (Option<bool>, &str) {
    let mut is_next = None;
    loop {
        text = text.trim_start();
        let Some(parameter) = text.strip_prefix(';') else {
            return (is_next, text.strip_prefix(',').unwrap_or(text));
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
            assert_eq!(next([value]), Ok(Some("t")), "{value}");
        }
        assert_eq!(next(["<s>; rel=prev", "<t>; rel=next"]), Ok(Some("t")));
        assert_eq!(next(["<t>"]), Ok(Some("t")), "as Helm 4.3 reads it");
        assert_eq!(next(["<t>; title=more, <s>"]), Ok(Some("t")));
    }

    #[test]
    fn a_link_of_another_relation_leads_nowhere() {
        for value in ["", " ", "<t>; rel", "<t>; rel=\"", "<t>; rel=prev; rel=next"] {
            assert_eq!(next([value]), Ok(None), "{value}");
        }
    }

    #[test]
    fn what_is_no_link_is_an_error_and_not_the_end() {
        for value in ["<", "<t", "t; rel=next", "/v2/t; rel=\"next\"", "<s>; rel=prev, t; rel=next"] {
            assert_eq!(next([value]), Err(value), "{value}");
        }
    }
}
