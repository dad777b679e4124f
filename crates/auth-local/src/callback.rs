//! The redirect that a person comes back with.

mod page;
mod request;

use auth_core::{Error, Result, Secret};
use request::Fault;
use std::{
    fmt,
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// Waits on loopback for the browser of a person who has been asked to authorize the program (RFC 8252 section 7.3).
///
/// Begin the authorization request with its [`redirect_uri`](Self::redirect_uri), open the request's URL in a browser, and
/// [`wait`](Self::wait) for the `state` of that request.
///
/// # Security
///
/// It listens on 127.0.0.1 alone, for one answer. A request for another host (a page that rebinds its name), to another
/// path, without the right `state`, or with a parameter twice is answered and otherwise ignored, so that no page in the
/// browser can end the wait; `state` is compared in constant time. Give it at least 128 random bits, and use PKCE
/// (RFC 7636): other programs of the machine can listen too.
///
/// ```no_run
/// use auth_core::{Random, Secret, SystemRandom};
/// use auth_local::CallbackReceiver;
/// use std::time::Duration;
///
/// # fn main() -> auth_core::Result<()> {
/// let receiver = CallbackReceiver::bind()?;
/// let state = "AF0F2SJ8M1X9P5K7"; // random in real life
/// println!("https://login.example/authorize?state={state}&redirect_uri={}", receiver.redirect_uri());
/// let authorized = receiver.wait(&Secret::from(state), Duration::from_secs(300))?;
/// # let _ = authorized.code.expose();
/// # Ok(())
/// # }
/// ```
pub struct CallbackReceiver {
    listener: TcpListener,
    address: SocketAddr,
}

/// The person has authorized the program (RFC 6749 section 4.1.2).
#[derive(Debug)]
#[non_exhaustive]
pub struct ReceivedCallback {
    /// What is exchanged for a token, once and soon.
    pub code: Secret,
    /// Who says so (RFC 9207), where the server tells. It must be whom the request was sent to.
    pub iss: Option<String>,
    query: Secret,
}

impl ReceivedCallback {
    /// All of it, as it stood behind `?`: for a client that reads the answer itself, as `AuthorizationCallback` of
    /// `auth-oauth2` does. It has the code, so it is as secret.
    #[must_use]
    pub fn query(&self) -> &str {
        // It was text when it was received.
        self.query.expose_text().unwrap_or_default()
    }
}

/// What a request is answered with, and what it brought.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallbackReply {
    /// A whole HTTP/1.1 response.
    pub response: Vec<u8>,
    /// The answer of the authorization server, if that is what the request was.
    pub outcome: Option<Result<ReceivedCallback>>,
}

/// No request head is longer.
const MOST_BYTES: usize = 16 * 1024;

/// So many connections are read at once: browsers open some in advance.
const MOST_CONNECTIONS: usize = 16;

impl CallbackReceiver {
    /// The path of the redirect.
    pub const PATH: &'static str = "/callback";

    /// A receiver on any port that is free.
    ///
    /// # Errors
    ///
    /// `Error::Config` when no port can be had.
    pub fn bind() -> Result<Self> {
        let listen = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            listener.local_addr().map(|address| (listener, address))
        };
        let (listener, address) =
            listen().map_err(|error| Error::config("redirect_bind", error))?;
        Ok(Self { listener, address })
    }

    /// What the authorization request says: `http://127.0.0.1:PORT/callback`. Servers take any port (RFC 8252 section
    /// 7.3).
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("http://{}{}", self.address, Self::PATH)
    }

    /// Waits for the answer to the request with this `state`, tells the person that the window can be closed, and listens
    /// no more.
    ///
    /// It blocks its thread: an async program calls it on one that may be blocked.
    ///
    /// # Errors
    ///
    /// `Error::Refused` when the person or the server refused (RFC 6749 section 4.1.2.1): the code of the server is in
    /// the message. `Error::Transport` when nothing came in time. `Error::Config` when the state is empty.
    pub fn wait(self, state: &Secret, limit: Duration) -> Result<ReceivedCallback> {
        if state.expose().is_empty() {
            let text = "state is empty, expected at least 128 random bits";
            return Err(Error::config("redirect_state", text));
        }
        let began = Instant::now();
        let mut connections: Vec<Connection> = Vec::new();
        while began.elapsed() < limit {
            if let Ok((stream, _)) = self.listener.accept() {
                if connections.len() == MOST_CONNECTIONS {
                    connections.remove(0);
                }
                if stream.set_nonblocking(true).is_ok() {
                    connections.push(Connection { stream, head: Vec::new() });
                }
            }
            let mut index = 0;
            while let Some(connection) = connections.get_mut(index) {
                match connection.read() {
                    Progress::Waiting => index += 1,
                    Progress::Gone => drop(connections.remove(index)),
                    Progress::Whole => {
                        let reply = self.reply(&connection.head, state);
                        connection.write(&reply.response);
                        if let Some(outcome) = reply.outcome {
                            return outcome;
                        }
                        drop(connections.remove(index));
                    }
                }
            }
            thread::sleep(Duration::from_millis(5));
        }
        let text = "nobody came back from the authorization server in time";
        Err(Error::transport("redirect_timeout", text))
    }

    /// What the head of a request means while the answer with this `state` is waited for: for those who listen by
    /// themselves.
    #[must_use]
    pub fn reply(&self, head: &[u8], state: &Secret) -> CallbackReply {
        match request::read(head, self.address, Self::PATH, state) {
            Ok(authorized) => CallbackReply {
                response: page::page(200, page::DONE),
                outcome: Some(Ok(authorized)),
            },
            Err(Fault::Refused(refused)) => CallbackReply {
                response: page::page(200, &page::refused(&refused)),
                outcome: Some(Err(Error::refused("redirect_refused", refused))),
            },
            Err(Fault::Ignored(status, why)) => {
                CallbackReply { response: page::page(status, why), outcome: None }
            }
        }
    }
}

impl fmt::Debug for CallbackReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallbackReceiver({})", self.address)
    }
}

/// A browser, and what it has sent so far.
struct Connection {
    stream: TcpStream,
    head: Vec<u8>,
}

enum Progress {
    Waiting,
    Whole,
    Gone,
}

impl Connection {
    fn read(&mut self) -> Progress {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Progress::Gone,
            Ok(count) => self.head.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Progress::Waiting,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Progress::Waiting,
            Err(_) => return Progress::Gone,
        }
        let whole = self.head.windows(4).any(|end| end == b"\r\n\r\n");
        match self.head.len() {
            _ if whole => Progress::Whole,
            // Whatever this is, it is judged as what it is so far, and refused.
            MOST_BYTES.. => Progress::Whole,
            _ => Progress::Waiting,
        }
    }

    /// The page is small and fits into what the system buffers.
    fn write(&mut self, response: &[u8]) {
        // A person who has closed the window misses nothing.
        let _ = self.stream.set_nonblocking(false);
        let _ = self.stream.set_write_timeout(Some(Duration::from_secs(2)));
        let _ = self.stream.write_all(response);
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver() -> CallbackReceiver {
        CallbackReceiver::bind().unwrap()
    }

    fn wait(receiver: CallbackReceiver, limit: Duration) -> Result<ReceivedCallback> {
        receiver.wait(&Secret::from("st4te"), limit)
    }

    /// What the wait ends with after these requests, each on a connection of its own.
    fn visited(requests: &[&str]) -> (Vec<String>, Result<ReceivedCallback>) {
        let receiver = receiver();
        let address = receiver.address;
        let waiting = thread::spawn(move || wait(receiver, Duration::from_secs(10)));
        let pages = requests.iter().map(|request| {
            let mut browser = TcpStream::connect(address).unwrap();
            let request = request.replace("HERE", &address.to_string());
            // In two pieces, as a network may bring it.
            let (one, other) = request.split_at(request.len() / 2);
            browser.write_all(one.as_bytes()).unwrap();
            thread::sleep(Duration::from_millis(20));
            browser.write_all(other.as_bytes()).unwrap();
            let mut page = String::new();
            browser.read_to_string(&mut page).unwrap();
            page
        });
        let pages = pages.collect();
        (pages, waiting.join().unwrap())
    }

    fn get(target: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nHost: HERE\r\n\r\n")
    }

    #[test]
    fn the_answer_is_taken_and_the_person_told() {
        let whole = get("/callback?code=c%2F1&state=st4te&iss=https%3A%2F%2Fissuer.example");
        let (pages, outcome) = visited(&[&whole]);
        let authorized = outcome.unwrap();
        assert!(authorized.code.matches(b"c/1"));
        assert_eq!(authorized.query(), "code=c%2F1&state=st4te&iss=https%3A%2F%2Fissuer.example");
        assert_eq!(authorized.iss.as_deref(), Some("https://issuer.example"));
        assert!(
            pages[0].starts_with("HTTP/1.1 200 OK\r\n") && pages[0].contains("close this window")
        );
        assert!(!format!("{authorized:?}").contains("c/1"));
    }

    #[test]
    fn what_others_send_ends_no_wait() {
        let (pages, outcome) = visited(&[
            &get("/favicon.ico"),
            &get("/callback?code=evil&state=guess"),
            &get("/callback?code=evil"),
            &get("/callback?code=evil&code=c&state=st4te"),
            &get("/callback?state=st4te"),
            &get("/callback?code=evil&state=st4te").replace("HERE", "evil.example"),
            &get("/callback?code=evil&state=st4te").replace("GET", "POST"),
            &get("/callback?code=c&state=st4te"),
        ]);
        let statuses: Vec<_> = pages.iter().map(|page| page.get(9..12).unwrap()).collect();
        assert_eq!(statuses, ["404", "400", "400", "400", "400", "400", "405", "200"]);
        assert!(outcome.unwrap().code.matches(b"c"));
    }

    #[test]
    fn a_refusal_is_told_to_both() {
        let refused = "/callback?error=access_denied&error_description=no+%3Cb%3E&state=st4te";
        let (pages, outcome) = visited(&[&get(refused)]);
        let error = outcome.unwrap_err();
        assert_eq!(error.code(), "redirect_refused");
        assert!(error.to_string().contains("access_denied"), "{error}");
        assert!(pages[0].contains("no &lt;b&gt;") && !pages[0].contains("<b>"), "{}", pages[0]);
    }

    #[test]
    fn nobody_waits_for_ever() {
        let began = Instant::now();
        let error = wait(receiver(), Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.code(), "redirect_timeout");
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn connections_that_say_nothing_are_in_nobodys_way() {
        let receiver = receiver();
        let address = receiver.address;
        let waiting = thread::spawn(move || wait(receiver, Duration::from_secs(10)));
        let silent: Vec<_> = (0..40).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut browser = TcpStream::connect(address).unwrap();
        let request = get("/callback?code=c&state=st4te").replace("HERE", &address.to_string());
        browser.write_all(request.as_bytes()).unwrap();
        assert!(waiting.join().unwrap().is_ok());
        drop(silent);
    }

    #[test]
    fn a_state_is_needed() {
        let error = receiver().wait(&Secret::from(""), Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.code(), "redirect_state");
    }
}
