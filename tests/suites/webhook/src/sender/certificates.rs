//! nginx as the receiver, which asks for client certificates.

use super::{Stage, case, hub_signer, receipt, text};
use auth_core::Error;
use auth_outbound::{ClientIdentity, Routes, TlsSettings};
use auth_reqwest::ReqwestTransport;
use auth_webhook::{Subscription, TenantId, WebhookUrl};
use conformance::{Compared, NotStarted, Place, Settings, Started, compare};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A server that runs until it is dropped, and the authority of its clients.
pub struct Nginx {
    base: String,
    log: PathBuf,
    authority: Authority,
    stranger: Authority,
    _started: Started,
}

impl Nginx {
    pub fn start(settings: &Settings) -> Result<Self, NotStarted> {
        let program = settings.peer("nginx")?;
        let place = Place::prepare(settings, "webhook-nginx")?;
        let (folder, port) = (place.folder.display().to_string(), place.port);
        let (authority, stranger) = (authority()?, authority()?);
        let (certificate, key) = issued(&authority, "127.0.0.1")?;
        place.write("server.pem", certificate)?;
        place.write("server.key", key)?;
        place.write("clients.pem", authority.pem())?;
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|name| format!("{name}_temp_path {folder}/{name};\n"))
            .collect();
        let token = r#"{"access_token":"t0ken","token_type":"Bearer"}"#;
        let configuration = format!(
            "daemon off;\npid {folder}/pid;\nerror_log stderr;\nworker_processes 1;\n\
             events {{ worker_connections 64; }}\nhttp {{\n{temporary}\
             log_format said '$status $uri [$ssl_client_s_dn] [$http_authorization] [$http_x_hub_signature]';\n\
             access_log {folder}/said said;\ndefault_type application/json;\nserver {{\n\
             listen 127.0.0.1:{port} ssl;\nssl_certificate {folder}/server.pem;\n\
             ssl_certificate_key {folder}/server.key;\nssl_client_certificate {folder}/clients.pem;\n\
             ssl_verify_client on;\nlocation / {{ return 200 taken; }}\n\
             location /token {{ return 200 '{token}'; }}\n}}\n}}\n"
        );
        let (base, log) = (format!("https://127.0.0.1:{port}"), place.folder.join("said"));
        let started = place.start(&configuration, |file| {
            let mut command = Command::new(program);
            command.arg("-c").arg(file);
            command
        })?;
        Ok(Self { base, log, authority, stranger, _started: started })
    }

    pub async fn cases(&self) -> Vec<Compared> {
        let mut cases = Vec::new();
        if let Err(why) = self.run(&mut cases).await {
            cases.push(compare("start", "started", why));
        }
        cases
    }

    async fn run(&self, cases: &mut Vec<Compared>) -> Result<(), String> {
        let stage = self.stage()?;
        let none = |certificate: &str| json!({ "type": "none", "client_certificate": certificate });
        let basic = json!({
            "type": "basic", "username": "u", "password": "p", "client_certificate": "acme-2026",
        });
        let tokens = json!({
            "type": "oauth2", "grant_type": "client_credentials", "client_id": "acme", "client_secret": "s3cret",
            "access_token_url": format!("{}/token", self.base), "client_certificate": "acme-2026",
        });
        let good = "delivered after 1: delivered 200";
        let taken = format!("{good}; 200 /hook [CN=acme-2026]");
        let no_certificate = "ended after 1: ended 400; 400 /hook";
        for (id, authorization, expected) in [
            ("good", none("acme-2026"), format!("{taken} [-] signed")),
            (
                "other-of-the-tenant",
                none("acme-2027"),
                format!("{good}; 200 /hook [CN=acme-2027] [-] signed"),
            ),
            ("and-again", none("acme-2026"), format!("{taken} [-] signed")),
            ("with-basic", basic, format!("{taken} [Basic dTpw] signed")),
            (
                "with-a-token",
                tokens,
                format!(
                    "{good}; 200 /token [CN=acme-2026] [-] unsigned, 200 /hook [CN=acme-2026] [Bearer t0ken] signed"
                ),
            ),
            ("without", json!({ "type": "none" }), format!("{no_certificate} [-] [-] signed")),
            (
                "of-another-authority",
                none("stranger"),
                format!("{no_certificate} [CN=stranger] [-] signed"),
            ),
            ("unknown-name", none("nobody"), "conformance_certificate; ".into()),
        ] {
            cases.push(case(id, &expected, self.delivered(&stage, id, authorization)).await);
        }
        let run = async {
            stage.subscribe("edited", &format!("{}/hook", self.base), none("acme-2026"))?;
            stage.deliver("edited", receipt()).await?;
            let before = self.said(0).len();
            let other = serde_json::from_value(none("acme-2027")).map_err(text)?;
            let by = auth_webhook::ConfiguredBy::Tenant;
            stage.acme.edit("edited", other, by).map_err(text)?;
            let end = stage.deliver("edited", receipt()).await?;
            Ok(format!("{end}; {}", self.said(before).join(", ")))
        };
        let expected = format!("{good}; 200 /hook [CN=acme-2027] [-] signed");
        cases.push(case("changed-by-an-edit", &expected, run).await);
        let run = async {
            let url = WebhookUrl::parse(&format!("{}/hook", self.base)).map_err(text)?;
            let bare = Subscription::webhook(url).signed_by(hub_signer()?);
            stage.acme.subscribe("bare", bare).map_err(text)?;
            let before = self.said(0).len();
            let end = stage.deliver("bare", receipt()).await?;
            Ok(format!("{end}; {}", self.said(before).join(", ")))
        };
        let expected = format!("{no_certificate} [-] [-] signed");
        cases.push(case("under-no-authorization", &expected, run).await);
        Ok(())
    }

    /// Each certificate by its name; all tenants trust this server alone.
    fn stage(&self) -> Result<Stage, String> {
        let tls = TlsSettings::trusting_only(self.authority.pem().as_bytes()).map_err(text)?;
        let handle = Handle::current();
        let builder = move || {
            ReqwestTransport::builder(handle.clone()).allowing_loopback().with_tls(tls.clone())
        };
        let routes = Routes::new(builder().build().map_err(text)?, 100, move |_, _| builder());
        let mut known = Vec::new();
        for (name, authority) in [
            ("acme-2026", &self.authority),
            ("acme-2027", &self.authority),
            ("stranger", &self.stranger),
        ] {
            let (certificate, key) = issued(authority, name)?;
            let identity = ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes());
            known.push((name, identity.map_err(text)?));
        }
        Stage::over(move |tenant: &TenantId, certificate: Option<&str>| {
            let identity = match certificate {
                None => None,
                Some(asked) => {
                    let found = known.iter().find(|(name, _)| *name == asked);
                    let unknown = || Error::config("conformance_certificate", "unknown name");
                    Some(found.ok_or_else(unknown)?.1.clone())
                }
            };
            Ok(routes.for_connection(tenant.clone(), identity))
        })
    }

    async fn delivered(&self, stage: &Stage, id: &str, how: Value) -> Result<String, String> {
        let before = self.said(0).len();
        let subscribed = stage.subscribe(id, &format!("{}/hook", self.base), how);
        let end = match subscribed {
            Ok(()) => stage.deliver(id, receipt()).await?,
            Err(why) => why,
        };
        Ok(format!("{end}; {}", self.said(before).join(", ")))
    }

    /// The lines of its log behind so many, without what each signature says.
    fn said(&self, before: usize) -> Vec<String> {
        let read = || {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let line = |line: &str| match line.split_once(" [sha256=") {
                Some((line, _)) => format!("{line} signed"),
                None => line.replace(" [-] [-]", " [-] unsigned"),
            };
            log.lines().skip(before).map(line).collect::<Vec<_>>()
        };
        let begun = Instant::now();
        let mut lines = read();
        // It writes a line when it has answered.
        while begun.elapsed() < Duration::from_millis(150) {
            std::thread::sleep(Duration::from_millis(30));
            lines = read();
        }
        lines
    }
}

fn authority() -> Result<Authority, String> {
    let mut params = CertificateParams::new([]).map_err(text)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(text)?).map_err(text)
}

/// A certificate for this name and its key, as PEM.
fn issued(authority: &Authority, name: &str) -> Result<(String, String), String> {
    let key = KeyPair::generate().map_err(text)?;
    let mut params = CertificateParams::new([name.to_owned()]).map_err(text)?;
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.signed_by(&key, authority).map_err(text)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
