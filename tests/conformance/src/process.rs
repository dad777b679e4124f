//! Stopping programs, and reading what they write without waiting for ever.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Runs a program to its end, with nothing on its standard input, and keeps what it writes.
///
/// # Errors
///
/// If it does not start, or has not ended in time; then it is stopped.
pub fn output(command: &mut Command, within: Duration) -> Result<Output, String> {
    let name = format!("{:?}", command.get_program());
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{name} did not start: {error}"))?;
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let Some(status) = ended(&mut child, within) else {
        stop(&mut child);
        return Err(format!("{name} did not end within {} s", within.as_secs()));
    };
    // A process that inherited the pipe may hold it open; what was written until now is enough.
    let read =
        |stream: Receiver<Vec<u8>>| stream.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
    Ok(Output { status, stdout: read(stdout), stderr: read(stderr) })
}

/// Asks a program to end, so that it can end those that it started; then ends it.
pub(super) fn stop(child: &mut Child) {
    if matches!(child.try_wait(), Ok(Some(_))) {
        return;
    }
    let _ = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &child.id().to_string()]).status();
    if ended(child, Duration::from_secs(3)).is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The last lines of a log.
pub(super) fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

fn ended(child: &mut Child, within: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if start.elapsed() > within {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn drain(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, within: u64) -> Result<Output, String> {
        output(Command::new("sh").args(["-c", script]), Duration::from_secs(within))
    }

    #[test]
    fn keeps_both_streams_and_the_status() {
        let output = shell("echo out; echo err >&2; exit 4", 10).unwrap();
        assert_eq!(
            (output.stdout.as_slice(), output.stderr.as_slice()),
            (&b"out\n"[..], &b"err\n"[..])
        );
        assert_eq!(output.status.code(), Some(4));
    }

    #[test]
    fn more_than_a_pipe_holds_is_read() {
        let output = shell("head -c 300000 /dev/zero", 10).unwrap();
        assert_eq!(output.stdout.len(), 300_000);
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        let start = Instant::now();
        let what = shell("exec sleep 60", 0).unwrap_err();
        assert!(what.contains("did not end within 0 s"), "{what}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_program_that_does_not_heed_is_ended() {
        let mut child = Command::new("sh")
            .args(["-c", "trap '' TERM; while :; do sleep 1; done"])
            .spawn()
            .unwrap();
        // Time for the trap to be set.
        std::thread::sleep(Duration::from_millis(200));
        stop(&mut child);
        assert!(matches!(child.try_wait(), Ok(Some(_))));
    }
}
