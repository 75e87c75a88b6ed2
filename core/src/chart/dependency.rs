//! Dependencies as Chart.yaml and Chart.lock name them.

/// A chart that this one needs.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Dependency {
    pub name: String,
    pub version: String,
    pub repository: String,
    pub condition: String,
    pub tags: Vec<String>,
    pub enabled: bool,
    /// Strings, or maps with `child` and `parent`: kept as JSON.
    pub import_values: Vec<serde_json::Value>,
    pub alias: String,
}
