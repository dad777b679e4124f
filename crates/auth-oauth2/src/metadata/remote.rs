//! Metadata that is fetched and kept.

use super::{AuthorizationServerMetadata, MetadataLocation};
use auth_core::{Context, Error, Flow, Lifespan, Renewal, Result, Timestamp, Token, TokenSource};
use auth_session::{Session, retry_after};
use http::{Response, StatusCode};
use std::{fmt, sync::Arc, time::Duration};

/// The metadata that one issuer publishes, fetched when it is first asked for and kept for a day.
///
/// The issuer is asked once for all callers, at the place of RFC 8414 and, where that is answered with 404, at the place of
/// OpenID Connect Discovery. When three to four fifths of the day are over it is asked again while the old metadata is
/// still used. When the issuer does not answer, what it said last is used until the day is over, and the issuer is asked
/// again after pauses of 1, 2, 4 and at most 60 seconds, or when it said. A fetch that has begun is seen through though its
/// caller gave up.
///
/// The context's observer is told of each fetch, and of each that failed, under the issuer's identifier.
///
/// A clone shares what is kept.
///
/// # Security
///
/// The issuer is yours, never one that a challenge or another server's metadata names. Metadata that is of another issuer
/// by a single letter is refused. An answer has at most 256 KiB. Where a secret may go is decided by
/// [`AuthorizationServerMetadata::registration`].
///
/// ```
/// use auth_oauth2::{ClientAuthentication, ClientCredentials, Context, RemoteAuthorizationServerMetadata};
/// # use auth_testing::ScriptedTransport;
/// # let transport = ScriptedTransport::new(|_| Ok(http::Response::new(
/// #     br#"{"issuer":"https://login.example","token_endpoint":"https://login.example/token"}"#.to_vec())));
/// # let context = Context::new(transport);
/// let issuer = "https://login.example";
/// let server = RemoteAuthorizationServerMetadata::new(issuer, context)?;
/// let client = ClientAuthentication::client_secret_post("acme", "s3cret")?.with_issuer(issuer);
/// let grant = ClientCredentials::new(server.metadata().wait()?.registration(client)?);
/// # Ok::<_, auth_oauth2::Error>(())
/// ```
#[derive(Clone)]
pub struct RemoteAuthorizationServerMetadata(Session<Publisher>);

impl RemoteAuthorizationServerMetadata {
    /// How long metadata is used at most.
    pub const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

    /// The metadata of this issuer. Nothing is fetched before it is asked for.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the issuer identifier is none, as for [`AuthorizationServerMetadata::exchange`].
    pub fn new(issuer: &str, context: Context) -> Result<Self> {
        AuthorizationServerMetadata::exchange(issuer, MetadataLocation::OAuth)?;
        let session = Session::new(Publisher { issuer: issuer.into() }, context);
        Ok(Self(session.with_name(issuer)))
    }

    /// The issuer identifier, as it was given.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.source().issuer
    }

    /// The metadata.
    ///
    /// # Errors
    ///
    /// When there is none that is not too old: `Error::Unavailable` when the issuer is asked too often or says that it is
    /// down; else those of the transport and of [`AuthorizationServerMetadata::read`].
    pub fn metadata(&self) -> Flow<'_, Arc<AuthorizationServerMetadata>> {
        self.0.token().map(|current| current.token.metadata)
    }
}

/// Where it is fetched.
struct Publisher {
    issuer: Box<str>,
}

#[derive(Clone)]
struct Published {
    metadata: Arc<AuthorizationServerMetadata>,
    ends: Timestamp,
}

impl Token for Published {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Until(self.ends)
    }
}

impl TokenSource for Publisher {
    type Token = Published;

    fn token<'a>(&'a self, context: &'a Context, _: Renewal<Published>) -> Flow<'a, Published> {
        Flow::new(async move {
            let mut answer = self.fetch(MetadataLocation::OAuth, context).await?;
            if answer.status() == StatusCode::NOT_FOUND {
                answer = self.fetch(MetadataLocation::OpenId, context).await?;
            }
            let now = context.clock.now();
            if matches!(
                answer.status(),
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
            ) {
                let wait = retry_after(answer.headers(), now);
                let text = format!("metadata of the issuer: status {}", answer.status().as_u16());
                return Err(Error::unavailable("oauth2_metadata_unavailable", wait, text));
            }
            let metadata = AuthorizationServerMetadata::read(&answer, &self.issuer)?;
            let ends = now.after(RemoteAuthorizationServerMetadata::LIFETIME);
            Ok(Published { metadata: Arc::new(metadata), ends })
        })
    }
}

impl Publisher {
    fn fetch<'a>(
        &'a self,
        location: MetadataLocation,
        context: &'a Context,
    ) -> Flow<'a, Response<Vec<u8>>> {
        match AuthorizationServerMetadata::exchange(&self.issuer, location) {
            Ok(exchange) => context.transport.fetch(exchange),
            Err(error) => Flow::failed(error),
        }
    }
}

impl fmt::Debug for RemoteAuthorizationServerMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteAuthorizationServerMetadata({:?})", self.issuer())
    }
}
