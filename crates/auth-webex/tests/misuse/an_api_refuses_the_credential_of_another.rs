//! The APIs of services, of the tenant and of apps are types of their own: none takes the credential of another.

use auth_webex::{AppApi, AppCredential, ServiceApi, TenantApi, Webex};

fn call(webex: Webex, app: AppCredential) {
    webex.tenant("profile key").unwrap().api(ServiceApi::MessagingV2);
    webex.service(app);
    webex.tenant("profile key").unwrap().api(AppApi::Threads);
    webex.app("service key");
    let _ = TenantApi::Profile;
}

fn main() {}
