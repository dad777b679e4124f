//! Where the components are, and through which proxies.

use super::document::{Section, Sections};
use crate::SymphonyEndpoints;
use auth_core::{Error, Origin, Result, Secret};
use std::fmt;

/// The proxy of one component.
#[non_exhaustive]
pub struct BdkProxy {
    /// What is reached through it.
    pub origin: Origin,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What it asks for.
    pub credentials: Option<(String, Secret)>,
}

/// The components of a file: each has what the file says at its root where it says nothing itself.
pub(super) struct Components {
    pod: Place,
    key_manager: Place,
    agent: Option<Place>,
    session_auth: Place,
}

#[derive(Clone, Default)]
struct Place {
    scheme: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    context: Option<String>,
    proxy: Option<Way>,
}

/// A proxy, as it is written down.
#[derive(Clone)]
struct Way {
    host: String,
    port: u16,
    credentials: Option<(String, zeroize::Zeroizing<String>)>,
}

impl Components {
    pub(super) fn read(root: &mut Section, warnings: &mut Vec<String>) -> Result<Self> {
        let shared = Place::read(root, warnings)?;
        let mut place = |name| {
            let Some(mut section) = root.section(name)? else { return Ok(None) };
            let place = Place::read(&mut section, warnings)?.or(&shared);
            if name == "agent" && section.take("loadBalancing").is_some() {
                let path = section.path_of("loadBalancing");
                warnings.push(format!(
                    "{path} is not followed: requests go to the agent that is named"
                ));
            }
            section.end(warnings);
            Ok::<_, Error>(Some(place))
        };
        Ok(Self {
            pod: place("pod")?.unwrap_or_else(|| shared.clone()),
            key_manager: place("keyManager")?.unwrap_or_else(|| shared.clone()),
            agent: place("agent")?,
            session_auth: place("sessionAuth")?.unwrap_or_else(|| shared.clone()),
        })
    }

    pub(super) fn into_endpoints(self) -> Result<(SymphonyEndpoints, Vec<BdkProxy>)> {
        let endpoints = SymphonyEndpoints::new(&self.pod.url("pod")?)?
            .with_key_manager(&self.key_manager.url("keyManager")?)?
            .with_session_auth(&self.session_auth.url("sessionAuth")?)?;
        let endpoints = match &self.agent {
            Some(agent) => endpoints.with_agent(&agent.url("agent")?)?,
            None => endpoints,
        };
        let mut proxies: Vec<BdkProxy> = Vec::new();
        let places = [Some(self.pod), Some(self.key_manager), self.agent, Some(self.session_auth)];
        let origins =
            [&endpoints.pod, &endpoints.key_manager, endpoints.agent(), &endpoints.session_auth];
        for (place, component) in places.into_iter().zip(origins) {
            let Some(way) = place.and_then(|place| place.proxy) else { continue };
            let proxy = way.of(component.origin.clone());
            match proxies.iter().find(|other| other.origin == proxy.origin) {
                None => proxies.push(proxy),
                Some(other) if other.is(&proxy) => {}
                Some(_) => {
                    let text = format!(
                        "two components at {} have different proxies, expected one for each host and port",
                        proxy.origin
                    );
                    return Err(Error::config("symphony_bdk_proxy", text));
                }
            }
        }
        Ok((endpoints, proxies))
    }
}

impl BdkProxy {
    fn is(&self, other: &Self) -> bool {
        let credentials = match (&self.credentials, &other.credentials) {
            (None, None) => true,
            (Some((user, password)), Some((name, word))) => {
                user == name && password.matches(word.expose())
            }
            _ => false,
        };
        credentials && (&self.host, self.port) == (&other.host, other.port)
    }
}

impl Place {
    fn read(section: &mut Section, warnings: &mut Vec<String>) -> Result<Self> {
        let text = |it: Option<zeroize::Zeroizing<String>>| it.map(|it| it.to_string());
        let place = Self {
            scheme: text(section.text("scheme")?),
            host: text(section.text("host")?),
            port: section.port("port")?,
            context: text(section.text("context")?),
            proxy: section.section("proxy")?.map(|proxy| Way::read(proxy, warnings)).transpose()?,
        };
        if section.take("defaultHeaders").is_some() {
            let path = section.path_of("defaultHeaders");
            warnings.push(format!("{path} are not sent with log-ins: add them in the transport"));
        }
        for unused in
            ["connectionTimeout", "readTimeout", "connectionPoolMax", "connectionPoolPerRoute"]
        {
            if section.take(unused).is_some() {
                let path = section.path_of(unused);
                warnings.push(format!("{path} is a setting of the transport here"));
            }
        }
        Ok(place)
    }

    fn or(self, shared: &Self) -> Self {
        let Self { scheme, host, port, context, proxy } = shared.clone();
        Self {
            scheme: self.scheme.or(scheme),
            host: self.host.or(host),
            port: self.port.or(port),
            context: self.context.or(context),
            proxy: self.proxy.or(proxy),
        }
    }

    fn url(&self, component: &str) -> Result<String> {
        let host = self.host.as_deref().ok_or_else(|| {
            let text =
                format!("host of {component} is missing, expected `host` or `{component}.host`");
            Error::config("symphony_bdk_host", text)
        })?;
        if host.contains(['/', '@', '?', '#']) || host.is_empty() {
            let text = format!(
                "host of {component} is no host, expected a name such as acme.symphony.com"
            );
            return Err(Error::config("symphony_bdk_host", text));
        }
        let scheme = self.scheme.as_deref().unwrap_or("https");
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let context = self.context.as_deref().unwrap_or_default().trim_matches('/');
        Ok(format!("{scheme}://{host}{port}/{context}"))
    }
}

impl Way {
    fn read(mut section: Section, warnings: &mut Vec<String>) -> Result<Self> {
        let host = section.text("host")?.ok_or_else(|| section.wrong("host", "is missing"))?;
        let port = section.port("port")?.ok_or_else(|| section.wrong("port", "is missing"))?;
        let credentials = match (section.text("username")?, section.text("password")?) {
            (Some(user), Some(password)) => Some((user.to_string(), password)),
            (None, None) => None,
            (Some(_), None) => return Err(section.wrong("password", "is missing")),
            (None, Some(_)) => return Err(section.wrong("username", "is missing")),
        };
        section.end(warnings);
        Ok(Self { host: host.to_string(), port, credentials })
    }

    fn of(self, origin: Origin) -> BdkProxy {
        let Self { host, port, credentials } = self;
        let credentials =
            credentials.map(|(user, password)| (user, Secret::new(password.as_bytes())));
        BdkProxy { origin, host, port, credentials }
    }
}

impl fmt::Debug for BdkProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BdkProxy")
            .field("origin", &self.origin)
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
