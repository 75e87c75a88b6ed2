//! .helmignore (Helm 4.3, `pkg/ignore`), quirks included.

use crate::error::Error;

/// Which files do not belong to a chart.
#[derive(Clone, Debug, Default)]
pub struct Ignore {}

impl Ignore {
    /// Reads the patterns; the built-in `templates/.?*` is added.
    ///
    /// # Errors
    /// `**`, or a pattern that is malformed.
    pub fn parse(text: &str) -> Result<Ignore, Error> {
        let _ = text;
        todo!()
    }
    /// The path (below the chart's root) is ignored.
    pub fn matches(&self, path: &str, is_dir: bool) -> bool {
        let _ = (path, is_dir);
        todo!()
    }
}
