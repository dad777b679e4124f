//! What suites against real programs need: finding them, giving them a port, starting and stopping them.

use super::process::{stop, tail};
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub use super::process::output;

/// The program in one of these folders, on the path, or where servers lie that only root has on the path.
pub(super) fn find(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let servers = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let folders = folders.iter().chain(&path).chain(&servers);
    folders.map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// A loopback port that was free a moment ago.
///
/// # Errors
///
/// If the system gives none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A program that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts a program that stays in the foreground. What it writes goes to the log.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self, String> {
        let both = File::create(log).and_then(|file| Ok((file.try_clone()?, file)));
        let (out, err) = both.map_err(|error| format!("{}: {error}", log.display()))?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let child =
            child.map_err(|error| format!("{:?} did not start: {error}", command.get_program()))?;
        Ok(Self { child, log: log.to_path_buf() })
    }

    /// Waits until the port on loopback takes connections.
    ///
    /// # Errors
    ///
    /// If the program ends first, or the time is over: with the end of its log.
    pub fn ready(&mut self, port: u16, within: Duration) -> Result<(), String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let start = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => {
                    return Err(format!("ended with {status}: {}", tail(&self.log)));
                }
                Err(error) => return Err(error.to_string()),
            }
            if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
                return Ok(());
            }
            if start.elapsed() > within {
                return Err(format!("port {port} takes no connections: {}", tail(&self.log)));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("messaging-auth-{name}-{}.log", std::process::id()))
    }

    #[test]
    fn finds_programs_in_the_given_folders_first() {
        assert!(find("sh", &[]).is_some());
        assert_eq!(find("no-such-program-at-all", &[]), None);
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf();
        assert_eq!(find("Cargo.toml", std::slice::from_ref(&own)), Some(own.join("Cargo.toml")));
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_ready_and_another_is_not() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let log = log("ready");
        let mut server = Server::start(Command::new("sleep").arg("60"), &log).unwrap();
        let within = Duration::from_secs(5);
        assert_eq!(server.ready(listener.local_addr().unwrap().port(), within), Ok(()));
        let refused = server.ready(free_port().unwrap(), Duration::ZERO).unwrap_err();
        assert!(refused.contains("takes no connections"), "{refused}");
        std::fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_server_that_ends_says_so_with_its_log() {
        let log = log("ends");
        let mut server =
            Server::start(Command::new("sh").args(["-c", "echo no configuration; exit 3"]), &log)
                .unwrap();
        let what = server.ready(free_port().unwrap(), Duration::from_secs(5)).unwrap_err();
        assert!(what.contains("exit status: 3") && what.contains("no configuration"), "{what}");
        std::fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_dropped_server_is_gone() {
        let log = log("dropped");
        let server = Server::start(Command::new("sleep").arg("60"), &log).unwrap();
        let process = PathBuf::from(format!("/proc/{}", server.child.id()));
        assert!(process.exists(), "this test needs /proc");
        drop(server);
        assert!(!process.exists());
        std::fs::remove_file(log).unwrap();
    }
}
