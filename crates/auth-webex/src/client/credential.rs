//! The credentials of services and apps.

use super::Shared;
use auth_core::{Context, Error, Result};
use auth_jwt::{JwsAlgorithm, JwtAuthenticator, SigningKey, profiles};
use auth_session::Session;
use auth_static::{ApiKey, Bearer, Placement};
use std::{fmt, sync::Arc};

/// What a service proves itself with: its key, or a JWT that its secret signs.
#[derive(Clone)]
pub struct ServiceCredential {
    pub(super) in_its_field: Shared,
    /// As the sandbox wants it.
    pub(super) as_bearer: Shared,
    kind: &'static str,
}

/// What an app proves itself with: a JWT that its secret or its private key signs.
#[derive(Clone)]
pub struct AppCredential {
    pub(super) app_id: Box<str>,
    pub(super) token: Shared,
}

impl ServiceCredential {
    /// The service key, in the field `key`.
    ///
    /// # Errors
    ///
    /// Those of [`ApiKey::new`].
    pub fn key(service_key: &str) -> Result<Self> {
        let in_its_field: Shared = Arc::new(ApiKey::new(Placement::header("key")?, service_key)?);
        Ok(Self { in_its_field, as_bearer: Arc::new(Bearer::new(service_key)?), kind: "key" })
    }

    /// A JWT of the service, as Bearer: HS256 under the Service Secret, whose Base64 is decoded, with the Service ID as `iss`.
    /// It is kept for most of its hour, and made anew when the platform refuses it.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the Service ID is empty, or the secret is no Base64 or shorter than HS256 needs.
    pub fn jwt(service_id: &str, secret: &str, context: Context) -> Result<Self> {
        if service_id.trim().is_empty() {
            let text = "Service ID is empty; copy it from the API tab of the service";
            return Err(Error::config("webex_service_id", text));
        }
        let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, secret)?;
        let claims = profiles::webex_service_claims(service_id);
        let signer = JwtAuthenticator::new(key, claims, Arc::clone(&context.clock));
        let token: Shared = Arc::new(Session::new(signer, context));
        Ok(Self { in_its_field: Arc::clone(&token), as_bearer: token, kind: "jwt" })
    }
}

impl AppCredential {
    /// A JWT under the secret of an app asset (HS256), as its Base64 stands in the app's configuration; with the app's id as
    /// `appId`, and the user's as `userId` where a resource belongs to a user.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the app's id is empty or has other characters than letters and digits, or the secret is no
    /// Base64 or shorter than HS256 needs.
    pub fn from_secret(
        app_id: &str,
        secret: &str,
        user_id: Option<&str>,
        context: Context,
    ) -> Result<Self> {
        let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, secret)?;
        Self::signed_by(key, None, app_id, user_id, context)
    }

    /// A JWT under the private key of an app asset (RS256), whose public key the platform has under this `kid`.
    ///
    /// # Errors
    ///
    /// Those of [`from_secret`](Self::from_secret), and of [`SigningKey::from_pem`].
    pub fn from_private_key(
        app_id: &str,
        pem: &str,
        kid: &str,
        user_id: Option<&str>,
        context: Context,
    ) -> Result<Self> {
        let key = SigningKey::from_pem(JwsAlgorithm::RS256, pem)?;
        Self::signed_by(key, Some(kid), app_id, user_id, context)
    }

    fn signed_by(
        key: SigningKey,
        kid: Option<&str>,
        app_id: &str,
        user_id: Option<&str>,
        context: Context,
    ) -> Result<Self> {
        if app_id.is_empty() || !app_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let text = "app id is empty or has other characters than letters and digits; copy it from the app asset";
            return Err(Error::config("webex_app_id", text));
        }
        let mut claims = profiles::webex_app_claims(app_id)?;
        if let Some(user) = user_id {
            claims = claims.with_claim("userId", &user)?;
        }
        if let Some(kid) = kid {
            claims = claims.with_key_id(kid)?;
        }
        let signer = JwtAuthenticator::new(key, claims, Arc::clone(&context.clock));
        Ok(Self { app_id: app_id.into(), token: Arc::new(Session::new(signer, context)) })
    }
}

impl fmt::Debug for ServiceCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceCredential({})", self.kind)
    }
}

impl fmt::Debug for AppCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppCredential({:?})", self.app_id)
    }
}
