//! The tree: values as Helm sees them, each with its place.

use super::resolve::{Precision, Tag, float_text, resolve};
use super::scan::{Event, Scanner, Text, depth, error_at};
use crate::decimal::is_plain;
use crate::diagnostic::Span;
use crate::error::{Code, Error};
use crate::limits::Limits;
use crate::order;

/// A value and its place in the text. What came through an alias has the place of its anchor.
///
/// ```
/// use chartoci::yaml::{Data, Node, parse};
/// let node: Node = parse(b"name: web\nversion: 1.10 # unquoted\n", &chartoci::Limits::default())?;
/// let version = node.get("version").unwrap();
/// assert_eq!((&version.data, version.source.as_deref()), (&Data::Float(1.1), Some("1.10")));
/// assert_eq!((version.span.line, version.span.column), (2, 10));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// The value.
    pub data: Data,
    /// Where it stands.
    pub span: Span,
    /// The source text of a scalar, if it is not what `data` shows (`0777`, `yes`, `1.10`).
    pub source: Option<Box<str>>,
}

/// A value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Data {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number that fits 64 bits with a sign.
    Int(i64),
    /// A whole number that needs the 64th bit.
    Uint(u64),
    /// Any other number, infinities and NaN included.
    Float(f64),
    /// A text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Pairs in the order of the text. Of equal keys the last stands; all are listed in `duplicates`.
    Mapping(Mapping),
}

/// The pairs of a mapping. Keys are texts, as JSON needs them (`true:` is `"true"`).
///
/// ```
/// use chartoci::yaml::{Mapping, parse};
/// let node = parse(b"on: 1\na: 2\na: 3\n", &chartoci::Limits::default())?;
/// let mapping: &Mapping = node.as_mapping().unwrap();
/// assert_eq!(mapping.pairs[0].0, "true", "YAML 1.1 reads `on` so");
/// assert_eq!(mapping.get("a"), node.get("a"));
/// assert_eq!(mapping.duplicates[0].key, "a");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    /// Key, place of the key, value.
    pub pairs: Vec<(String, Span, Node)>,
    /// Keys that stand more than once.
    pub duplicates: Vec<Duplicate>,
}

/// A key that stands more than once in its mapping. Of these the last counts.
///
/// ```
/// let text = b"a: &a {x: 1}\nb: {<<: *a, x: 2}\n";
/// let node = chartoci::yaml::parse(text, &chartoci::Limits::default())?;
/// let duplicate: &chartoci::yaml::Duplicate = &node.get("b").unwrap().as_mapping().unwrap().duplicates[0];
/// assert_eq!((duplicate.key.as_str(), duplicate.place.column, duplicate.is_merged), ("x", 13, true));
/// # Ok::<(), chartoci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicate {
    /// The key.
    pub key: String,
    /// One of its places, and not the one that counts if there is another in this very mapping.
    pub place: Span,
    /// It comes through `<<`, too: only Go's strict reader minds.
    pub is_merged: bool,
}

impl Mapping {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.pairs.iter().find(|(known, _, _)| known == key).map(|(_, _, node)| node)
    }
}

impl Node {
    /// The mapping, if it is one.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.data {
            Data::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The value of a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.get(key)
    }

    /// What the value is, with an article: `a text`, `a list`.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.data {
            Data::Null => "null",
            Data::Bool(_) => "a boolean",
            Data::Int(_) | Data::Uint(_) | Data::Float(_) => "a number",
            Data::String(_) => "a text",
            Data::Sequence(_) => "a list",
            Data::Mapping(_) => "a mapping",
        }
    }

    /// Makes sure that JSON can hold the value: Helm turns every document into JSON.
    ///
    /// ```
    /// let node = chartoci::yaml::parse(b"a: .inf", &chartoci::Limits::default())?;
    /// assert_eq!(node.check_json().unwrap_err().code().name(), "yaml.number");
    /// # Ok::<(), chartoci::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::YAML_NUMBER`] for an infinity or NaN.
    pub fn check_json(&self) -> Result<(), Error> {
        let (mut first, mut left) = (None, 1);
        self.each_not_json(&mut left, &mut |error| first = Some(error));
        first.map_or(Ok(()), Err)
    }

    /// Every number that JSON cannot hold, as long as `left` is not used up.
    pub(crate) fn each_not_json(&self, left: &mut usize, say: &mut dyn FnMut(Error)) {
        match &self.data {
            Data::Float(value) if !value.is_finite() => {
                let Some(rest) = left.checked_sub(1) else { return };
                *left = rest;
                let message = format!("{} has no place in JSON", float_text(*value, Precision::Double));
                say(error_at(Code::YAML_NUMBER, message, self.span));
            }
            Data::Sequence(items) => items.iter().for_each(|item| item.each_not_json(left, say)),
            Data::Mapping(mapping) => mapping.pairs.iter().for_each(|(_, _, value)| value.each_not_json(left, say)),
            _ => {}
        }
    }
}

/// Lays each value on those before it, as Helm merges the documents of values.yaml: mappings are merged, anything else is
/// replaced. Of nothing comes null.
///
/// ```
/// use chartoci::yaml::{Data, merge, parse};
/// let limits = chartoci::Limits::default();
/// let base = parse(b"image: {tag: a, pull: Always}\nports: [1, 2]", &limits)?;
/// let merged = merge(vec![base, parse(b"image: {tag: b}\nports: [3]", &limits)?]);
/// let image = merged.get("image").unwrap();
/// assert_eq!(image.get("tag").map(|tag| &tag.data), Some(&Data::String("b".to_owned())));
/// assert!(image.get("pull").is_some(), "mappings are merged");
/// let Data::Sequence(ports) = &merged.get("ports").unwrap().data else { panic!() };
/// assert_eq!(ports.len(), 1, "lists are replaced");
/// # Ok::<(), chartoci::Error>(())
/// ```
#[must_use]
pub fn merge(mut layers: Vec<Node>) -> Node {
    // What stands before something that is no mapping does not count.
    if let Some(last) = layers.iter().rposition(|layer| layer.as_mapping().is_none()) {
        layers.drain(..last + usize::from(last + 1 < layers.len()));
    }
    if layers.len() < 2 {
        return layers.pop().unwrap_or_default();
    }
    let span = layers.first().map(|layer| layer.span).unwrap_or_default();
    let mut all = Mapping::default();
    for layer in layers {
        if let Data::Mapping(mapping) = layer.data {
            all.pairs.extend(mapping.pairs);
            all.duplicates.extend(mapping.duplicates);
        }
    }
    let homes = homes(all.pairs.len(), &|at| &all.pairs[at].0);
    // Each key with its first value, and with those that are laid on it.
    type Slot = Option<((String, Span, Node), Vec<Node>)>;
    let mut slots: Vec<Slot> = Vec::with_capacity(homes.len());
    for ((key, place, value), home) in all.pairs.into_iter().zip(homes) {
        match slots.get_mut(home) {
            Some(slot) => {
                if let Some((first, later)) = slot {
                    first.1 = place;
                    later.push(value);
                }
                slots.push(None);
            }
            None => slots.push(Some(((key, place, value), Vec::new()))),
        }
    }
    let merged = slots.into_iter().flatten().map(|((key, place, value), mut later)| {
        if later.is_empty() {
            return (key, place, value);
        }
        later.insert(0, value);
        (key, place, merge(later))
    });
    let data = Data::Mapping(Mapping { pairs: merged.collect(), duplicates: all.duplicates });
    Node { data, span, source: None }
}

/// For each of so many keys the place of the first that is equal to it.
fn homes<'k>(count: usize, key: &dyn Fn(usize) -> &'k str) -> Vec<usize> {
    let mut homes: Vec<usize> = (0..count).collect();
    for two in order::places(count, &|a, b| key(a) < key(b)).windows(2) {
        if key(two[0]) == key(two[1]) {
            homes[two[1]] = homes[two[0]];
        }
    }
    homes
}

/// What may still be made of a text, in all of its documents together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    nodes: u32,
    /// Bytes of the scalars that come through aliases: each is as good as one more copy in the text.
    replayed: u64,
}

impl Allowance {
    pub(super) fn of(limits: &Limits) -> Allowance {
        Allowance { nodes: limits.nodes, replayed: limits.document }
    }
}

/// Makes trees of events.
pub(super) struct Builder<'a> {
    scanner: Scanner<'a>,
    depth: u32,
    deepest: u32,
    left: Allowance,
    /// Nodes of this document so far, and how many of them came through aliases.
    nodes: u32,
    aliased: u32,
    /// Events of the anchored nodes of this document, for their aliases to play again.
    tape: Vec<(Event<'a>, Span)>,
    /// Anchored nodes that have begun and not ended: while there are any, events go to the tape.
    open_anchors: u32,
    /// Where on the tape the node of each anchor lies, from the first anchor on; `None` while it has not ended.
    anchors: Vec<Option<std::ops::Range<usize>>>,
    /// Parts of the tape that are being played, the innermost last.
    playing: Vec<std::ops::Range<usize>>,
    /// A mistake has ended the reading: what is there is what stood before it.
    is_cut: bool,
}

impl<'a> Builder<'a> {
    /// `patience`: how many mistakes are gone over, with a text in the place of what is no value.
    pub(super) fn new(text: Text<'a>, limits: &Limits, left: Allowance, patience: usize) -> Result<Builder<'a>, Error> {
        Ok(Builder {
            scanner: Scanner::new(text, limits, patience)?,
            depth: 0,
            deepest: depth(limits),
            left,
            nodes: 0,
            aliased: 0,
            tape: Vec::new(),
            open_anchors: 0,
            anchors: Vec::new(),
            playing: Vec::new(),
            is_cut: false,
        })
    }

    /// Behind a document stands something that begins no other: it is not read.
    pub(super) fn leftover(&mut self) -> Option<Error> {
        if self.is_cut { None } else { self.scanner.next().err() }
    }

    /// A mistake has ended the reading.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// What was gone over, and whether the last of it ended the reading.
    pub(super) fn into_refused(self) -> (Vec<Error>, bool) {
        (self.scanner.into_refused(), self.is_cut)
    }

    /// The next document, if there is one.
    pub(super) fn document(&mut self) -> Result<Option<Node>, Error> {
        loop {
            match self.scanner.next()? {
                None => return Ok(None),
                Some((Event::DocumentStart, _)) => break,
                Some(_) => {}
            }
        }
        (self.nodes, self.aliased) = (0, 0);
        self.tape.clear();
        self.anchors.clear();
        let (event, span) = self.pull()?;
        let node = self.node(event, span)?;
        self.pull()?; // the end of the document
        Ok(Some(node))
    }

    /// What may still be made of the text's other documents.
    pub(super) fn left(&self) -> Allowance {
        self.left
    }

    /// The next event, from the tape if an alias is being played.
    fn pull(&mut self) -> Result<(Event<'a>, Span), Error> {
        if let Some(event) = self.playing.last_mut().and_then(Iterator::next).and_then(|at| self.tape.get(at)) {
            return Ok(event.clone());
        }
        if self.is_cut {
            return Ok((Event::Cut, Span::default()));
        }
        let next = match self.scanner.next() {
            Err(error) if !self.scanner.is_strict() => {
                self.is_cut = true;
                self.scanner.end_with(error);
                return Ok((Event::Cut, Span::default()));
            }
            next => next?,
        };
        let Some((event, span)) = next else {
            return Err(Error::new(Code::YAML_SYNTAX, "the document ends too early"));
        };
        if self.open_anchors > 0 {
            self.tape.push((event.clone(), span));
        }
        Ok((event, span))
    }

    /// The node that begins with this event.
    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, Error> {
        self.count(&event, span)?;
        let anchor = match event {
            Event::Scalar { anchor, .. } | Event::SequenceStart { anchor } | Event::MappingStart { anchor } => anchor,
            _ => 0,
        };
        if anchor == 0 || !self.playing.is_empty() {
            return self.content(event, span);
        }
        if self.open_anchors == 0 {
            self.tape.push((event.clone(), span));
        }
        let start = self.tape.len() - 1;
        self.anchors.push(None);
        self.open_anchors += 1;
        let node = self.content(event, span)?;
        self.open_anchors -= 1;
        if let Some(part) = self.anchors.get_mut(anchor - 1) {
            *part = Some(start..self.tape.len());
        }
        Ok(node)
    }

    /// Counts a node before anything is made of it.
    fn count(&mut self, event: &Event<'a>, span: Span) -> Result<(), Error> {
        let Some(left) = self.left.nodes.checked_sub(1) else {
            return Err(error_at(Code::LIMIT_NODES, "the document has too many nodes", span));
        };
        self.left.nodes = left;
        self.nodes += 1;
        if self.playing.is_empty() {
            return Ok(());
        }
        self.aliased += 1;
        if self.aliased > 100 && self.nodes > 1000 && aliased_share(self.nodes) < self.aliased.into() {
            return Err(error_at(Code::LIMIT_ALIASES, "nearly all of the document comes from aliases", span));
        }
        if let Event::Scalar { text, .. } = event {
            let left = self.left.replayed.checked_sub(text.len() as u64);
            self.left.replayed = left.ok_or_else(|| {
                error_at(Code::LIMIT_ALIASES, "aliases stand for more text than a document may have", span)
            })?;
        }
        Ok(())
    }

    fn content(&mut self, event: Event<'a>, span: Span) -> Result<Node, Error> {
        match event {
            Event::Scalar { text, plain, tag, .. } => {
                let given = (plain || tag != Tag::None).then(|| text.clone());
                let data = match resolve(text, plain, tag) {
                    Ok(data) => data,
                    Err(message) => {
                        self.scanner.refuse(error_at(Code::YAML_TAG, message, span))?;
                        Data::String(given.clone().unwrap_or_default().into_owned())
                    }
                };
                let source = given.filter(|given| !shows(&data, given)).map(|given| given.into());
                Ok(Node { data, span, source })
            }
            Event::SequenceStart { .. } => self.nested(span, Self::sequence),
            Event::MappingStart { .. } => self.nested(span, Self::mapping),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Cut => Ok(Node::default()),
            _ => Err(error_at(Code::YAML_SYNTAX, "a value is missing", span)),
        }
    }

    fn nested(
        &mut self,
        start: Span,
        read: impl FnOnce(&mut Self) -> Result<(Data, Span), Error>,
    ) -> Result<Node, Error> {
        if self.depth >= self.deepest {
            let message = format!("the document nests deeper than {} levels", self.deepest);
            return Err(error_at(Code::LIMIT_DEPTH, message, start).with("limit", self.deepest));
        }
        self.depth += 1;
        let (data, end) = read(self)?;
        self.depth -= 1;
        let span = Span { end: end.end, end_line: end.end_line, end_column: end.end_column, ..start };
        Ok(Node { data, span, source: None })
    }

    fn sequence(&mut self) -> Result<(Data, Span), Error> {
        let mut items = Vec::new();
        loop {
            match self.pull()? {
                (Event::SequenceEnd | Event::Cut, end) => return Ok((Data::Sequence(items), end)),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<(Data, Span), Error> {
        let mut pairs = Vec::new();
        loop {
            let (event, span) = match self.pull()? {
                (Event::MappingEnd | Event::Cut, end) => return Ok((Data::Mapping(distinct(pairs)), end)),
                key => key,
            };
            if is_merge(&event) {
                self.merged(&mut pairs)?;
                continue;
            }
            let key = self.node(event, span)?;
            let text = match key_text(key) {
                Ok(text) => Some(text),
                Err(_) if self.is_cut => None,
                Err(error) => self.scanner.refuse(error).map(|()| None)?,
            };
            let (event, value_span) = self.pull()?;
            let value = self.node(event, value_span)?;
            pairs.extend(text.map(|key| Pair { key, place: span, value, merged: false }));
        }
    }

    /// The value of `<<`: a mapping, an alias of one, or a list of these, of which earlier ones win.
    fn merged(&mut self, pairs: &mut Vec<Pair>) -> Result<(), Error> {
        let (event, span) = self.pull()?;
        let may_be_list = matches!(event, Event::SequenceStart { .. });
        let is_unknown = matches!(&event, Event::Scalar { text, plain: false, .. } if text.starts_with('*'));
        let mappings: Option<Vec<Mapping>> = match self.node(event, span)?.data {
            Data::Mapping(mapping) => Some(vec![mapping]),
            Data::Sequence(items) if may_be_list => {
                let mapping = |item: Node| match item.data {
                    Data::Mapping(mapping) => Some(mapping),
                    _ => None,
                };
                items.into_iter().rev().map(mapping).collect()
            }
            _ => None,
        };
        let Some(mappings) = mappings else {
            // An alias without an anchor was refused already.
            return if is_unknown || self.is_cut { Ok(()) } else { self.scanner.refuse(no_mapping(span)) };
        };
        let all = mappings.into_iter().flat_map(|mapping| mapping.pairs);
        pairs.extend(all.map(|(key, place, value)| Pair { key, place, value, merged: true }));
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, Error> {
        let Some(part) = self.anchors.get(anchor - 1).cloned().flatten() else {
            self.scanner.refuse(error_at(Code::YAML_ALIAS, "the anchor's value contains itself", span))?;
            return Ok(Node { data: Data::String(String::new()), span, source: None });
        };
        self.playing.push(part);
        let (event, span) = self.pull()?;
        let node = self.node(event, span)?;
        self.playing.pop();
        Ok(node)
    }
}

/// How many of so many nodes may come from aliases: the rule of go-yaml v2, which permits nearly all of a small
/// document and few of a big one.
fn aliased_share(nodes: u32) -> f64 {
    let grown = (f64::from(nodes) - 400_000.0) / 3_600_000.0;
    f64::from(nodes) * (0.99 - 0.89 * grown.clamp(0.0, 1.0))
}

fn no_mapping(span: Span) -> Error {
    error_at(Code::YAML_MERGE, "the value of << is neither a mapping nor a list of mappings", span)
}

fn is_merge(key: &Event<'_>) -> bool {
    match key {
        Event::Scalar { text, plain, tag, .. } => {
            text == "<<" && (*plain && *tag == Tag::None || matches!(tag, Tag::NonSpecific | Tag::Merge))
        }
        _ => false,
    }
}

/// The text that stands for a key in JSON.
fn key_text(key: Node) -> Result<String, Error> {
    Ok(match key.data {
        Data::String(text) => text,
        Data::Int(number) => number.to_string(),
        Data::Bool(flag) => flag.to_string(),
        Data::Float(number) => match float_text(number, Precision::Single).as_str() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        },
        Data::Null | Data::Uint(_) | Data::Sequence(_) | Data::Mapping(_) => {
            let message = format!("a key must be a text or a smaller number, not {}", key.describe());
            return Err(error_at(Code::YAML_KEY, message, key.span));
        }
    })
}

/// The value, printed in the plainest way, reads as in the source.
fn shows(data: &Data, source: &str) -> bool {
    match data {
        Data::Null => source.is_empty() || source == "null",
        Data::Bool(flag) => source == if *flag { "true" } else { "false" },
        Data::Int(number) => source == number.to_string(),
        Data::Uint(number) => source == number.to_string(),
        Data::Float(number) => is_plain(source, *number),
        Data::String(text) => source == text,
        Data::Sequence(_) | Data::Mapping(_) => true,
    }
}

struct Pair {
    key: String,
    place: Span,
    value: Node,
    /// Through `<<`.
    merged: bool,
}

/// Of equal keys the last stands, in the place of the first.
fn distinct(pairs: Vec<Pair>) -> Mapping {
    let mut mapping = Mapping { pairs: Vec::with_capacity(pairs.len()), duplicates: Vec::new() };
    let homes = homes(pairs.len(), &|at| &pairs[at].key);
    let mut slots: Vec<Option<Pair>> = Vec::with_capacity(pairs.len());
    for (pair, home) in pairs.into_iter().zip(homes) {
        let (later_is_merged, later) = (pair.merged, pair.place);
        match slots.get_mut(home) {
            Some(slot) => {
                mapping.duplicates.extend(slot.replace(pair).map(|earlier| Duplicate {
                    key: earlier.key,
                    place: if earlier.merged { later } else { earlier.place },
                    is_merged: earlier.merged || later_is_merged,
                }));
                slots.push(None);
            }
            None => slots.push(Some(pair)),
        }
    }
    mapping.pairs.extend(slots.into_iter().flatten().map(|pair| (pair.key, pair.place, pair.value)));
    mapping
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse_values;

    fn read(text: &str, limits: &Limits) -> Result<Vec<Node>, Error> {
        parse_values(text.as_bytes(), limits)
    }

    #[test]
    fn what_aliases_stand_for_is_counted_in_bytes_in_all_documents_together() {
        let limits = Limits { document: 1000, ..Limits::default() };
        let text = |aliases: usize| format!("a: &a {}\nb: [{}]\n", "x".repeat(100), "*a, ".repeat(aliases));
        assert!(read(&text(10), &limits).is_ok());
        assert_eq!(read(&text(11), &limits).unwrap_err().code(), Code::LIMIT_ALIASES);
        let two = text(6) + "---\n";
        assert_eq!(read(&two.repeat(2), &limits).unwrap_err().code(), Code::LIMIT_ALIASES);
        // Keys of mappings that are merged count as well.
        let merges = format!("a: &a {{{}: 1}}\n{}", "k".repeat(100), "- {<<: *a}\n".repeat(11).replace('-', "? x\n:"));
        let merges = merges.replace("? x", "b: &b 1\n? x");
        assert_eq!(read(&merges, &limits).unwrap_err().code(), Code::LIMIT_ALIASES);
    }

    #[test]
    fn ten_thousand_documents_are_merged_as_fast_as_they_are_read() {
        let keys: String = (0..10_000).map(|at| format!("k{at}: 1\n")).collect();
        let documents = read(&(keys + &"---\na: 1\n".repeat(10_000)), &Limits::default()).unwrap();
        let merged = merge(documents);
        assert_eq!(merged.as_mapping().map(|mapping| mapping.pairs.len()), Some(10_001));
    }

    #[test]
    fn a_later_value_of_another_kind_replaces_all_that_stands_before_it() {
        let merged = |text: &str| merge(read(text, &Limits::default()).unwrap());
        let plain = |text: &str| read(text, &Limits::default()).unwrap().remove(0);
        let values = |node: &Node| crate::chart::to_json(node).to_string();
        for (text, expected) in [
            ("a: {b: 1}\n---\na: 2\n---\na: {c: 3}\n", "a: {c: 3}"),
            ("a: {b: 1}\n---\na: {c: 3}\n---\na: [2]\n", "a: [2]"),
            ("b: 1\n---\na: {b: {c: 1}}\n---\na: {b: {d: 2}}\nb: 3\n", "b: 3\na: {b: {c: 1, d: 2}}"),
        ] {
            assert_eq!(values(&merged(text)), values(&plain(expected)), "{text}");
        }
    }
}
