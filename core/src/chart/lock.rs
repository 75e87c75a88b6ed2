//! Chart.lock (Helm 4.3, `internal/resolver`).

use serde::Serialize;

use super::Dependency;
use super::decode::Decoder;
use super::metadata::unless_null;
use crate::error::{Code, Error, clip};
use crate::json;
use crate::limits::Limits;
use crate::oci::Digest;
use crate::time::Timestamp;
use crate::yaml::{self, Data, Node};

/// Which versions were chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Lock {
    /// Name, version and repository of each.
    pub dependencies: Vec<Dependency>,
    /// Of the requirements and the choice: [`Lock::digest_for`].
    pub digest: String,
    /// When, in RFC 3339, as the file has it; empty if it has none.
    pub generated: String,
}

impl Lock {
    /// Reads Chart.lock or requirements.lock. Null entries of `dependencies` are dropped.
    ///
    /// # Errors
    /// `yaml.*`, `chart.*`.
    pub fn parse(text: &[u8], limits: &Limits) -> Result<Lock, Error> {
        const DOCUMENT: &str = "Chart.lock";
        let node = yaml::parse(text, limits).map_err(|error| error.with("document", DOCUMENT))?;
        let mut lock = Lock::default();
        let mut dependencies = Vec::new();
        let mut decoder = Decoder::new(DOCUMENT, true);
        decoder.fields(&node, |decoder, name, value| {
            match name {
                "dependencies" => decoder.list(value, &mut dependencies, unless_null(Dependency::decode)),
                "digest" => decoder.text(value, &mut lock.digest),
                "generated" => time(decoder, value, &mut lock.generated),
                _ => return false,
            }
            true
        });
        decoder.finish()?;
        lock.dependencies = dependencies.into_iter().flatten().collect();
        Ok(lock)
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
        yaml::to_string(&json::tree(&Lock { generated, ..self.clone() }))
    }
}

/// RFC 3339 as Go reads it: `T` and `Z` in capitals, no leap seconds.
fn is_time(text: &str) -> bool {
    Timestamp::parse_rfc3339(text).is_some() && !text.contains(['t', 'z']) && text.get(17..19) != Some("60")
}

fn time(decoder: &mut Decoder, node: &Node, target: &mut String) {
    match &node.data {
        Data::Null => {}
        Data::String(text) if is_time(text) => {
            target.clone_from(text);
        }
        Data::String(text) => {
            let message = format!("generated is {:?}, no time in RFC 3339", clip(text));
            decoder.refuse(Code::CHART_FIELD_TYPE, node, message);
        }
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
        ] {
            let lock = Lock::parse(format!("generated: '{read}'").as_bytes(), &Limits::default()).unwrap();
            assert_eq!(lock.to_yaml(), format!("dependencies: []\ndigest: \"\"\ngenerated: \"{written}\"\n"));
        }
        assert!(Lock::parse(b"", &Limits::default()).unwrap().to_yaml().contains("0001-01-01T00:00:00Z"));
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
