//! The fields of a chart's documents: the reader takes these and no others, `check` knows them, the JSON Schemas are made
//! of them (Helm 4.3, `pkg/chart/v2`).

/// A field, spelled as Helm writes it.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name; a document may spell it in any case.
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) shape: Shape,
}

/// What a field takes; null leaves it unset.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A text; in YAML a number or a boolean becomes one.
    Text,
    /// true or false.
    Flag,
    /// A list of texts.
    Texts,
    /// A mapping of texts.
    TextMap,
    /// A list of anything; in index.yaml, what has rules of its own.
    Anything,
    /// A time in RFC 3339.
    Time,
    /// A list of mappings with these fields.
    List(&'static [Field]),
}

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape }
}

/// Of Chart.yaml.
pub(crate) const CHART: &[Field] = &[
    field("apiVersion", Shape::Text),
    field("name", Shape::Text),
    field("version", Shape::Text),
    field("kubeVersion", Shape::Text),
    field("description", Shape::Text),
    field("type", Shape::Text),
    field("keywords", Shape::Texts),
    field("home", Shape::Text),
    field("sources", Shape::Texts),
    field("dependencies", Shape::List(DEPENDENCY)),
    field("maintainers", Shape::List(MAINTAINER)),
    field("icon", Shape::Text),
    field("appVersion", Shape::Text),
    field("deprecated", Shape::Flag),
    field("annotations", Shape::TextMap),
    field("condition", Shape::Text),
    field("tags", Shape::Text),
];

/// Of an entry of `maintainers`.
pub(crate) const MAINTAINER: &[Field] =
    &[field("name", Shape::Text), field("email", Shape::Text), field("url", Shape::Text)];

/// Of an entry of `dependencies`, in Chart.yaml, requirements.yaml and Chart.lock.
pub(crate) const DEPENDENCY: &[Field] = &[
    field("name", Shape::Text),
    field("version", Shape::Text),
    field("repository", Shape::Text),
    field("condition", Shape::Text),
    field("tags", Shape::Texts),
    field("enabled", Shape::Flag),
    field("import-values", Shape::Anything),
    field("alias", Shape::Text),
];

/// Of Chart.lock.
pub(crate) const LOCK: &[Field] =
    &[field("dependencies", Shape::List(DEPENDENCY)), field("digest", Shape::Text), field("generated", Shape::Time)];

/// Of the metadata of a CRD, as far as `helm lint` reads it (Helm 4.3, `pkg/chart/v2/lint/rules`).
pub(crate) const CRD_METADATA: &[Field] = &[field("name", Shape::Text), field("namespace", Shape::Text)];

/// Of index.yaml of a chart repository (Helm 4.3, `pkg/repo/v1`).
pub(crate) const INDEX: &[Field] = &[
    field("serverInfo", Shape::Anything),
    field("apiVersion", Shape::Text),
    field("generated", Shape::Time),
    field("entries", Shape::Anything),
    field("publicKeys", Shape::Texts),
    field("annotations", Shape::TextMap),
];

/// Of an entry of index.yaml, beside those of Chart.yaml.
pub(crate) const INDEX_ENTRY: &[Field] = &[
    field("urls", Shape::Texts),
    field("created", Shape::Time),
    field("removed", Shape::Flag),
    field("digest", Shape::Text),
    field("checksum", Shape::Text),
    field("engine", Shape::Text),
    field("tillerVersion", Shape::Text),
    field("url", Shape::Text),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Lock, Metadata};
    use crate::limits::Limits;
    use serde_json::{Map, Value, json};

    /// A document with every field, and the field that is to be wrong, if one is.
    fn full(fields: &[Field], wrong: Option<&str>) -> Value {
        let value = |field: &Field| match field.shape {
            _ if Some(field.name) == wrong => {
                json!(if matches!(field.shape, Shape::Texts | Shape::Anything) { json!({}) } else { json!([[]]) })
            }
            Shape::Text if field.name == "version" => json!("1.2.3"),
            Shape::Text if field.name == "type" => json!("library"),
            Shape::Text => json!("x"),
            Shape::Flag => json!(true),
            Shape::Texts | Shape::Anything => json!(["x"]),
            Shape::TextMap => json!({ "x": "y" }),
            Shape::Time => json!("2026-01-02T03:04:05Z"),
            Shape::List(fields) => json!([full(fields, None)]),
        };
        Value::Object(fields.iter().map(|field| (field.name.to_owned(), value(field))).collect::<Map<_, _>>())
    }

    #[test]
    fn every_field_is_read_and_every_field_that_is_read_is_known() {
        let limits = Limits::default();
        let chart = full(CHART, None);
        let metadata = Metadata::parse(chart.to_string().as_bytes(), &limits).unwrap();
        assert_eq!(serde_json::to_value(&metadata).unwrap(), chart);
        let lock = full(LOCK, None);
        let read = Lock::parse(lock.to_string().as_bytes(), &limits).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), lock);
    }

    #[test]
    fn every_field_takes_what_its_shape_says_and_nothing_else() {
        let limits = Limits::default();
        for field in CHART {
            let chart = full(CHART, Some(field.name));
            assert!(Metadata::parse(chart.to_string().as_bytes(), &limits).is_err(), "{}", field.name);
        }
        for field in LOCK {
            let lock = full(LOCK, Some(field.name));
            assert!(Lock::parse(lock.to_string().as_bytes(), &limits).is_err(), "{}", field.name);
        }
    }
}
