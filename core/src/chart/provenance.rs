//! `.prov` files (Helm 4.3, `pkg/provenance`): Chart.yaml and the archive's digest in a clearsigned message (RFC 9580,
//! section 7). What the signature is worth is not asked here.

use crate::error::{Code, Error, clip};
use crate::limits::Limits;
use crate::yaml::{self, Data, Node};

/// What a provenance file says, its signature unchecked.
///
/// ```
/// use chartoci::{Limits, chart::Provenance};
/// let text = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: web\nversion: 1.0.0\n\n...\nfiles:\n  \
///     web-1.0.0.tgz: sha256:abc\n-----BEGIN PGP SIGNATURE-----\n\nwsBz\n-----END PGP SIGNATURE-----";
/// let provenance = Provenance::parse(text, &Limits::default())?;
/// assert_eq!(provenance.files, [("web-1.0.0.tgz".to_owned(), "sha256:abc".to_owned())]);
/// assert_eq!(provenance.metadata, "name: web\nversion: 1.0.0\n");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The chart's metadata, as YAML.
    pub metadata: String,
    /// Names of files and their digests, such as `sha256:…`.
    pub files: Vec<(String, String)>,
    /// Lines of the file before `metadata`.
    pub(crate) lines_before: u32,
    /// Lines of the file up to each of `files`, that one included.
    pub(crate) lines: Vec<u32>,
}

const MESSAGE: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END: &str = "-----END PGP SIGNATURE-----";
/// More mistakes than these help nobody.
const MOST: usize = 100;

impl Provenance {
    /// Reads a provenance file; what stands before and after the signed message is not looked at.
    ///
    /// # Errors
    /// [`Code::PROVENANCE_SYNTAX`] with `line`, [`Code::LIMIT_DOCUMENT`].
    pub fn parse(text: &[u8], limits: &Limits) -> Result<Provenance, Error> {
        let (provenance, errors) = Provenance::look(text, limits);
        match errors.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(provenance),
        }
    }

    /// As much of a provenance file as can be read, and all that is wrong with it, in no order but for the first.
    pub(crate) fn look(text: &[u8], limits: &Limits) -> (Provenance, Vec<Error>) {
        let mut provenance =
            Provenance { metadata: String::new(), files: Vec::new(), lines_before: 0, lines: Vec::new() };
        if text.len() as u64 > limits.provenance {
            let error = Error::new(Code::LIMIT_DOCUMENT, format!("the provenance has {} bytes", text.len()));
            return (provenance, vec![error.with("limit", limits.provenance)]);
        }
        let refused = |line: usize, why: &str| Error::new(Code::PROVENANCE_SYNTAX, why).with("line", line + 1);
        let text = String::from_utf8_lossy(text);
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let find =
            |from: usize, wanted: &str| lines.iter().skip(from).position(|line| *line == wanted).map(|at| at + from);
        let Some(begin) = find(0, MESSAGE) else {
            return (provenance, vec![refused(0, "there is no signed message")]);
        };
        let Some(start) = find(begin, "").map(|at| at + 1) else {
            return (provenance, vec![refused(begin, "the message's headers do not end")]);
        };
        let mut errors = Vec::new();
        let signature = find(start, SIGNATURE).unwrap_or_else(|| {
            errors.push(refused(begin, "the message has no signature"));
            lines.len()
        });
        if signature < lines.len() && find(signature, END).is_none() {
            errors.push(refused(signature, "the signature does not end"));
        }
        let body = lines.get(start..signature).unwrap_or_default();
        // A line that begins with a dash has "- " before it.
        let body: Vec<&str> = body.iter().map(|line| line.strip_prefix("- ").unwrap_or(line)).collect();
        let divider = body.iter().position(|line| *line == "...").unwrap_or_else(|| {
            errors.push(refused(start, "the message has one part; Chart.yaml and files are wanted"));
            body.len()
        });
        let (chart, files) = body.split_at(divider);
        provenance.metadata = chart.join("\n").trim_end().to_owned() + "\n";
        provenance.lines_before = u32::try_from(start).unwrap_or(u32::MAX);
        if divider == body.len() {
            return (provenance, errors);
        }
        let lines_before = start + divider + 1;
        let files = files.get(1..).unwrap_or_default().join("\n");
        let node = match yaml::parse(files.as_bytes(), limits) {
            Ok(node) => node,
            Err(error) => {
                let number = |name: &str| {
                    let found = error.context().iter().find(|(known, _)| *known == name);
                    found.and_then(|(_, value)| value.parse::<usize>().ok()).unwrap_or(1)
                };
                let line = lines_before + number("line") - 1;
                let column = number("column");
                errors.push(refused(line, "the files are no YAML").with("column", column).because(error));
                return (provenance, errors);
            }
        };
        let Some(listed) = node.get("files").and_then(Node::as_mapping).filter(|listed| !listed.pairs.is_empty())
        else {
            errors.push(refused(lines_before, "the message names no files"));
            return (provenance, errors);
        };
        for (name, place, value) in &listed.pairs {
            let line = lines_before + place.line as usize - 1;
            match &value.data {
                Data::String(digest) => {
                    provenance.files.push((name.clone(), digest.clone()));
                    provenance.lines.push(u32::try_from(line + 1).unwrap_or(u32::MAX));
                }
                _ if errors.len() > MOST => {}
                _ => {
                    errors.push(refused(line, &format!("{:?} has no digest", clip(name))).with("column", place.column))
                }
            }
        }
        (provenance, errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_provenance_is_refused_with_its_line() {
        let whole = format!("x\n{MESSAGE}\nHash: SHA512\n\nname: a\n...\nfiles:\n  a: b\n{SIGNATURE}\n\n{END}\n");
        assert!(Provenance::parse(whole.as_bytes(), &Limits::default()).is_ok());
        for (text, line) in [
            ("", "1"),
            (&*whole.replace(END, ""), "9"),
            (&*whole.replace(SIGNATURE, ""), "2"),
            (&*whole.replace("...", ""), "5"),
            (&*whole.replace("files:", "files: {"), "8"),
            (&*whole.replace("  a: b", ""), "7"),
            (&*whole.replace("a: b", "a: 1"), "8"),
        ] {
            let error = Provenance::parse(text.as_bytes(), &Limits::default()).unwrap_err();
            assert_eq!((error.code(), &*error.context()[0].1), (Code::PROVENANCE_SYNTAX, line), "{text}");
        }
    }
}
