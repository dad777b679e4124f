//! To which addresses a connection may be made.

use crate::{Proxy, failed_exchange::shown};
use auth_core::{Error, Origin, Result};
use auth_net::{AddressList, DeniedDestination, DeniedRanges, Destination};
use http::Uri;
use std::net::{IpAddr, SocketAddr};

/// To which addresses a transport connects, also where a tenant typed the URL: public unicast addresses over https, and
/// what was allowed beside them.
///
/// An adapter asks twice: [`check`](Self::check) before anything is done, and [`keep`](Self::keep) for every name that
/// was resolved, so that a name cannot change between check and use. What was resolved earlier and kept is asked for
/// again too.
///
/// ```
/// use auth_outbound::AddressFilter;
/// let filter = AddressFilter::default();
/// let denied = filter.check(&"https://169.254.169.254/".parse().unwrap()).unwrap_err();
/// assert_eq!(denied.code(), "transport_denied_address");
/// ```
#[derive(Clone, Debug, Default)]
pub struct AddressFilter {
    denied: DeniedRanges,
    loopback: Loopback,
    /// What it carries to a loopback address may leave this machine.
    proxy: Option<Proxy>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Loopback {
    #[default]
    DeniedDestination,
    Allowed,
}

impl AddressFilter {
    /// Also lets connections through to these addresses, though they are not public.
    #[must_use]
    pub fn allowing_addresses(self, addresses: AddressList) -> Self {
        Self { denied: self.denied.allowing_addresses(addresses), ..self }
    }

    /// Also lets connections through to this machine, in the clear too.
    #[must_use]
    pub const fn allowing_loopback(mut self) -> Self {
        self.loopback = Loopback::Allowed;
        self
    }

    /// For a transport that goes through this proxy.
    pub(crate) fn behind(self, proxy: Option<Proxy>) -> Self {
        Self { proxy, ..self }
    }

    /// What can be told from a URL alone: its scheme, and its host if that is an address.
    ///
    /// # Errors
    ///
    /// `Error::Config`: `transport_plain_http` for http beyond loopback, and to loopback when a proxy on another machine
    /// would carry it; `transport_denied_address` for an address or a local name that may not be connected to;
    /// `transport_proxy_resolves` for a name that a proxy would resolve which is not
    /// [trusted](Proxy::trusting_its_address_filter) with that; and those of [`Origin::of`].
    pub fn check(&self, uri: &Uri) -> Result<()> {
        let origin = Origin::of(uri)?;
        let is_loopback = origin.is_loopback();
        if is_loopback && self.loopback == Loopback::DeniedDestination {
            let fault =
                "which is this machine, expected a public address; allow it with allowing_loopback";
            return Err(denied(&format!("url goes to {}, {fault}", origin.host())));
        }
        let leaves = !is_loopback
            || self.proxy.as_ref().is_some_and(|proxy| proxy.carries_away(origin.host()));
        if leaves && !origin.is_encrypted() {
            return Err(Error::config("transport_plain_http", "url is http, expected https"));
        }
        if is_loopback {
            return Ok(());
        }
        let host = origin.host();
        let found = self.denied.permits_host(host).map_err(|error| denied_host(host, error))?;
        let is_blind = |proxy: &Proxy| proxy.resolves_unfiltered(host);
        if found == Destination::Unresolved && self.proxy.as_ref().is_some_and(is_blind) {
            return Err(Error::config(
                "transport_proxy_resolves",
                "url names a host that the proxy resolves, so no address is checked here; if the proxy itself keeps \
                 connections from addresses inside, say so with trusting_its_address_filter",
            ));
        }
        Ok(())
    }

    /// May a connection to this address be made?
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let loopback = self.loopback == Loopback::Allowed && address.to_canonical().is_loopback();
        loopback || self.denied.permits(address).is_ok()
    }

    /// Those of the addresses of a name that a connection may be made to.
    ///
    /// # Errors
    ///
    /// `Error::Config` (`transport_denied_address`) when there is none.
    pub fn keep(&self, found: impl IntoIterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>> {
        let kept: Vec<_> = found.into_iter().filter(|address| self.permits(address.ip())).collect();
        if kept.is_empty() {
            // One text for all: a tenant does not learn what an internal name resolves to.
            return Err(denied(
                "the name resolves to no address that may be connected to; allow this machine with allowing_loopback, \
                 other addresses with allowing_addresses",
            ));
        }
        Ok(kept)
    }
}

/// What the person who configured the URL sees of a host that it names.
fn denied_host(host: &str, error: DeniedDestination) -> Error {
    let advice = match error {
        DeniedDestination::Address(_) | DeniedDestination::Loopback => {
            "; allow its address with allowing_addresses"
        }
        _ => "",
    };
    denied(&format!("url goes to {}: {error}{advice}", shown(host, MOST_OF_HOST)))
}

/// No name that can be resolved is longer (RFC 1035 section 2.3.4).
const MOST_OF_HOST: usize = 255;

fn denied(text: &str) -> Error {
    Error::config("transport_denied_address", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(filter: &AddressFilter, url: &str, expected: Result<(), &str>) {
        let checked = filter.check(&url.parse().unwrap());
        assert_eq!(checked.map_err(|error| error.code()), expected, "{url}");
    }

    #[test]
    fn a_url_is_judged_by_its_scheme_and_literal() {
        let (public, denied) = (AddressFilter::default(), Err("transport_denied_address"));
        check(&public, "https://api.example.com/", Ok(()));
        check(&public, "https://198.51.100.1/", denied);
        check(&public, "https://8.8.8.8/", Ok(()));
        check(&public, "https://10.0.0.1/", denied);
        check(&public, "https://[fd00:ec2::254]/", denied);
        check(&public, "https://metadata.google.internal/", denied);
        check(&public, "http://8.8.8.8/", Err("transport_plain_http"));
        for url in ["http://127.0.0.1/", "https://localhost/", "http://[::ffff:127.0.0.1]/"] {
            check(&public, url, denied);
            check(&public.clone().allowing_loopback(), url, Ok(()));
        }
        let private = AddressList::new(["10.0.0.0/8"]).unwrap();
        check(&public.clone().allowing_addresses(private.clone()), "https://10.0.0.1/", Ok(()));
        check(&public.allowing_addresses(private), "http://10.0.0.1/", Err("transport_plain_http"));
    }

    #[track_caller]
    fn check_text(url: &str, expected: &str) {
        let error = AddressFilter::default().check(&url.parse().unwrap()).unwrap_err();
        assert_eq!(error.code(), "transport_denied_address", "{url}");
        assert_eq!(error.to_string(), format!("configuration: url goes to {expected}"));
    }

    #[test]
    fn a_refusal_names_the_host_and_the_setting_that_allows_it() {
        let here =
            "which is this machine, expected a public address; allow it with allowing_loopback";
        check_text("http://localhost:8080/canary?canary", &format!("localhost, {here}"));
        check_text("https://127.0.0.1/", &format!("127.0.0.1, {here}"));
        check_text(
            "https://10.0.0.1/canary",
            "10.0.0.1: expected a public address, found one in 10.0.0.0/8 (private); allow its address with \
             allowing_addresses",
        );
        check_text(
            "https://api.localhost/",
            "api.localhost: expected a public host, found this machine's name; allow its address with \
             allowing_addresses",
        );
        // No setting allows these.
        check_text(
            "https://metadata.google.internal/",
            "metadata.google.internal: expected a public host, found the name of a metadata service",
        );
        let host = "expected a host in ASCII: a name, IPv4, or IPv6 in brackets";
        let name = |length| "a".repeat(length);
        check_text(&format!("https://{}/", name(300)), &format!("{}: {host}", name(255)));
    }

    #[test]
    fn nothing_goes_to_a_proxy_on_another_machine_in_the_clear() {
        let through = |proxy: &str| {
            let proxy = Proxy::new(proxy).unwrap().with_exception("[::1]");
            AddressFilter::default().allowing_loopback().behind(Some(proxy))
        };
        let far = through("http://proxy.example:3128");
        check(&far, "http://127.0.0.1/", Err("transport_plain_http"));
        check(&far, "http://localhost/", Err("transport_plain_http"));
        check(&far, "https://127.0.0.1/", Ok(()));
        check(&far, "http://[::1]/", Ok(()));
        check(&through("http://127.0.0.1:3128"), "http://localhost/", Ok(()));
    }

    #[test]
    fn a_name_that_a_proxy_resolves_is_refused_unless_the_proxy_is_trusted_with_it() {
        let proxy =
            Proxy::new("http://proxy.example:3128").unwrap().with_exception("direct.example");
        let blind = AddressFilter::default().behind(Some(proxy.clone()));
        let trusted = AddressFilter::default().behind(Some(proxy.trusting_its_address_filter()));
        let (name, address) = ("https://login.example/token", "https://8.8.8.8/");
        check(&blind, name, Err("transport_proxy_resolves"));
        check(&trusted, name, Ok(()));
        for filter in [blind, trusted] {
            check(&filter, address, Ok(()));
            check(&filter, "https://direct.example/", Ok(()));
            check(&filter, "https://10.0.0.1/", Err("transport_denied_address"));
            check(&filter, "https://metadata.google.internal/", Err("transport_denied_address"));
        }
    }

    #[test]
    fn a_name_is_judged_by_what_it_resolves_to() {
        let found = ["127.0.0.1:443", "10.0.0.1:443", "8.8.8.8:443", "[::1]:443"];
        let found = found.map(|address| address.parse::<SocketAddr>().unwrap());
        let public = AddressFilter::default();
        let kept = |filter: &AddressFilter| {
            filter.keep(found).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(kept(&public), ["8.8.8.8:443"]);
        assert_eq!(
            kept(&public.clone().allowing_loopback()),
            ["127.0.0.1:443", "8.8.8.8:443", "[::1]:443"]
        );
        let none = public.keep(found.into_iter().take(2)).unwrap_err();
        assert_eq!(none.code(), "transport_denied_address");
        let text = none.to_string();
        let settings = ["allowing_loopback", "allowing_addresses"];
        assert!(settings.iter().all(|setting| text.contains(setting)), "{text}");
    }
}
