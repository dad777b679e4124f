//! Four processes that share one refresh token of oidc-provider's, which takes none a second time.

use super::code::Flow;
use crate::{
    ours::{case, text},
    processes::{self, Shared, Step},
};
use conformance::Compared;
use std::fs;

impl Flow<'_> {
    /// One of the processes is killed at each step in turn.
    pub(super) async fn killed(&self) -> Vec<Compared> {
        let mut cases = Vec::new();
        for step in Step::ALL {
            let run = async {
                let grant = self.grant("client_secret_basic")?;
                let first = self.token(&grant).await?;
                let client = self.provider.client("web", "client_secret_basic").map_err(text)?;
                let folder = self.provider.folder.join(step.name());
                fs::create_dir_all(&folder).map_err(text)?;
                let shared = Shared {
                    folder,
                    token_endpoint: self.provider.token_endpoint(),
                    client_id: client.client_id().to_owned(),
                    secret: self.provider.secret.text().to_owned(),
                    kill_at: None,
                };
                processes::killed_at(shared, first, self.context, step).await
            };
            let id = format!("killed-{}", step.name());
            cases.push(case(&id, processes::expected(step), run).await);
        }
        cases
    }
}
