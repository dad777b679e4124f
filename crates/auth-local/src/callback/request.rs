//! Reading the request of a browser, strictly.

use super::ReceivedCallback;
use auth_core::Secret;
use std::net::SocketAddr;

/// Why there is no authorization in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The server or the person refused; its words.
    Refused(String),
    /// It is not the answer that is waited for: the status, and what the person is told.
    Ignored(u16, &'static str),
}

const MALFORMED: Fault = Fault::Ignored(400, "This is not the answer that the program waits for.");

/// Reads the head of a request.
pub(super) fn read(
    head: &[u8],
    here: SocketAddr,
    path: &str,
    state: &Secret,
) -> Result<ReceivedCallback, Fault> {
    let head = std::str::from_utf8(head).map_err(|_| MALFORMED)?;
    let (head, _) = head.split_once("\r\n\r\n").ok_or(MALFORMED)?;
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(MALFORMED);
    };
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
        return Err(MALFORMED);
    }
    let (asked, query) = target.split_once('?').unwrap_or((target, ""));
    if asked != path {
        return Err(Fault::Ignored(404, "There is nothing here."));
    }
    if method != "GET" {
        return Err(Fault::Ignored(405, "There is nothing to send here."));
    }
    if !is_here(lines, here) {
        return Err(MALFORMED);
    }
    answer(query, state)
}

/// Exactly one Host field, with this very address: a page elsewhere whose name leads here has another.
fn is_here<'a>(lines: impl Iterator<Item = &'a str>, here: SocketAddr) -> bool {
    let mut hosts = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim_matches([' ', '\t']))
    });
    hosts.next() == Some(&*here.to_string()) && hosts.next().is_none()
}

/// RFC 6749 sections 4.1.2 and 4.1.2.1, and the `iss` of RFC 9207; other parameters are ignored.
fn answer(query: &str, state: &Secret) -> Result<ReceivedCallback, Fault> {
    let [mut code, mut error, mut description, mut came, mut iss] = [const { None }; 5];
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let slot = match &*decode(name).ok_or(MALFORMED)? {
            "code" => &mut code,
            "error" => &mut error,
            "error_description" => &mut description,
            "state" => &mut came,
            "iss" => &mut iss,
            _ => continue,
        };
        if slot.replace(decode(value).ok_or(MALFORMED)?).is_some() {
            return Err(MALFORMED);
        }
    }
    if !came.is_some_and(|came| !came.is_empty() && state.matches(came.as_bytes())) {
        return Err(MALFORMED);
    }
    match (code, error) {
        (Some(code), None) if !code.is_empty() => {
            Ok(ReceivedCallback { code: Secret::from(code), iss, query: Secret::from(query) })
        }
        (None, Some(error)) if !error.is_empty() => {
            let why = description.map(|text| format!(" ({text})")).unwrap_or_default();
            Err(Fault::Refused(shown(&format!("{error}{why}"), state)))
        }
        _ => Err(MALFORMED),
    }
}

/// Words of somebody else, made fit for an error: the characters of RFC 6749 section 5.2, at most 256 of them, and without
/// the state, which says whose answer this is.
fn shown(text: &str, state: &Secret) -> String {
    let is_allowed = |char: &char| matches!(char, ' ' | '!' | '#'..='[' | ']'..='~');
    let fit = |text: &str| text.chars().filter(is_allowed).collect::<String>();
    let state = state.expose_text().map(fit).unwrap_or_default();
    let text = fit(text);
    let text = if state.is_empty() { text } else { text.replace(&state, "[state]") };
    text.chars().take(256).collect()
}

/// `application/x-www-form-urlencoded`; `None` for an escape that is none, or what is no UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |digit: &u8| char::from(*digit).to_digit(16);
                bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
                tail
            }
            (b'%', _) => return None,
            (b'+', tail) => {
                bytes.push(b' ');
                tail
            }
            (byte, tail) => {
                bytes.push(*byte);
                tail
            }
        };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "127.0.0.1:4711";

    #[track_caller]
    fn check(head: &str, expected: Result<&str, Fault>) {
        let (here, state) = (HERE.parse().unwrap(), Secret::from("s t"));
        let read = read(head.as_bytes(), here, "/callback", &state);
        let code = |read: ReceivedCallback| read.code.expose_text().unwrap().to_owned();
        assert_eq!(read.map(code), expected.map(str::to_owned), "{head}");
    }

    fn get(query: &str) -> String {
        format!("GET /callback?{query} HTTP/1.1\r\nhost:{HERE}\r\nAccept: */*\r\n\r\n")
    }

    #[test]
    fn one_code_for_one_state() {
        check(&get("code=a&state=s+t"), Ok("a"));
        check(&get("state=s%20t&x=1&x=2&code=%C3%A9&"), Ok("é"));
        for odd in [
            "",
            "code=a",
            "code=&state=s+t",
            "state=s+t",
            "code=a&state=s+t&state=s+t",
            "code=a&%63ode=b&state=s+t",
            "code=a&error=b&state=s+t",
            "code=a&state=S+t",
            "code=%&state=s+t",
            "code=%zz&state=s+t",
            "code=%ff&state=s+t",
        ] {
            check(&get(odd), Err(MALFORMED));
        }
        check(&get("error=access_denied&state=s+t"), Err(Fault::Refused("access_denied".into())));
        let words = "error=e&error_description=a%0d%0ab&state=s+t";
        check(&get(words), Err(Fault::Refused("e (ab)".into())));
    }

    #[test]
    fn words_of_a_server_are_short_and_plain_and_do_not_repeat_the_state() {
        let refused = |description: &str| {
            let (here, state) = (HERE.parse().unwrap(), Secret::from("s t"));
            let head = get(&format!("error=e&error_description={description}&state=s+t"));
            match read(head.as_bytes(), here, "/callback", &state) {
                Err(Fault::Refused(words)) => words,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(refused("for+s+t+and+s%0A+t"), "e (for [state] and [state])");
        assert_eq!(refused("%E2%80%AEgnorw%22%5C%C3%A9"), "e (gnorw)");
        assert_eq!(refused(&"a".repeat(1000)).len(), 256);
    }

    #[test]
    fn an_empty_state_is_nobodys() {
        let (head, here) = (get("code=a&state="), HERE.parse().unwrap());
        let read = read(head.as_bytes(), here, "/callback", &Secret::from(""));
        assert_eq!(read.map(drop), Err(MALFORMED));
    }

    #[test]
    fn nothing_but_a_get_of_this_very_place() {
        let good = get("code=a&state=s+t");
        let changed = |from: &str, to: &str| good.replacen(from, to, 1);
        check(&changed("/callback", "/other"), Err(Fault::Ignored(404, "There is nothing here.")));
        check(&changed("GET", "PUT"), Err(Fault::Ignored(405, "There is nothing to send here.")));
        for odd in [
            changed(HERE, "localhost:4711"),
            changed(HERE, "127.0.0.1"),
            changed(&format!("host:{HERE}\r\n"), ""),
            changed("Accept", "Host"),
            changed("HTTP/1.1", "HTTP/2"),
            changed(" HTTP", "  HTTP"),
            changed("\r\n\r\n", "\r\n"),
            String::new(),
        ] {
            check(&odd, Err(MALFORMED));
        }
    }
}
