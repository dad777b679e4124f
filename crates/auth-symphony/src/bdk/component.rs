//! Where the components are, and how each is reached.

use super::{
    document::{Section, Sections},
    fields,
    proxy::ProxyUrl,
    yaml::Node,
};
use crate::{SymphonyEndpoints, component_fields::ComponentFields};
use auth_core::{Error, Origin, Result, RouteSettings};
use http::HeaderName;
use std::time::Duration;

/// The components of a file: each has what the file says at its root where it says nothing itself.
pub(super) struct Components {
    pod: Place,
    key_manager: Place,
    /// If it is another one than the pod.
    agent: Option<Place>,
    session_auth: Place,
}

/// By what the bot and the app of a file log in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LogIns {
    ByKeyAlone,
    ByCertificate,
}

/// What becomes of them.
pub(super) struct Reached {
    pub(super) endpoints: SymphonyEndpoints,
    /// One for each origin.
    pub(super) routes: Vec<RouteSettings>,
    /// Those that ask for the certificate of a log-in.
    pub(super) of_certificates: Vec<Origin>,
}

#[derive(Clone, Default, PartialEq)]
struct Place {
    scheme: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    context: Option<String>,
    proxy: Option<ProxyUrl>,
    fields: Option<ComponentFields>,
    deadline: Option<Duration>,
}

impl Components {
    /// `own` are the names of fields that log-ins and calls have themselves.
    pub(super) fn read(
        root: &mut Section,
        own: &[HeaderName],
        warnings: &mut Vec<String>,
    ) -> Result<Self> {
        let shared = Place::read(root, own, warnings)?;
        let mut place = |name| {
            let Some(mut section) = root.section(name)? else { return Ok(None) };
            let mut place = Place::read(&mut section, own, warnings)?;
            if name == "agent" {
                let node = first_node(&mut section, own, warnings)?;
                place = node.map_or_else(|| place.clone(), |node| node.reached_as(&place));
            }
            section.end(warnings);
            Ok::<_, Error>(Some(place.or(&shared)))
        };
        let pod = place("pod")?.unwrap_or_else(|| shared.clone());
        let at_root = || Some(&shared).filter(|it| it.host.is_some() && **it != pod).cloned();
        Ok(Self {
            key_manager: place("keyManager")?.unwrap_or_else(|| shared.clone()),
            agent: place("agent")?.or_else(at_root),
            session_auth: place("sessionAuth")?.unwrap_or_else(|| shared.clone()),
            pod,
        })
    }

    /// Log-ins by certificate go nowhere in a file that has none, so how they would be reached does not matter.
    pub(super) fn reached(self, log_ins: LogIns) -> Result<Reached> {
        let mut endpoints = SymphonyEndpoints::new(&self.pod.url("pod")?)?
            .with_key_manager(&self.key_manager.url("keyManager")?)?
            .with_session_auth(&self.session_auth.url("sessionAuth")?)?;
        if let Some(agent) = &self.agent {
            endpoints = endpoints.with_agent(&agent.url("agent")?)?;
        }
        let mut routes = Vec::new();
        let places = [
            (Some(&self.pod), &endpoints.pod),
            (Some(&self.key_manager), &endpoints.key_manager),
            (self.agent.as_ref(), endpoints.agent()),
            (
                Some(&self.session_auth).filter(|_| log_ins == LogIns::ByCertificate),
                &endpoints.session_auth,
            ),
        ];
        for (place, component) in places {
            if let Some(place) = place {
                place.route_to(&component.origin, &mut routes)?;
            }
        }
        let of_certificates = [&endpoints.session_auth, &endpoints.certificate_key_manager]
            .map(|component| component.origin.clone())
            .to_vec();
        endpoints.pod.fields = self.pod.component_fields();
        endpoints.key_manager.fields = self.key_manager.component_fields();
        endpoints.certificate_key_manager.fields = self.key_manager.component_fields();
        endpoints.session_auth.fields = self.session_auth.component_fields();
        if let (Some(place), Some(agent)) = (&self.agent, endpoints.named_agent()) {
            agent.fields = place.component_fields();
        }
        Ok(Reached { endpoints, routes, of_certificates })
    }
}

impl Place {
    fn read(section: &mut Section, own: &[HeaderName], warnings: &mut Vec<String>) -> Result<Self> {
        let text = |it: Option<zeroize::Zeroizing<String>>| it.map(|it| it.to_string());
        let place = Self {
            scheme: text(section.text("scheme")?),
            host: text(section.text("host")?),
            port: section.port("port")?,
            context: text(section.text("context")?),
            proxy: section
                .section("proxy")?
                .map(|proxy| ProxyUrl::read(proxy, warnings))
                .transpose()?,
            fields: section
                .section("defaultHeaders")?
                .map(|it| fields::read(it, own, warnings))
                .transpose()?,
            deadline: None,
        };
        let deadline = section.milliseconds("readTimeout")?;
        if deadline.is_some_and(|it| it.is_zero()) {
            let path = section.path_of("readTimeout");
            warnings.push(format!("{path} is not followed: no exchange lasts without an end"));
        }
        let place = Self { deadline: deadline.filter(|it| !it.is_zero()), ..place };
        for (unused, why) in [
            ("connectionTimeout", "connecting has 5 seconds, within readTimeout"),
            ("connectionPoolMax", "the transport has a pool of its own"),
            ("connectionPoolPerRoute", "the transport has a pool of its own"),
        ] {
            if section.take(unused).is_some() {
                warnings.push(format!("{} is not followed: {why}", section.path_of(unused)));
            }
        }
        Ok(place)
    }

    fn or(self, shared: &Self) -> Self {
        let Self { scheme, host, port, context, proxy, fields, deadline } = shared.clone();
        Self {
            scheme: self.scheme.or(scheme),
            host: self.host.or(host),
            port: self.port.or(port),
            context: self.context.or(context),
            proxy: self.proxy.or(proxy),
            fields: self.fields.or(fields),
            deadline: self.deadline.or(deadline),
        }
    }

    /// Where this node is, on the way that leads to its agent: what a node leaves out of its address is the usual, and never
    /// that of another address.
    fn reached_as(self, agent: &Self) -> Self {
        let usual = |text: Option<String>, usual: &str| text.or_else(|| Some(usual.to_owned()));
        let Self { scheme, host, port, context, .. } = self.clone();
        Self {
            scheme: usual(scheme, "https"),
            host,
            port: port.or(Some(443)),
            context: usual(context, ""),
            ..self.or(agent)
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

    fn component_fields(&self) -> ComponentFields {
        self.fields.clone().unwrap_or_default()
    }

    /// Components at one origin have one way to it, and the longer one of their times.
    fn route_to(&self, origin: &Origin, routes: &mut Vec<RouteSettings>) -> Result<()> {
        let proxy = self.proxy.as_ref().map(ProxyUrl::shared);
        let Some(route) = routes.iter_mut().find(|route| route.origin == *origin) else {
            let mut route = RouteSettings::new(origin.clone());
            (route.proxy, route.deadline) = (proxy, self.deadline);
            routes.push(route);
            return Ok(());
        };
        let is_same = match (&route.proxy, &proxy) {
            (None, None) => true,
            (Some(one), Some(other)) => one.matches(other.expose()),
            _ => false,
        };
        if !is_same {
            let text = format!(
                "two components at {origin} have different proxies, expected one for each host and port"
            );
            return Err(Error::config("symphony_bdk_proxy", text));
        }
        route.deadline = route.deadline.max(self.deadline);
        Ok(())
    }
}

/// The first node of an agent whose load is balanced.
fn first_node(
    agent: &mut Section,
    own: &[HeaderName],
    warnings: &mut Vec<String>,
) -> Result<Option<Place>> {
    let Some(mut balancing) = agent.section("loadBalancing")? else { return Ok(None) };
    let path = balancing.path_of("nodes");
    let node = match balancing.take("nodes") {
        Some(Node::List(nodes)) => nodes.into_iter().next(),
        None | Some(Node::Null) => None,
        Some(_) => return Err(balancing.wrong("nodes", "is no list")),
    };
    let goes_to = if node.is_some() { "the first node" } else { "the agent that is named" };
    let shown = agent.path_of("loadBalancing");
    warnings.push(format!("{shown} is not followed: requests go to {goes_to}"));
    let Some(node) = node else { return Ok(None) };
    let mut node = Section::of(node, format!("{path}[0]"))?;
    let place = Place::read(&mut node, own, warnings)?;
    node.end(warnings);
    Ok(Some(place))
}
