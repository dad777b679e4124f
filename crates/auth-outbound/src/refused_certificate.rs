//! What a server says when it does not take a client certificate.

use crate::FailedExchange;
use auth_core::{Error, Origin};
use rustls::AlertDescription;
use std::{error, io};

/// The error of a request whose server did not take the client's certificate, or wants one and got none, if that is what
/// lies beneath an error of an HTTP client: `Error::Refused` with the code `tls_client_certificate`.
///
/// TLS has an alert for each cause, which most servers send. Without this an adapter would tell of a connection that failed,
/// and whatever tries those again would do so in vain. An alert can be lost, with a server that hangs up before it has read the
/// request, or in a client that gives a connection up before the request is on it: then it is a connection that failed, and
/// the next attempt tells.
///
/// ```
/// use auth_outbound::refused_certificate;
/// use rustls::AlertDescription;
/// let alert = rustls::Error::AlertReceived(AlertDescription::CertificateExpired);
/// let refused = refused_certificate(None, &std::io::Error::other(alert)).unwrap();
/// assert_eq!(refused.code(), "tls_client_certificate");
/// assert!(refused.to_string().contains("it has expired"));
/// assert!(refused_certificate(None, &std::io::Error::other("connection reset")).is_none());
/// ```
#[must_use]
pub fn refused_certificate(
    origin: Option<Origin>,
    error: &(dyn error::Error + 'static),
) -> Option<Error> {
    let alert = std::iter::successors(Some(error), |error| beneath(*error)).find_map(alert)?;
    let failed = FailedExchange::new(origin, cause(alert)?);
    Some(Error::refused("tls_client_certificate", failed))
}

/// An error of I/O says what lies beneath the error that it carries, and not which one that is.
fn beneath<'a>(
    error: &'a (dyn error::Error + 'static),
) -> Option<&'a (dyn error::Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(carried) => Some(carried),
        None => error.source(),
    }
}

fn alert(error: &(dyn error::Error + 'static)) -> Option<AlertDescription> {
    match error.downcast_ref() {
        Some(rustls::Error::AlertReceived(alert)) => Some(*alert),
        _ => None,
    }
}

/// RFC 8446 section 6.2. A server that has no alert for the cause sends `handshake_failure`, which says nothing of it.
fn cause(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateRequired => {
            "server wants a client certificate and was shown none; give the builder of the client or the transport TLS \
             settings with a client identity (certificate_required)"
        }
        AlertDescription::CertificateExpired => {
            "server refused the client certificate: it has expired, or is not valid yet (certificate_expired)"
        }
        AlertDescription::UnknownCA => {
            "server refused the client certificate: it is of an authority that the server does not trust, or its chain is \
             not whole (unknown_ca)"
        }
        AlertDescription::CertificateRevoked => {
            "server refused the client certificate: it was revoked (certificate_revoked)"
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied => {
            "server refused the client certificate: it is of a kind or for a purpose that the server does not take, or the \
             server lets nobody in with it (bad_certificate or access_denied)"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Over(io::Error);

    impl std::fmt::Display for Over {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("over")
        }
    }

    impl error::Error for Over {
        fn source(&self) -> Option<&(dyn error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[track_caller]
    fn check(error: impl error::Error + 'static, expected: Option<&str>) {
        let origin = Origin::of(&"https://pod.example:8444/canary".parse().unwrap()).ok();
        let shown = refused_certificate(origin, &error).map(|it| it.to_string());
        let is_right = match (&shown, expected) {
            (Some(shown), Some(expected)) => {
                shown.starts_with("refused: https://pod.example:8444: server ")
                    && shown.contains(expected)
            }
            (shown, expected) => shown.is_none() && expected.is_none(),
        };
        assert!(is_right, "{shown:?} {expected:?}");
    }

    #[test]
    fn each_alert_of_a_client_certificate_is_told_wherever_it_lies() {
        let io = |alert| io::Error::other(rustls::Error::AlertReceived(alert));
        check(io(AlertDescription::CertificateRequired), Some("was shown none; give the builder"));
        check(Over(io(AlertDescription::CertificateExpired)), Some("it has expired"));
        let deep = io::Error::other(Over(io(AlertDescription::UnknownCA)));
        check(deep, Some("authority that the server does not trust"));
        check(io(AlertDescription::CertificateRevoked), Some("was revoked"));
        check(io(AlertDescription::AccessDenied), Some("lets nobody in"));
        check(rustls::Error::AlertReceived(AlertDescription::BadCertificate), Some("a kind"));
        check(io(AlertDescription::HandshakeFailure), None);
        check(io(AlertDescription::InternalError), None);
        check(io::Error::other("certificate_required"), None);
        check(rustls::Error::DecryptError, None);
    }
}
