//! The page that a person sees.

/// It went well.
pub(super) const DONE: &str = "The program is authorized. You can close this window.";

/// The server, or the person, refused.
pub(super) fn refused(what: &str) -> String {
    format!("The program was not authorized: {what}. You can close this window.")
}

/// A whole response with one plain sentence.
pub(super) fn page(status: u16, sentence: &str) -> Vec<u8> {
    let phrase = match status {
        200 => "OK",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Bad Request",
    };
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Authorization</title>\n\
         <style>body{{font:1.2em system-ui;margin:20vh auto;max-width:30em;padding:0 1em}}</style>\n<p>{}</p>\n</html>\n",
        escaped(sentence)
    );
    let length = body.len();
    format!(
        "HTTP/1.1 {status} {phrase}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\n\
         content-security-policy: default-src 'none'; style-src 'unsafe-inline'\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
