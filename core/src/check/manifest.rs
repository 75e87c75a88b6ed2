//! Rules for manifests and indexes of a registry; most of them stand where these are read.

use super::page::{Page, quoted};
use crate::artifact::{Artifact, CHART, LEGACY_CHART, PROVENANCE, What};
use crate::error::{Code, clip};
use crate::json::pointer_token;
use crate::limits::Limits;
use crate::oci::annotations;

/// All that is wrong with a manifest; and the manifest, if it is one.
pub(super) fn check<'a>(mut page: Page<'a>, limits: &Limits) -> (Page<'a>, Option<Artifact>) {
    let artifact = match Artifact::parse(page.text, limits) {
        Ok(artifact) => artifact,
        Err(error) => {
            match error.report() {
                Some(report) => page.extend(report.clone()),
                None => page.fail(&error),
            }
            return (page, None);
        }
    };
    page.extend(artifact.as_chart());
    if artifact.what() == What::Chart {
        for (at, layer) in artifact.layers().iter().enumerate() {
            if ![CHART, LEGACY_CHART, PROVENANCE].contains(&layer.media_type.as_str()) {
                let message = format!("the layer is of the type {}", clip(&layer.media_type));
                page.find(Code::ARTIFACT_UNKNOWN_LAYER, format!("/layers/{at}/mediaType"), None, message);
            }
        }
        if let Some(created) = artifact.annotations().get(annotations::CREATED) {
            let pointer = format!("/annotations/{}", pointer_token(annotations::CREATED));
            page.find(Code::ARTIFACT_CREATED, pointer, None, format!("it was made at {}", quoted(created)));
        }
    }
    (page, Some(artifact))
}
