//! Chart.lock (Helm 4.3, `internal/resolver`).

use serde::Serialize;

use super::Dependency;
use super::decode::Decoder;
use super::fields::LOCK;
use super::metadata::unless_null;
use crate::diagnostic::Report;
use crate::error::{Code, Error, clip};
use crate::json;
use crate::limits::Limits;
use crate::oci::Digest;
use crate::time::Timestamp;
use crate::yaml::{self, Data, Node};

const DOCUMENT: &str = "Chart.lock";

/// Which versions were chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Lock {
    /// Name, version and repository of each.
    pub dependencies: Vec<Dependency>,
    /// Of the requirements and the choice: [`Lock::digest_for`].
    pub digest: String,
    /// When, in RFC 3339; empty if the file does not say.
    pub generated: String,
    /// The file has no list of dependencies, which is not the same as an empty one: Helm writes `null`.
    #[serde(skip)]
    unlisted: bool,
}

impl Lock {
    /// Reads Chart.lock or requirements.lock. Null entries of `dependencies` are dropped.
    ///
    /// ```
    /// use chartoci::{Limits, chart::Lock};
    /// let text = "dependencies:\n- name: db\n  repository: oci://reg.example/charts\n  version: 2.0.1\n\
    ///     digest: sha256:0\ngenerated: \"2026-01-01T00:00:00Z\"\n";
    /// let lock = Lock::parse(text.as_bytes(), &Limits::default())?;
    /// assert_eq!((lock.dependencies[0].version.as_str(), lock.digest.as_str()), ("2.0.1", "sha256:0"));
    /// assert_eq!(lock.to_yaml(), text);
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// `yaml.*`, `chart.*`.
    pub fn parse(text: &[u8], limits: &Limits) -> Result<Lock, Error> {
        Lock::load(text, DOCUMENT, limits).map(Option::unwrap_or_default)
    }

    /// As [`Lock::parse`], of a document of that name; none where it is null or empty, as Helm's loader takes it.
    pub(super) fn load(text: &[u8], document: &'static str, limits: &Limits) -> Result<Option<Lock>, Error> {
        let node = yaml::parse(text, limits).map_err(|error| error.with("document", document))?;
        Lock::decode(&node, document)
    }

    /// As [`Lock::load`], of what was parsed.
    fn decode(node: &Node, document: &'static str) -> Result<Option<Lock>, Error> {
        let mut decoder = Decoder::new(document, true);
        let (mut lock, entries) = Lock::read(&mut decoder, node);
        decoder.finish()?;
        lock.dependencies = entries.into_iter().flatten().collect();
        Ok((!matches!(node.data, Data::Null)).then_some(lock))
    }

    /// What can be read of it: the lock without its dependencies, these as they stand there (null is none), and all that
    /// does not fit.
    pub(crate) fn examine(node: &Node) -> (Lock, Vec<Option<Dependency>>, Report) {
        let mut decoder = Decoder::new(DOCUMENT, true);
        let (lock, entries) = Lock::read(&mut decoder, node);
        (lock, entries, decoder.report())
    }

    fn read(decoder: &mut Decoder, node: &Node) -> (Lock, Vec<Option<Dependency>>) {
        let (mut lock, mut entries) = (Lock { unlisted: true, ..Lock::default() }, Vec::new());
        decoder.fields(node, LOCK, |decoder, name, value| match name {
            "dependencies" => {
                lock.unlisted = matches!(value.data, Data::Null);
                decoder.list(value, &mut entries, unless_null(Dependency::decode));
            }
            "digest" => decoder.text(value, &mut lock.digest),
            "generated" => time(decoder, value, &mut lock.generated),
            _ => {}
        });
        (lock, entries)
    }

    /// The digest that Helm writes for these requirements and that choice.
    ///
    /// ```
    /// use chartoci::chart::{Dependency, Lock};
    /// let alpine = [Dependency {
    ///     name: "alpine".to_owned(),
    ///     version: "0.1.0".to_owned(),
    ///     repository: "http://localhost:8879/charts".to_owned(),
    ///     ..Dependency::default()
    /// }];
    /// let digest = Lock::digest_for(&alpine, &alpine);
    /// assert_eq!(digest, "sha256:fb239e836325c5fa14b29d1540a13b7d3ba13151b67fe719f820e0ef6d66aaaf");
    /// ```
    pub fn digest_for(dependencies: &[Dependency], locked: &[Dependency]) -> String {
        Digest::of(&json::write(&(dependencies, locked))).to_string()
    }

    /// As Helm writes the file.
    pub fn to_yaml(&self) -> String {
        let generated = match self.generated.as_str() {
            "" => "0001-01-01T00:00:00Z".to_owned(),
            text => normal_time(text),
        };
        let mut document = json::tree(&Lock { generated, ..self.clone() });
        if self.unlisted && self.dependencies.is_empty() {
            document["dependencies"] = serde_json::Value::Null;
        }
        yaml::to_string(&document)
    }
}

/// What Go takes for RFC 3339, in RFC 3339: an hour may lack its zero, a comma may begin the fraction; `T` and `Z` are
/// capitals, and there are no leap seconds.
fn strict(text: &str) -> Option<String> {
    let (date, clock) = text.split_once('T')?;
    let zero = if clock.as_bytes().get(1) == Some(&b':') { "0" } else { "" };
    let strict = format!("{date}T{zero}{}", clock.replacen(',', ".", 1));
    let fits = Timestamp::parse_rfc3339(&strict).is_some() && !strict.contains(['t', 'z']);
    (fits && strict.get(17..19) != Some("60")).then_some(strict)
}

fn time(decoder: &mut Decoder, node: &Node, target: &mut String) {
    match &node.data {
        Data::Null => {}
        Data::String(text) => match strict(text) {
            Some(time) => *target = time,
            None => {
                let message = format!("generated is {:?}, no time in RFC 3339", clip(text));
                decoder.refuse(Code::CHART_FIELD_TYPE, node, message);
            }
        },
        _ => decoder.refuse(Code::CHART_FIELD_TYPE, node, format!("generated must be a time, not {}", node.describe())),
    }
}

/// As Go prints it: no zeros at the end of a fraction of at most nine digits, `Z` for no offset.
fn normal_time(text: &str) -> String {
    let (clock, zone) = text.split_at(text.rfind(['Z', '+', '-']).unwrap_or(text.len()));
    let clock = match clock.split_once('.') {
        Some((seconds, fraction)) => {
            let digits = fraction.get(..9).unwrap_or(fraction).trim_end_matches('0');
            if digits.is_empty() { seconds.to_owned() } else { format!("{seconds}.{digits}") }
        }
        None => clock.to_owned(),
    };
    let zone = if matches!(zone, "+00:00" | "-00:00") { "Z" } else { zone };
    clock + zone
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "dependencies:\n- name: common\n  repository: oci://registry.example/charts\n  version: 2.31.4\n\
                        digest: sha256:abc\ngenerated: \"2025-08-13T16:32:41.542651404Z\"\n";

    #[test]
    fn a_lock_is_written_as_it_was_read() {
        let lock = Lock::parse(TEXT.as_bytes(), &Limits::default()).unwrap();
        assert_eq!((lock.dependencies[0].name.as_str(), lock.digest.as_str()), ("common", "sha256:abc"));
        assert_eq!(lock.to_yaml(), TEXT);
    }

    // Helm's own writer prints these for the same files.
    #[test]
    fn times_are_written_as_go_prints_them() {
        for (read, written) in [
            ("2025-01-01T00:00:00.100Z", "2025-01-01T00:00:00.1Z"),
            ("2025-01-01T00:00:00.000+00:00", "2025-01-01T00:00:00Z"),
            ("2025-01-01T00:00:00.5-07:00", "2025-01-01T00:00:00.5-07:00"),
            ("2025-01-01T1:02:03,50Z", "2025-01-01T01:02:03.5Z"),
        ] {
            let lock = Lock::parse(format!("generated: '{read}'").as_bytes(), &Limits::default()).unwrap();
            assert_eq!(lock.to_yaml(), format!("dependencies: null\ndigest: \"\"\ngenerated: \"{written}\"\n"));
        }
        assert!(Lock::parse(b"", &Limits::default()).unwrap().to_yaml().contains("0001-01-01T00:00:00Z"));
    }

    #[test]
    fn no_list_is_not_an_empty_list_and_an_empty_document_is_no_lock() {
        let written = |text: &str| {
            let lock = Lock::load(text.as_bytes(), DOCUMENT, &Limits::default()).unwrap()?;
            Some(lock.to_yaml().lines().next().unwrap().to_owned())
        };
        assert_eq!(written("digest: x").unwrap(), "dependencies: null");
        assert_eq!(written("dependencies: ~").unwrap(), "dependencies: null");
        assert_eq!(written("dependencies: []").unwrap(), "dependencies: []");
        assert_eq!(written("# nothing\n"), None);
        assert_eq!(written("~"), None);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_place() {
        for text in [
            "generated: yesterday",
            "generated: 2025-01-01T00:00:60Z",
            "generated: 1",
            "generated: 2025-01-01",
            "dependencies: {}",
            "digest: []",
            "- a",
        ] {
            let error = Lock::parse(text.as_bytes(), &Limits::default()).unwrap_err();
            assert_eq!(error.code(), Code::CHART_FIELD_TYPE, "{text}");
            assert_eq!(error.context()[..2], [("document", "Chart.lock".to_owned()), ("line", "1".to_owned())]);
        }
    }
}
