//! The other end: log-ins judged, as a pod and a key manager do, and common JWTs.

mod answer;
mod certificate_user;
mod common_jwt;
mod endpoint;
mod lifetime;

pub use answer::LogInAnswer;
pub use certificate_user::certificate_user;
pub use common_jwt::CommonJwtVerifier;
pub use endpoint::{LogInEndpoint, TokenIssuer, TokenName};
pub use lifetime::TokenLifetime;
