//! How much work a schema makes, at most: `allOf: [x, x]` in x, a few levels deep, keeps any validator busy for ever.

use std::collections::BTreeMap;

use serde_json::Value;

use super::MOST_OF_REPORT;
use super::judge::unescaped;
use crate::error::{Code, Error};

/// Steps: one value by one part of the schema, one name or alternative, one child that is gone through.
const MOST: f64 = MOST_OF_REPORT / 2.0;
/// Before it judges, `boon` looks for each part and each name of a schema among all of them: so many looks take as long as one step, and
/// so many bytes of where a part stands as long as one look.
const LOOKS_PER_STEP: f64 = 200.0;
const BYTES_PER_LOOK: usize = 64;
/// Bytes of the pointers to all parts together: `boon` keeps each of them, more than once.
const LONGEST: usize = 16 << 20;
/// Nodes of a schema; and places that are looked at to find what its references name.
const MOST_NODES: usize = 1_000_000;
/// Parts of a schema that are inside of each other while one value is judged: what a thread's stack has room for.
const DEEPEST: usize = 400;
/// Levels of the schema itself.
const MOST_LEVELS: usize = 64;

/// Where a part of a schema sends a value.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// The value itself goes there.
    Same,
    /// One child of the value at most.
    One,
    /// Any child of the value.
    Each,
}

/// Parts of the schema by number, and the ways between them.
struct Graph<'a> {
    parts: Vec<&'a Value>,
    /// How long the pointer to each is.
    lengths: Vec<usize>,
    numbers: BTreeMap<*const Value, usize>,
    ways: Vec<Vec<(usize, Way)>>,
    /// Parts that other parts may name.
    named: Vec<(&'a str, usize)>,
}

/// Refuses what would take too long or lead too deep. The estimate is from above: each level of the values is taken for
/// as wide as all of its nodes. What is needed is taken from `left`.
pub(super) fn check(schema: &Value, values: &Value, left: &mut f64) -> Result<(), Error> {
    let too_much = |why: &str| Error::new(Code::LIMIT_SCHEMA, format!("the schema {why}"));
    if levels(schema) > MOST_LEVELS {
        return Err(too_much("nests too deeply"));
    }
    if nodes(schema) > MOST_NODES {
        return Err(too_much("is too large"));
    }
    let graph = Graph::new(schema).ok_or_else(|| too_much("makes too much work"))?;
    let order = graph.order().ok_or_else(|| too_much("has a reference that leads back to itself"))?;
    let mut levels = Vec::new();
    widen(values, 0, &mut levels);

    let count = graph.parts.len();
    // At this level of the values: judgements by a part of all nodes, of one node, and parts above it.
    let start = || (vec![0.0_f64; count], vec![0.0_f64; count], vec![0_usize; count]);
    let (mut all, mut one, mut deep) = start();
    (all[0], one[0], deep[0]) = (1.0, 1.0, 1);
    let most = left.min(MOST);
    let mut total = graph.compiling().unwrap_or(f64::INFINITY);
    if total > most {
        return Err(too_much("has too many parts"));
    }
    for (level, &Level { nodes, widest }) in levels.iter().enumerate() {
        let children = levels.get(level + 1).map_or(0.0, |below| below.nodes);
        let (mut next_all, mut next_one, mut next_deep) = start();
        for &part in &order {
            all[part] = all[part].min(one[part] * nodes);
            if all[part] == 0.0 {
                continue;
            }
            // The children of all values that this part judges.
            let below = (one[part] * children).min(all[part] * widest);
            let (own, each) = weight(graph.parts[part]);
            total += all[part] * own + below * each + graph.ways[part].len() as f64;
            if total > most {
                return Err(too_much("makes too much work"));
            }
            if deep[part] > DEEPEST {
                return Err(too_much("leads too deep"));
            }
            for &(to, way) in &graph.ways[part] {
                if way == Way::Same {
                    all[to] += all[part];
                    one[to] += one[part];
                    deep[to] = deep[to].max(deep[part] + 1);
                } else if children > 0.0 {
                    next_all[to] += if way == Way::One { all[part] } else { below };
                    next_one[to] += one[part];
                    next_deep[to] = next_deep[to].max(deep[part] + 1);
                }
            }
        }
        (all, one, deep) = (next_all, next_one, next_deep);
    }
    *left -= total;
    Ok(())
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn nodes(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(nodes).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(nodes).sum::<usize>(),
        _ => 1,
    }
}

/// The steps of judging one value by a part alone, and those that come with each child of the value.
fn weight(part: &Value) -> (f64, f64) {
    let (mut own, mut each) = (1, 0);
    if let Value::Object(members) = part {
        each = 1;
        for (name, value) in members {
            match name.as_str() {
                // Each name is looked for, and what is missing is listed; each alternative is compared.
                "required" | "dependentRequired" | "dependencies" | "enum" | "const" => own += nodes(value),
                "patternProperties" => each += value.as_object().map_or(0, serde_json::Map::len),
                _ => {}
            }
        }
    }
    (own as f64, each as f64)
}

/// One level of the values.
#[derive(Default)]
struct Level {
    nodes: f64,
    /// Children that one of its nodes has at most.
    widest: f64,
}

fn widen(value: &Value, level: usize, levels: &mut Vec<Level>) {
    if levels.len() <= level {
        levels.push(Level::default());
    }
    let mut say = |children: usize| {
        levels[level].nodes += 1.0;
        levels[level].widest = levels[level].widest.max(children as f64);
    };
    match value {
        Value::Array(items) => {
            say(items.len());
            items.iter().for_each(|item| widen(item, level + 1, levels));
        }
        Value::Object(members) => {
            say(members.len());
            members.values().for_each(|member| widen(member, level + 1, levels));
        }
        _ => say(0),
    }
}

impl<'a> Graph<'a> {
    /// Nothing, if finding what the references name would be too much work by itself.
    fn new(schema: &'a Value) -> Option<Graph<'a>> {
        let mut graph = Graph {
            parts: Vec::new(),
            lengths: Vec::new(),
            numbers: BTreeMap::new(),
            ways: Vec::new(),
            named: Vec::new(),
        };
        graph.number(schema, 0);
        let mut looks = MOST_NODES;
        for part in 0..graph.parts.len() {
            let ways = graph.ways_from(graph.parts[part], &mut looks)?;
            graph.ways.push(ways);
        }
        Some(graph)
    }

    /// Whatever is an object or a list may be a part.
    fn number(&mut self, value: &'a Value, length: usize) {
        self.numbers.insert(value, self.parts.len());
        let at = self.parts.len();
        self.parts.push(value);
        self.lengths.push(length);
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.number(item, length + 8)),
            Value::Object(members) => {
                for name in ["$id", "id", "$anchor", "$dynamicAnchor"] {
                    if let Some(Value::String(text)) = members.get(name) {
                        self.named.push((text.trim_start_matches('#'), at));
                    }
                }
                members.iter().for_each(|(name, member)| self.number(member, length + 1 + name.len()));
            }
            _ => {}
        }
    }

    /// `looks` is what may still be looked at for references, all names for each of them.
    fn ways_from(&self, part: &'a Value, looks: &mut usize) -> Option<Vec<(usize, Way)>> {
        let Value::Object(members) = part else { return Some(Vec::new()) };
        let mut ways = Vec::new();
        let mut go =
            |value: &'a Value, way| ways.extend(self.numbers.get(&std::ptr::from_ref(value)).map(|to| (*to, way)));
        for (name, value) in members {
            let way = match name.as_str() {
                "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else" | "dependentSchemas" | "dependencies" => {
                    Way::Same
                }
                "properties" => Way::One,
                "patternProperties"
                | "additionalProperties"
                | "propertyNames"
                | "unevaluatedProperties"
                | "items"
                | "prefixItems"
                | "additionalItems"
                | "contains"
                | "unevaluatedItems"
                | "contentSchema" => Way::Each,
                "$ref" | "$dynamicRef" | "$recursiveRef" => {
                    let Some(reference) = value.as_str() else { continue };
                    *looks = looks.checked_sub(1 + self.named.len())?;
                    self.named(reference).into_iter().for_each(|to| go(self.parts[to], Way::Same));
                    continue;
                }
                _ => continue,
            };
            match (name.as_str(), value) {
                ("properties" | "patternProperties" | "dependentSchemas" | "dependencies", Value::Object(members)) => {
                    members.values().for_each(|member| go(member, way));
                }
                (_, Value::Array(items)) => items.iter().for_each(|item| go(item, way)),
                _ => go(value, way),
            }
        }
        Some(ways)
    }

    /// The steps before judging; nothing, if the names that lead to the parts are too long.
    fn compiling(&self) -> Option<f64> {
        let mut is_part = vec![false; self.parts.len()];
        self.ways.iter().flatten().for_each(|(to, _)| is_part[*to] = true);
        let (mut parts, mut bytes) = (0, 0_usize);
        for (length, _) in self.lengths.iter().zip(is_part).filter(|(_, is_part)| *is_part) {
            parts += 1;
            bytes = bytes.checked_add(*length).filter(|bytes| *bytes <= LONGEST)?;
        }
        let ways: usize = self.ways.iter().map(Vec::len).sum();
        let names = self.named.len();
        Some((parts + ways + names) as f64 * (parts + names + bytes / BYTES_PER_LOOK) as f64 / LOOKS_PER_STEP)
    }

    /// What a reference may name: a place in this document, or whatever bears such a name.
    fn named(&self, reference: &str) -> Vec<usize> {
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let fragment = unescaped(fragment);
        if !fragment.starts_with('/') && !fragment.is_empty() {
            return self.named.iter().filter(|(name, _)| *name == fragment).map(|(_, at)| *at).collect();
        }
        // As those who read URLs read them.
        let document = document.replace(['\t', '\n', '\r'], "").replace('\\', "/");
        let document = document.trim_matches(|character| character <= ' ');
        let last = |name: &str| name.trim_end_matches('#').rsplit('/').next().unwrap_or_default().to_owned();
        let mut bases: Vec<usize> = vec![0];
        if !document.is_empty() {
            bases.retain(|_| last(document) == "values.schema.json");
            bases.extend(self.named.iter().filter(|(name, _)| last(name) == last(document)).map(|(_, at)| *at));
        } else {
            // A fragment is looked up in the nearest resource with an id of its own; any of them will do here.
            bases.extend(self.named.iter().map(|(_, at)| *at));
        }
        let at = |base: &usize| self.numbers.get(&std::ptr::from_ref(self.parts[*base].pointer(&fragment)?)).copied();
        bases.iter().filter_map(at).collect()
    }

    /// The parts so that none stands before one that sends the same value to it; none if they go in a circle.
    fn order(&self) -> Option<Vec<usize>> {
        let mut waits = vec![0_usize; self.parts.len()];
        let same = |part: usize| self.ways[part].iter().filter(|(_, way)| *way == Way::Same).map(|(to, _)| *to);
        (0..self.parts.len()).flat_map(same).for_each(|to| waits[to] += 1);
        let mut order: Vec<usize> = (0..self.parts.len()).filter(|part| waits[*part] == 0).collect();
        let mut done = 0;
        while let Some(&part) = order.get(done) {
            done += 1;
            for to in same(part) {
                waits[to] -= 1;
                if waits[to] == 0 {
                    order.push(to);
                }
            }
        }
        (order.len() == self.parts.len()).then_some(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(schema: &Value, values: &Value) -> Result<(), String> {
        check(schema, values, &mut MOST.clone()).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn doubling_in_place_is_refused_and_so_is_doubling_level_by_level() {
        let mut definitions = serde_json::Map::new();
        for at in 0..40 {
            let next = json!({ "$ref": format!("#/$defs/a{}", at + 1) });
            definitions.insert(format!("a{at}"), json!({ "allOf": [next, next] }));
        }
        definitions.insert("a40".to_owned(), json!({}));
        let schema = json!({ "$defs": definitions, "$ref": "#/$defs/a0" });
        assert_eq!(judged(&schema, &json!({})), Err("the schema makes too much work".to_owned()));

        let twice = json!({ "properties": { "a": { "allOf": [{ "$ref": "#" }, { "$ref": "#" }] } } });
        let mut values = json!({});
        for _ in 0..60 {
            values = json!({ "a": values });
        }
        assert_eq!(judged(&twice, &values), Err("the schema makes too much work".to_owned()));
        assert_eq!(judged(&twice, &json!({ "a": {} })), Ok(()));
    }

    #[test]
    fn however_a_place_of_the_schema_is_written_it_counts() {
        for (document, place) in
            [("values.schema.json", "/%24defs/a"), ("x\\..\\values.schema\n.json", "/$defs/a"), ("", "b")]
        {
            let mut definitions = serde_json::Map::new();
            let twice = |at: usize| json!({ "$ref": format!("{document}#{place}{}", at + 1) });
            for at in 0..40 {
                let name = format!("b{at}");
                definitions.insert(format!("a{at}"), json!({ "$anchor": name, "allOf": [twice(at), twice(at)] }));
            }
            definitions.insert("a40".to_owned(), json!({ "$anchor": "b40" }));
            let schema = json!({ "$defs": definitions, "$ref": "#/$defs/a0" });
            assert_eq!(judged(&schema, &json!({})), Err("the schema makes too much work".to_owned()), "{document}");
        }
    }

    #[test]
    fn circles_and_depths_are_refused() {
        let circle =
            json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } }, "$ref": "#/$defs/a" });
        assert_eq!(judged(&circle, &json!({})), Err("the schema has a reference that leads back to itself".to_owned()));
        let mut chain = serde_json::Map::new();
        for at in 0..1000 {
            chain.insert(format!("a{at}"), json!({ "$ref": format!("#/$defs/a{}", at + 1) }));
        }
        let chain = json!({ "$defs": chain, "$ref": "#/$defs/a0" });
        assert_eq!(judged(&chain, &json!({})), Err("the schema leads too deep".to_owned()));
        let mut nested = json!({});
        for _ in 0..70 {
            nested = json!({ "not": nested });
        }
        assert_eq!(judged(&nested, &json!({})), Err("the schema nests too deeply".to_owned()));
    }

    #[test]
    fn references_that_might_name_many_places_are_counted_before_they_are_listed() {
        let names: Vec<Value> = (0..20_000).map(|at| json!({ "$id": format!("a{at}"), "$ref": "#" })).collect();
        let schema = json!({ "$defs": { "all": names } });
        assert_eq!(judged(&schema, &json!({})), Err("the schema makes too much work".to_owned()));
        let names: Vec<Value> = (0..500).map(|at| json!({ "$id": format!("a{at}"), "$ref": "b#" })).collect();
        assert_eq!(judged(&json!({ "$defs": { "all": names } }), &json!({})), Ok(()));
        let nodes = Value::Array(vec![json!(0); MOST_NODES]);
        assert_eq!(judged(&json!({ "examples": nodes }), &json!({})), Err("the schema is too large".to_owned()));
    }

    #[test]
    fn a_part_weighs_as_much_as_it_lists_and_as_the_value_is_wide() {
        let too_much = || Err("the schema makes too much work".to_owned());
        let names: Vec<String> = (0..10_000).map(|at| format!("n{at}")).collect();
        let objects = Value::Array(vec![json!({}); 10_000]);
        for keyword in ["required", "enum"] {
            assert_eq!(judged(&json!({ "items": { keyword: names } }), &objects), too_much(), "{keyword}");
            assert_eq!(judged(&json!({ "items": { keyword: names } }), &json!([{}])), Ok(()), "{keyword}");
        }
        for keyword in ["dependencies", "dependentRequired"] {
            assert_eq!(judged(&json!({ "items": { keyword: { "a": names } } }), &objects), too_much(), "{keyword}");
        }
        let wide: Value = names.iter().map(|name| (name.clone(), json!(0))).collect();
        let strict = Value::Array(vec![json!({ "additionalProperties": false }); 2_000]);
        assert_eq!(judged(&json!({ "allOf": strict }), &wide), too_much());
        assert_eq!(judged(&json!({ "allOf": strict }), &json!({})), Ok(()));
        let patterns: Value = (0..1_000).map(|at| (format!("^{at}"), json!(true))).collect();
        assert_eq!(judged(&json!({ "patternProperties": patterns }), &wide), too_much());
    }

    #[test]
    fn the_parts_of_a_schema_are_bounded_and_the_work_of_many_schemas_is_added_up() {
        let parts = |count: usize| {
            let members = (0..count).map(|at| (format!("a{at}"), json!({ "properties": { "b": {} } })));
            json!({ "properties": members.collect::<Value>() })
        };
        assert_eq!(judged(&parts(10_000), &json!({})), Err("the schema has too many parts".to_owned()));
        assert_eq!(judged(&parts(3_000), &json!({})), Ok(()));
        let name = "n".repeat(100_000);
        let below = |count| json!({ "properties": { &name: { "allOf": vec![json!({}); count] } } });
        assert_eq!(judged(&below(200), &json!({})), Err("the schema has too many parts".to_owned()));
        assert_eq!(judged(&below(20), &json!({})), Ok(()));
        let names: Vec<Value> = (0..20_000).map(|at| json!({ "$id": format!("a{at}") })).collect();
        assert_eq!(
            judged(&json!({ "$defs": { "all": names } }), &json!({})),
            Err("the schema has too many parts".to_owned())
        );
        let mut left = MOST_OF_REPORT;
        let judged = (0..20).take_while(|_| check(&parts(3_000), &json!({}), &mut left).is_ok()).count();
        assert!((2..10).contains(&judged), "{judged}");
        assert_eq!(check(&json!({}), &json!({}), &mut left), Ok(()));
    }

    #[test]
    fn what_people_write_is_no_work() {
        let tree = json!({ "properties": { "children": { "items": { "$ref": "#" } }, "name": { "type": "string" } } });
        let mut values = json!({ "name": "x" });
        for _ in 0..10 {
            values = json!({ "children": [values.clone(), values] });
        }
        assert_eq!(judged(&tree, &values), Ok(()));
    }
}
