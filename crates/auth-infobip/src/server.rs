//! The platform's end: authorization server and resource server in one, over a registry of credentials.
//!
//! It knows no server framework: endpoints read a request and give a whole answer, and the door is a verifier.

mod accounts;
mod answer;
mod api_keys;
mod dates;
mod door;
mod platform;
mod request;
mod scopes;
mod sessions;
mod token_endpoint;
mod tokens;
mod users;

pub use answer::PlatformAnswer;
pub use api_keys::ApiKeyEndpoint;
pub use door::InfobipDoor;
pub use platform::InfobipPlatform;
pub use scopes::EVERY_SCOPE;
pub use sessions::RegistrySessions;
pub use token_endpoint::OAuthTokenEndpoint;
pub use tokens::OAuthTokens;
pub use users::InfobipUsers;

/// The realm of challenges.
const REALM: &str = "infobip";
