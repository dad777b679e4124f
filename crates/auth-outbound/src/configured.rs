//! A transport that reaches each origin as a configuration says it.

use crate::{ClientIdentity, Proxy, TransportBuilder};
use auth_core::{Error, Exchange, Flow, Origin, Result, RouteSettings, Secret, Transport};
use http::Response;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// One transport for each origin that the settings name, each with a proxy, authorities, a client certificate and a deadline
/// of its own: what is sent goes to the one of its origin.
///
/// `begin` begins each of them, and decides what the settings do not: to which addresses beside public ones connections are
/// made, for example. Authorities of the settings are added to those that `begin` trusts. What is sent to any other origin
/// goes as `begin` has it.
///
/// A program that has several identities makes a transport for each; one that sends for many tenants takes
/// [`Routes`](crate::Routes).
///
/// # Errors
///
/// `Error::Config` when settings cannot be followed: a proxy that is no URL (`outbound_proxy`), authorities or a certificate
/// that cannot be read (`tls_certificate`, `tls_client_key`), PKCS#12 without the feature `pkcs12`
/// (`outbound_pkcs12`) or that cannot be read (`tls_pkcs12_*`), one origin twice
/// (`outbound_route_twice`).
///
/// # Security
///
/// No pooled connection and no resumed TLS session is shared by two of the transports. The settings are the operator's: so a
/// proxy that they name is trusted to resolve the host that is reached through it, see
/// [`Proxy::trusting_its_address_filter`].
///
/// ```
/// # use auth_core::Exchange;
/// # use auth_outbound::TransportBuilder;
/// # use auth_testing::ScriptedTransport;
/// # use http::{Request, Response};
/// # fn adapter() -> TransportBuilder<ScriptedTransport> {
/// #     TransportBuilder::new(|_| Ok(ScriptedTransport::new(|_| Ok(Response::new(b"token".to_vec())))))
/// # }
/// use auth_core::RouteSettings;
/// use auth_outbound::configured_transport;
/// let mut route = RouteSettings::new("https://login.example".parse()?);
/// route.deadline = Some(std::time::Duration::from_secs(60));
/// // `adapter` is `auth_ureq::UreqTransport::builder`, or `move || auth_reqwest::ReqwestTransport::builder(handle.clone())`.
/// let transport = configured_transport([route], adapter)?;
/// # let request = Request::post("https://login.example/token").body(Vec::new()).unwrap();
/// # assert_eq!(transport.fetch(Exchange::new(request)).wait()?.body(), b"token");
/// # Ok::<_, auth_core::Error>(())
/// ```
pub fn configured_transport<T: Transport + 'static>(
    settings: impl IntoIterator<Item = RouteSettings>,
    begin: impl Fn() -> TransportBuilder<T>,
) -> Result<Arc<dyn Transport>> {
    let mut by_origin = HashMap::new();
    for settings in settings {
        let made = begin().configured(&settings)?.build()?;
        if by_origin.insert(settings.origin.clone(), made).is_some() {
            let text =
                format!("{} has settings twice, expected them once for an origin", settings.origin);
            return Err(Error::config("outbound_route_twice", text));
        }
    }
    Ok(Arc::new(Configured { by_origin, other: begin().build()? }))
}

struct Configured<T> {
    by_origin: HashMap<Origin, T>,
    /// For all other origins; it passes time and runs work, too.
    other: T,
}

impl<T: Transport> Transport for Configured<T> {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        match Origin::of(request.request().uri()) {
            Ok(origin) => self.by_origin.get(&origin).unwrap_or(&self.other).fetch(request),
            Err(error) => Flow::failed(error),
        }
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        self.other.pause(duration)
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        self.other.detach(work)
    }
}

impl<T> TransportBuilder<T> {
    fn configured(mut self, settings: &RouteSettings) -> Result<Self> {
        if let Some(pem) = &settings.authorities {
            self = self.with_authorities(pem)?;
        }
        if let Some(file) = &settings.certificate {
            let password = settings.certificate_password.as_deref();
            self = self.with_identity(identity(file, password)?);
        }
        if let Some(url) = &settings.proxy {
            let url = url.expose_text().ok_or_else(|| {
                Error::config("outbound_proxy", "proxy is no text, expected a URL")
            })?;
            self = self.with_proxy(Proxy::new(url)?.trusting_its_address_filter());
        }
        Ok(match settings.deadline {
            Some(limit) => self.with_deadline(limit),
            None => self,
        })
    }
}

/// The identity in a file that has certificate and key.
fn identity(file: &Secret, password: Option<&Secret>) -> Result<ClientIdentity> {
    match password {
        None => ClientIdentity::from_pem(file.expose(), file.expose()),
        #[cfg(feature = "pkcs12")]
        Some(password) => ClientIdentity::from_pkcs12(file.expose(), password),
        #[cfg(not(feature = "pkcs12"))]
        Some(_) => {
            let text = "client certificate has a password, so it is PKCS#12, which is read with the feature pkcs12 alone; \
                        switch it on, or convert the file with `openssl pkcs12 -in bot.p12 -nodes -out bot.pem`, name \
                        that file, and leave the password out";
            Err(Error::config("outbound_pkcs12", text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_testing::ScriptedTransport;
    use http::Request;
    use rcgen::{CertificateParams, KeyPair};
    use std::sync::Mutex;

    type Made = Arc<Mutex<Vec<String>>>;

    /// Answers with the number of the transport, counting from 0; what each was built with is noted.
    fn begin(made: &Made) -> impl Fn() -> TransportBuilder<ScriptedTransport> + use<> {
        let made = Arc::clone(made);
        move || {
            let made = Arc::clone(&made);
            TransportBuilder::new(move |settings| {
                let mut made = made.lock().unwrap();
                let number = made.len();
                let proxy = settings.proxy.as_ref().map(|proxy| {
                    let field = proxy.authorization().map_or("", |field| field.to_str().unwrap());
                    format!("{} {field}", proxy.uri())
                });
                made.push(format!("{proxy:?} {:?} {:?}", settings.tls, settings.deadline));
                Ok(ScriptedTransport::new(move |_| {
                    Ok(Response::new(number.to_string().into_bytes()))
                }))
            })
        }
    }

    fn route(origin: &str) -> RouteSettings {
        RouteSettings::new(origin.parse().unwrap())
    }

    fn secret(text: impl Into<String>) -> Option<Arc<Secret>> {
        Some(Arc::new(Secret::from(text.into())))
    }

    fn identity() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn each_origin_has_a_transport_with_its_own_settings_and_others_one_without() {
        let (certificate, key) = identity();
        let mut whole = route("https://a.example:8443");
        whole.proxy = secret("http://me:pa%3Ass@proxy.example:3128");
        whole.authorities = Some(certificate.clone().into_bytes().into());
        whole.certificate = secret(certificate + &key);
        whole.deadline = Some(Duration::from_secs(60));
        let made = Made::default();
        let transport = configured_transport([whole, route("https://b.example")], begin(&made));
        let transport = transport.unwrap();
        let plain = "None TlsSettings(system Trusted, 0 more authorities, None) 10s";
        let expected = [
            "Some(\"http://proxy.example:3128/ Basic bWU6cGE6c3M=\") TlsSettings(system Trusted, 1 more \
             authorities, Some(ClientIdentity(1 certificates))) 60s",
            plain,
            plain,
        ];
        assert_eq!(*made.lock().unwrap(), expected);
        let asked = |url: &str| {
            let request = Request::get(url).body(Vec::new()).unwrap();
            transport.fetch(request.into()).wait().map_err(|error| error.code())
        };
        for (url, number) in [
            ("https://A.example:8443/p?q", b"0"),
            ("https://b.example/", b"1"),
            ("https://a.example/", b"2"),
            ("http://a.example:8443/", b"2"),
        ] {
            assert_eq!(asked(url).unwrap().body(), number, "{url}");
        }
        assert_eq!(asked("/relative").unwrap_err(), "origin_scheme");
    }

    #[track_caller]
    fn check(settings: impl IntoIterator<Item = RouteSettings>, code: &str, part: &str) {
        let error = configured_transport(settings, begin(&Made::default())).err().unwrap();
        let shown = format!("{error} {error:?}");
        assert!(error.code() == code && shown.contains(part), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn what_cannot_be_followed_is_found_before_anything_is_sent() {
        let with = |change: fn(&mut RouteSettings)| {
            let mut it = route("https://a.example");
            change(&mut it);
            [it]
        };
        let proxy = with(|it| it.proxy = secret("socks5://canary:canary@p:1"));
        check(proxy, "outbound_proxy", "proxy is no URL");
        let authorities = with(|it| it.authorities = Some(b"canary"[..].into()));
        check(authorities, "tls_certificate", "trusted authorities");
        let certificate = with(|it| it.certificate = secret("canary"));
        check(certificate, "tls_client_key", "client key");
        let stored = with(|it| {
            (it.certificate, it.certificate_password) = (secret("canary"), secret("canary"));
        });
        let code = if cfg!(feature = "pkcs12") { "tls_pkcs12_form" } else { "outbound_pkcs12" };
        check(stored, code, "openssl pkcs12");
        let twice = [route("https://a.example"), route("https://A.example:443")];
        check(twice, "outbound_route_twice", "https://a.example has settings twice");
    }

    #[test]
    fn shows_no_secret() {
        let mut route = route("https://a.example");
        route.proxy = secret("http://canary:canary@p:1");
        route.certificate = secret("canary");
        route.certificate_password = secret("canary");
        assert!(!format!("{route:?}").contains("canary"));
    }

    #[test]
    fn time_passes_and_work_runs_by_the_transport_without_settings() {
        let base = ScriptedTransport::new(|_| Ok(Response::new(Vec::new()))).with_background();
        let same = base.clone();
        let begin = move || {
            let same = same.clone();
            TransportBuilder::new(|_| Ok(same))
        };
        let transport = configured_transport([], begin).unwrap();
        transport.pause(Duration::from_secs(5)).wait().unwrap();
        assert!(transport.detach(Flow::ready(())).is_none());
        assert_eq!((base.pauses(), base.exchanges()), (vec![Duration::from_secs(5)], 0));
    }
}
