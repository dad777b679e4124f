//! A field belongs to one grant or to both: that of the other one is not there to be set.

use auth_oauth2::{AuthorizationCodeForm, ClientCredentialsForm};

fn main() {
    let _ = ClientCredentialsForm::new().with_consumer_secret("s");
    let _ = ClientCredentialsForm::new().with_callback_url("https://platform.example/callback");
    let _ = ClientCredentialsForm::new().with_authorization_url("https://login.example/authorize");
    let _ = AuthorizationCodeForm::new().with_client_id("me");
    let _ = AuthorizationCodeForm::new().with_client_secret("s");
}
