//! Rules for the config blob: those of Chart.yaml.

use super::chart_yaml::{self, Setting};
use super::page::Page;
use crate::chart::Metadata;
use crate::chart::decode::{self, Document};
use crate::json;
use crate::limits::Limits;

/// All that is wrong with a config; and what it says, if it would do as a Chart.yaml.
pub(super) fn check<'a>(mut page: Page<'a>, limits: &Limits) -> (Page<'a>, Option<Metadata>) {
    let parsed = match json::parse(page.text, limits.config) {
        Ok(parsed) => parsed,
        Err(error) => {
            page.fail(&error);
            return (page, None);
        }
    };
    page.repeated(&parsed.duplicates);
    let documents = [Document { name: "config", node: decode::node(parsed.value) }];
    let (metadata, is_whole, report) = Metadata::examine(&documents, false);
    page.extend(report);
    let [Document { node, .. }] = &documents;
    if node.as_mapping().is_some() {
        chart_yaml::rules(&mut page, node, false, &Setting { is_config: true, ..Setting::default() });
    }
    (page, is_whole.then_some(metadata))
}
