//! Which host a request is for: `:authority` or the target, against the Host field.

use crate::{Reason, Rejection, RequestView};
use http::{header::HOST, uri::Scheme};

impl<'a> RequestView<'a> {
    /// The authority of the request: `host` or `host:port`, as the target (`:authority` in HTTP/2) or the Host field
    /// has it (RFC 9112 section 3.2, RFC 9113 section 8.3.1). `None` when neither has one.
    ///
    /// Server adapters ask once, before any verifier, and every scheme that needs the host asks here: so nothing
    /// behind can decide otherwise.
    ///
    /// # Errors
    ///
    /// A 400 when the two name different hosts, when there is more than one Host field, when it holds anything but a
    /// host and a port, or when the target carries user information.
    pub fn authority(&self) -> Result<Option<&'a str>, Rejection> {
        let mut fields = self.headers.get_all(HOST).iter();
        let field = match fields.next() {
            None => None,
            Some(value) => Some(
                value
                    .to_str()
                    .ok()
                    .filter(|text| plain(text))
                    .ok_or_else(|| Rejection::malformed(FIELD))?,
            ),
        };
        if fields.next().is_some() {
            return Err(Rejection::malformed(SEVERAL));
        }
        let target = self.uri.authority().map(http::uri::Authority::as_str);
        match (target, field) {
            (Some(target), _) if !plain(target) => Err(Rejection::malformed(USER)),
            (Some(target), Some(field)) if !self.same_host(target, field) => {
                Err(Rejection::malformed(CONFLICT))
            }
            (Some(target), _) => Ok(Some(target)),
            (None, field) => Ok(field.filter(|text| !text.is_empty())),
        }
    }

    /// Host names compare without case; the scheme's own port may be left out.
    fn same_host(&self, target: &str, field: &str) -> bool {
        let port = match self.uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => ":443",
            Some(scheme) if *scheme == Scheme::HTTP => ":80",
            _ => "",
        };
        let bare = |authority| str::strip_suffix(authority, port).unwrap_or(authority);
        bare(target).eq_ignore_ascii_case(bare(field))
    }
}

/// Only characters of `uri-host [ ":" port ]` (RFC 3986 section 3.2.2): no list, no user information, no path.
fn plain(authority: &str) -> bool {
    authority.bytes().all(|byte| PLAIN.get(usize::from(byte)) == Some(&true))
}

/// Is a byte one of those characters? This is asked of every byte of every request's host.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &mut [bool] = &mut table;
    let mut byte = 0_u8;
    while let Some((plain, more)) = rest.split_first_mut() {
        *plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&'..=b'+')
            || matches!(byte, b';' | b'=' | b':' | b'[' | b']');
        rest = more;
        byte = byte.wrapping_add(1);
    }
    table
};

const SEVERAL: Reason =
    Reason::new("authority_several_hosts", "more than one Host field, expected one");
const FIELD: Reason =
    Reason::new("authority_malformed_host", "Host field is not a host and an optional port");
const USER: Reason =
    Reason::new("authority_user_information", "target names a user before its host");
const CONFLICT: Reason =
    Reason::new("authority_conflict", "Host field and target name different hosts");

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, Method, Uri};

    #[track_caller]
    fn check(target: &'static str, hosts: &[&'static str], expected: Result<Option<&str>, &str>) {
        let uri = Uri::from_static(target);
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_static(host));
        }
        let view = RequestView::new(&Method::GET, &uri, &headers);
        assert_eq!(view.authority().map_err(|rejection| rejection.reason().code), expected);
    }

    #[test]
    fn takes_the_target_or_the_field() {
        check("/", &["example.com:8080"], Ok(Some("example.com:8080")));
        check("https://example.com/", &[], Ok(Some("example.com")));
        check("https://example.com/", &["EXAMPLE.com"], Ok(Some("example.com")));
        check("https://example.com/", &["example.com:443"], Ok(Some("example.com")));
        check("http://example.com:80/", &["example.com"], Ok(Some("example.com:80")));
        check("/", &["[::1]:80"], Ok(Some("[::1]:80")));
        check("/", &[], Ok(None));
        check("/", &[""], Ok(None));
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        check("https://a.example/", &["b.example"], Err("authority_conflict"));
        check("https://a.example/", &["a.example:80"], Err("authority_conflict"));
        check("ws://a.example/", &["a.example:80"], Err("authority_conflict"));
        check("/", &["a.example", "a.example"], Err("authority_several_hosts"));
        check("/", &["a.example, b.example"], Err("authority_malformed_host"));
        check("/", &["a.example/x"], Err("authority_malformed_host"));
        check("/", &["user@a.example"], Err("authority_malformed_host"));
        check("https://user@a.example/", &[], Err("authority_user_information"));
    }

    #[test]
    fn the_table_holds_letters_digits_and_marks() {
        for byte in 0..=u8::MAX {
            let mark = b"-._~%!$&'()*+;=:[]".contains(&byte);
            assert_eq!(PLAIN[usize::from(byte)], byte.is_ascii_alphanumeric() || mark, "{byte}");
        }
    }
}
