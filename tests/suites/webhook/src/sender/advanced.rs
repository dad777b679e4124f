//! The advanced settings of OAuth 2.0: the token request as it arrives, in every combination.

use super::{Stage, case, receipt, recording::Recording};
use conformance::Compared;
use http::Response;
use serde_json::{Value, json};

pub async fn cases() -> Result<Vec<Compared>, String> {
    let server = Recording::open(|request| {
        let token = r#"{"access_token":"t0ken","token_type":"Bearer","expires_in":60}"#;
        let is_token = request.uri.path() == "/token";
        let body = if is_token { token } else { "taken" };
        let made = Response::builder().header("content-type", "application/json");
        made.body(body.to_owned()).unwrap_or_default()
    });
    let server = server.await?;
    let stage = Stage::on_this_machine()?;
    let mut cases = Vec::new();
    for is_enabled in [true, false] {
        for method in ["POST", "GET"] {
            for place in ["body", "url"] {
                for headers in [false, true] {
                    for client in ["body", "basic"] {
                        let id = format!(
                            "{}{}-{place}-{client}{}",
                            if is_enabled { "" } else { "off-" },
                            method.to_ascii_lowercase(),
                            if headers { "-headers" } else { "" },
                        );
                        let typed = if headers {
                            json!({ "X-Tenant": "seven", "x-flag": "on" })
                        } else {
                            json!({})
                        };
                        let advanced = json!({
                            "enabled": is_enabled, "access_token_url_method": method,
                            "access_token_url_parameter_type": place, "allow_secrets_in_url": true,
                            "access_token_url_headers": typed,
                        });
                        let authorization = authorization(&server, client, advanced);
                        let (method, place, headers) = if is_enabled {
                            (method, place, headers)
                        } else {
                            ("POST", "body", false)
                        };
                        let expected = format!(
                            "delivered after 1: delivered 200; {}; Bearer t0ken",
                            expected(method, place, client, headers)
                        );
                        let run = async {
                            stage.subscribe(
                                &id,
                                &format!("{}/hook", server.base),
                                authorization,
                            )?;
                            let end = stage.deliver(&id, receipt()).await?;
                            Ok(format!("{end}; {}", arrived(&server)?))
                        };
                        cases.push(case(&id, &expected, run).await);
                    }
                }
            }
        }
    }
    let refused = json!({ "enabled": true, "access_token_url_parameter_type": "url" });
    let run = async {
        stage.subscribe("url-refused", &server.base, authorization(&server, "body", refused))?;
        Ok("saved".into())
    };
    cases.push(case("secrets-in-url-unless-allowed", "oauth2_form_secret_in_url", run).await);
    Ok(cases)
}

fn authorization(server: &Recording, client: &str, advanced: Value) -> Value {
    json!({
        "type": "oauth2", "grant_type": "client_credentials", "client_id": "acme", "client_secret": "s:3&cret",
        "access_token_url": format!("{}/token", server.base), "scope": "a b",
        "client_authentication": client, "advanced_settings": advanced,
    })
}

/// What a token request has: method, query, type of the body, the client's credentials, typed fields, body.
fn expected(method: &str, place: &str, client: &str, headers: bool) -> String {
    let in_parameters =
        if client == "body" { "&client_id=acme&client_secret=s%3A3%26cret" } else { "" };
    let parameters = format!("grant_type=client_credentials&scope=a+b{in_parameters}");
    let (query, kind, body) = match place {
        "url" => (&*parameters, "", ""),
        _ => ("", "application/x-www-form-urlencoded", &*parameters),
    };
    // What form-encoding and Base64 make of the pair.
    let basic = if client == "basic" { "Basic YWNtZTpzJTNBMyUyNmNyZXQ=" } else { "" };
    let typed = if headers { "seven on" } else { " " };
    format!("{method} [{query}] [{kind}] [{basic}] [{typed}] [{body}]")
}

/// The token request, and the credentials of the delivery.
fn arrived(server: &Recording) -> Result<String, String> {
    let arrived = server.arrived();
    let [token, hook] = &*arrived else { return Err(format!("{} arrived", arrived.len())) };
    Ok(format!(
        "{} [{}] [{}] [{}] [{} {}] [{}]; {}",
        token.method,
        token.uri.query().unwrap_or_default(),
        token.field("content-type"),
        token.field("authorization"),
        token.field("x-tenant"),
        token.field("x-flag"),
        token.body,
        hook.field("authorization"),
    ))
}
