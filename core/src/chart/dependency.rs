//! Dependencies as Chart.yaml and Chart.lock name them (Helm 4.3, `pkg/chart/v2/dependency.go`).

use serde::Serialize;

use super::decode::Decoder;
use super::fields::DEPENDENCY;
use crate::printable::sanitise;
use crate::yaml::Node;

/// A chart that this one needs. Serialised, it has the names and the order of Helm's JSON.
///
/// ```
/// use chartoci::{Limits, Metadata, chart::Dependency};
/// let chart_yaml = b"apiVersion: v2\nname: web\nversion: 1.0.0\n\
///     dependencies:\n- {name: db, version: ^2, repository: oci://reg.example/charts, alias: store}\n";
/// let metadata = Metadata::parse(chart_yaml, &Limits::default())?;
/// let [Dependency { name, version, alias, .. }] = &metadata.dependencies[..] else { panic!() };
/// assert_eq!((name.as_str(), version.as_str(), alias.as_str()), ("db", "^2", "store"));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Dependency {
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    pub repository: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enabled: bool,
    /// Strings, or maps with `child` and `parent`: kept as JSON.
    #[serde(rename = "import-values", skip_serializing_if = "Vec::is_empty")]
    pub import_values: Vec<serde_json::Value>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
}

impl Dependency {
    pub(super) fn decode(decoder: &mut Decoder, node: &Node, target: &mut Dependency) {
        decoder.fields(node, DEPENDENCY, |decoder, name, value| match name {
            "name" => decoder.text(value, &mut target.name),
            "version" => decoder.text(value, &mut target.version),
            "repository" => decoder.text(value, &mut target.repository),
            "condition" => decoder.text(value, &mut target.condition),
            "tags" => decoder.texts(value, &mut target.tags),
            "enabled" => decoder.flag(value, &mut target.enabled),
            "import-values" => decoder.list(value, &mut target.import_values, Decoder::any),
            "alias" => decoder.text(value, &mut target.alias),
            _ => {}
        });
    }

    /// Helm does this to every dependency when it loads a chart; alias and import-values stay as they are.
    pub(super) fn sanitise(&mut self) {
        for text in [&mut self.name, &mut self.version, &mut self.repository, &mut self.condition] {
            sanitise(text);
        }
        self.tags.iter_mut().for_each(sanitise);
    }

    /// The name under which the chart that needs it knows it.
    pub(crate) fn known_as(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }
}
