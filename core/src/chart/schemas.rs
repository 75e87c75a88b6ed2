//! JSON Schemas (draft 2020-12) of a chart's documents, for editors and other tools: made of the reader's table of fields.

use serde_json::{Map, Value, json};

use super::fields::{CHART, Field, LOCK, Shape};

/// The schemas of Chart.yaml, Chart.lock and index.yaml: each document's name, and the schema.
///
/// They take what Helm takes, fields that Helm does not know included. What JSON Schema cannot say (two dependencies of
/// one name, what a field in another spelling holds) they let pass; of an index's entries also what Helm only leaves out.
///
/// ```
/// let schemas = chartoci::chart::schemas::schemas();
/// let names: Vec<&str> = schemas.iter().map(|(name, _)| *name).collect();
/// assert_eq!(names, ["Chart.yaml", "Chart.lock", "index.yaml"]);
/// assert_eq!(schemas[0].1["properties"]["maintainers"]["items"]["properties"]["url"]["type"][0], "string");
/// ```
pub fn schemas() -> [(&'static str, Value); 3] {
    let document = |title: &str, mut schema: Value| {
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        schema["title"] = title.into();
        schema
    };
    [
        ("Chart.yaml", document("Chart.yaml of a Helm chart", chart())),
        ("Chart.lock", document("Chart.lock of a Helm chart", object(LOCK))),
        ("index.yaml", document("index.yaml of a repository of Helm charts", index())),
    ]
}

/// Chart.yaml, with the rules that hold for the chart itself.
fn chart() -> Value {
    let mut schema = object(CHART);
    schema["allOf"] = required(&["name", "version"]);
    let properties = &mut schema["properties"];
    properties["name"]["pattern"] = "^(?!\\.{1,2}$)[^/]+$".into();
    properties["version"]["type"] = json!(["string", "number", "null"]);
    // As Masterminds/semver reads it: a leading v, one number or two.
    let identifiers = "[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*";
    let version = format!("^v?[0-9]+(\\.[0-9]+){{0,2}}(-{identifiers})?(\\+{identifiers})?$");
    properties["version"]["pattern"] = version.into();
    properties["version"]["minimum"] = 0.into();
    properties["type"] = json!({ "enum": ["application", "library", "", null], "description": about("type") });
    for list in ["maintainers", "dependencies"] {
        properties[list]["items"]["type"] = "object".into();
    }
    properties["dependencies"]["items"]["properties"]["alias"]["pattern"] = "^[A-Za-z0-9_-]*$".into();
    schema
}

/// These fields have to be there, in whatever case: Go's reader takes them all, and U+017F for an s. Where another spelling
/// stands as well, the field may be null.
fn required(names: &[&str]) -> Value {
    let one = |name: &&str| {
        let letter = |letter: char| match letter {
            's' => "[sS\u{17f}]".to_owned(),
            _ => format!("[{}{}]", letter.to_ascii_lowercase(), letter.to_ascii_uppercase()),
        };
        let another = format!("^(?!{name}$){}$", name.chars().map(letter).collect::<String>());
        let there = json!({ "required": [name], "properties": { *name: { "not": { "type": "null" } } } });
        json!({ "if": { "propertyNames": { "not": { "pattern": another } } }, "then": there })
    };
    names.iter().map(one).collect()
}

/// index.yaml (Helm 4.3, `pkg/repo/v1/index.go`): an entry has the fields of a Chart.yaml, and more. One that is no chart
/// Helm leaves out, and reads the others.
fn index() -> Value {
    let mut entry = object(CHART);
    let described = |shape: &Shape, text: &str| {
        let mut schema = shape_of(shape);
        schema["description"] = text.into();
        schema
    };
    let properties = &mut entry["properties"];
    properties["urls"] = described(&Shape::Texts, "Where the archive is: relative to the index, or absolute.");
    properties["created"] = described(&Shape::Time, "When the archive was added, in RFC 3339.");
    properties["digest"] = described(&Shape::Text, "SHA-256 of the archive, in hexadecimal digits.");
    properties["removed"] = described(&Shape::Flag, "The version is there no more.");
    json!({
        "type": "object",
        "allOf": required(&["apiVersion"]),
        "properties": {
            "apiVersion": { "type": ["string", "null"], "minLength": 1, "description": "Always v1." },
            "generated": described(&Shape::Time, "When the index was written, in RFC 3339."),
            "annotations": described(&Shape::TextMap, "Anything else, as texts."),
            "publicKeys": described(&Shape::Texts, "Not used by Helm."),
            "serverInfo": { "type": ["object", "null"], "description": "What the server says of itself." },
            "entries": {
                "type": ["object", "null"],
                "description": "The versions of each chart, by its name.",
                "additionalProperties": { "type": ["array", "null"], "items": entry },
            },
        },
    })
}

fn object(fields: &[Field]) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let mut schema = shape_of(&field.shape);
        schema["description"] = about(field.name).into();
        properties.insert(field.name.to_owned(), schema);
    }
    json!({ "type": ["object", "null"], "properties": properties })
}

fn shape_of(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": ["string", "number", "boolean", "null"] }),
        Shape::Flag => json!({ "type": ["boolean", "null"] }),
        Shape::Texts => json!({ "type": ["array", "null"], "items": shape_of(&Shape::Text) }),
        Shape::TextMap => json!({ "type": ["object", "null"], "additionalProperties": shape_of(&Shape::Text) }),
        Shape::Anything => json!({ "type": ["array", "null"] }),
        Shape::Time => json!({ "type": ["string", "null"], "format": "date-time" }),
        Shape::List(fields) => json!({ "type": ["array", "null"], "items": object(fields) }),
    }
}

/// What a field is for. A name means the same wherever it stands, as far as these words go.
fn about(name: &str) -> &'static str {
    match name {
        "apiVersion" => "v2 for charts of Helm 3 and later; v1 if it is missing.",
        "name" => "The name.",
        "version" => "Of a chart its version, a semantic one, in quotes; of a dependency a version or a range.",
        "kubeVersion" => "The range of versions of Kubernetes that the chart is for.",
        "description" => "One sentence.",
        "type" => "application (the default), or library: for other charts' templates only.",
        "keywords" => "What it can be found by.",
        "home" => "URL of the project's page.",
        "sources" => "URLs of the source code.",
        "dependencies" => "Charts that this chart needs.",
        "maintainers" => "Who looks after it.",
        "icon" => "URL of an SVG or PNG picture, for catalogues.",
        "appVersion" => "The version of what the chart installs: any text, in quotes.",
        "deprecated" => "true if nobody should begin to use the chart.",
        "annotations" => "Anything else, as texts.",
        "condition" => {
            "Paths into the values, separated by commas: the first that is a boolean switches the chart on or off."
        }
        "tags" => "What switches several charts on or off together.",
        "email" => "Where to write to.",
        "url" => "A page about the person or team.",
        "repository" => "Where the dependency is: oci://, https://, file://, or @NAME.",
        "enabled" => "Written by Helm while it works; no need to set it.",
        "import-values" => "Values of the dependency that become this chart's: names, or mappings of child and parent.",
        "alias" => "The name under which this chart knows the dependency.",
        "digest" => "Of what is required and what was chosen, for Helm to see whether they still fit.",
        "generated" => "When the versions were chosen, in RFC 3339.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::fields::{DEPENDENCY, MAINTAINER};

    #[test]
    fn every_field_is_described() {
        for field in [CHART, LOCK, DEPENDENCY, MAINTAINER].into_iter().flatten() {
            assert!(about(field.name).ends_with('.'), "{}", field.name);
        }
    }
}
