//! Every suite there is. A new one is an entry here:
//!
//! ```text
//! Suite { name: "basic-curl", scheme: "Basic", source: "curl", run: curl::basic },
//! ```

use super::Suite;

pub(super) const SUITES: &[Suite] = &[];
