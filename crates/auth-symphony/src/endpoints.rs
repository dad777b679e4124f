//! Where the components of an installation are.

use crate::component_fields::ComponentFields;
use auth_core::{Error, Origin, Result};
use http::{Request, Uri};
use std::fmt;

/// Where pod, key manager and agent of an installation are: a base URL each.
///
/// A base URL is scheme, host, port and the context path that the installation puts in front of all paths, if it does:
/// `https://acme.symphony.com`, `https://proxy.acme.com:8443/symphony`. The paths of the log-ins come behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymphonyEndpoints {
    pub(crate) pod: Component,
    pub(crate) key_manager: Component,
    agent: Option<Component>,
    pub(crate) session_auth: Component,
    pub(crate) certificate_key_manager: Component,
}

/// One component: its origin, and what comes before its paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) origin: Origin,
    context: Box<str>,
    pub(crate) fields: ComponentFields,
}

impl SymphonyEndpoints {
    /// Everything at the pod's base URL, until another one is named: as installations are that Symphony hosts.
    ///
    /// Log-ins by certificate have a port of their own there, since a port either asks for certificates or does not:
    /// name it with [`with_session_auth`](Self::with_session_auth) and
    /// [`with_certificate_key_manager`](Self::with_certificate_key_manager). It is 8444 in most installations.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is no URL of the form above, is not `https` (`http` for this machine alone), or names a
    /// user, a query or a fragment.
    pub fn new(pod: &str) -> Result<Self> {
        let pod = Component::parse("pod", pod)?;
        Ok(Self {
            key_manager: pod.clone(),
            agent: None,
            session_auth: pod.clone(),
            certificate_key_manager: pod.clone(),
            pod,
        })
    }

    /// With the key manager, of log-ins by a key and by certificate alike, at this base URL.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_key_manager(self, url: &str) -> Result<Self> {
        let key_manager = Component::parse("key manager", url)?;
        Ok(Self { certificate_key_manager: key_manager.clone(), key_manager, ..self })
    }

    /// With the agent at this base URL.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_agent(self, url: &str) -> Result<Self> {
        Ok(Self { agent: Some(Component::parse("agent", url)?), ..self })
    }

    /// With the pod's log-in by certificate at this base URL: `https://acme-api.symphony.com:8444`.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_session_auth(self, url: &str) -> Result<Self> {
        Ok(Self { session_auth: Component::parse("session auth", url)?, ..self })
    }

    /// With the key manager's log-in by certificate at this base URL. Call it behind
    /// [`with_key_manager`](Self::with_key_manager).
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_certificate_key_manager(self, url: &str) -> Result<Self> {
        let certificate_key_manager = Component::parse("key manager", url)?;
        Ok(Self { certificate_key_manager, ..self })
    }

    /// The URL of a call to the pod: of this path, which begins with `/pod/`, behind the context path.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the path is none.
    pub fn pod_url(&self, path: &str) -> Result<Uri> {
        self.pod.url(path)
    }

    /// The URL of a call to the agent: of this path, which begins with `/agent/`, behind the context path.
    ///
    /// # Errors
    ///
    /// As [`pod_url`](Self::pod_url).
    pub fn agent_url(&self, path: &str) -> Result<Uri> {
        self.agent().url(path)
    }
}

impl SymphonyEndpoints {
    pub(crate) fn agent(&self) -> &Component {
        self.agent.as_ref().unwrap_or(&self.pod)
    }

    /// The agent, if one was named, to be changed.
    #[cfg(feature = "bdk-config")]
    pub(crate) const fn named_agent(&mut self) -> Option<&mut Component> {
        self.agent.as_mut()
    }

    /// The component that a call goes to. Where pod and agent share an origin, the path tells.
    pub(crate) fn called(&self, target: &Uri) -> &Component {
        let agent = self.agent();
        let is_agent = agent.origin.covers(target)
            && (agent.origin != self.pod.origin || agent.is_above(target, "/agent/"));
        if is_agent { agent } else { &self.pod }
    }

    /// The agent, if one was named.
    pub(crate) fn separate_agent(&self) -> Option<&Component> {
        self.agent.as_ref()
    }
}

impl Component {
    fn parse(field: &'static str, url: &str) -> Result<Self> {
        let wrong = |what: &dyn fmt::Display| {
            let text = format!(
                "base URL of the {field} is {what}, expected scheme, host, port if need be, and context path if there is one"
            );
            Error::config("symphony_base_url", text)
        };
        if url.contains('#') {
            return Err(wrong(&"with a fragment"));
        }
        let uri: Uri = url.parse().map_err(|error| wrong(&format!("none ({error})")))?;
        let origin = Origin::of(&uri)?;
        if !origin.is_confidential() {
            let text = format!(
                "base URL of the {field} is http, expected https: tokens would be readable on the way"
            );
            return Err(Error::config("symphony_plain_http", text));
        }
        if uri.query().is_some() {
            return Err(wrong(&"with a query"));
        }
        let context = uri.path().trim_end_matches('/');
        if context.split('/').any(|part| part == "." || part == "..") || context.contains("//") {
            return Err(wrong(&"with an empty or a dotted part in its path"));
        }
        Ok(Self { origin, context: context.into(), fields: ComponentFields::default() })
    }

    fn is_above(&self, target: &Uri, path: &str) -> bool {
        target.path().strip_prefix(&*self.context).is_some_and(|rest| rest.starts_with(path))
    }

    /// A `GET` of this path, with what goes with every request to the component.
    pub(crate) fn request(&self, path: &str) -> Result<Request<Vec<u8>>> {
        let mut request = Request::new(Vec::new());
        *request.uri_mut() = self.url(path)?;
        self.fields.add_to(request.headers_mut());
        Ok(request)
    }

    /// The URL of this path, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> Result<Uri> {
        format!("{}{}{path}", self.origin, self.context)
            .parse()
            .map_err(|error| Error::config("symphony_path", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Result<&str, &str>) {
        let shown = Component::parse("pod", url).map(|it| it.url("/login/x").unwrap().to_string());
        assert_eq!(shown.as_deref().map_err(|error| error.code()), expected, "{url}");
    }

    #[test]
    fn a_base_url_is_an_origin_and_a_context_path() {
        check("https://acme.symphony.com", Ok("https://acme.symphony.com/login/x"));
        check("https://acme.symphony.com/", Ok("https://acme.symphony.com/login/x"));
        check("https://ACME.symphony.com:443", Ok("https://acme.symphony.com/login/x"));
        check("https://a.example:8443/ctx/", Ok("https://a.example:8443/ctx/login/x"));
        check("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080/login/x"));
        check("http://acme.symphony.com", Err("symphony_plain_http"));
        check("https://acme.symphony.com/?x", Err("symphony_base_url"));
        check("https://acme.symphony.com/#x", Err("symphony_base_url"));
        check("https://acme.symphony.com/a/../b", Err("symphony_base_url"));
        check("https://acme.symphony.com//a", Err("symphony_base_url"));
        check("acme.symphony.com", Err("origin_scheme"));
        check("https://me@acme.symphony.com", Err("origin_user"));
        check("", Err("symphony_base_url"));
    }

    #[test]
    fn each_component_is_where_it_was_said_to_be() {
        let all = SymphonyEndpoints::new("https://pod.example").unwrap();
        assert_eq!(all.agent(), &all.pod);
        let apart = all
            .with_key_manager("https://km.example")
            .and_then(|it| it.with_agent("https://agent.example:8443"))
            .and_then(|it| it.with_session_auth("https://pod.example:8444"))
            .and_then(|it| it.with_certificate_key_manager("https://km.example:8444"))
            .unwrap();
        let origins = [
            &apart.pod,
            &apart.key_manager,
            apart.agent(),
            &apart.session_auth,
            &apart.certificate_key_manager,
        ]
        .map(|it| it.origin.to_string());
        let expected = [
            "https://pod.example",
            "https://km.example",
            "https://agent.example:8443",
            "https://pod.example:8444",
            "https://km.example:8444",
        ];
        assert_eq!(origins, expected);
    }
}
