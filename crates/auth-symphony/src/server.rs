//! The other end: log-ins judged, as a pod and a key manager do.

mod answer;
mod certificate_user;
mod endpoint;
mod lifetime;

pub use answer::LogInAnswer;
pub use certificate_user::certificate_user;
pub use endpoint::{LogInEndpoint, TokenIssuer, TokenName};
pub use lifetime::TokenLifetime;
