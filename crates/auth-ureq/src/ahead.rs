//! A body that is read on a thread of its own, so that a caller that waits for its end can give up and go on.

use std::{
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// What is still to come of a body. The thread is at most two pieces ahead of the reader, and ends with the body, or with
/// the next piece after the reader was dropped.
pub(crate) struct Ahead {
    /// Never locked: ureq wants its bodies to be `Sync`, and a receiver is not.
    pieces: Mutex<Receiver<io::Result<Vec<u8>>>>,
    /// What of the last piece was not handed on.
    piece: io::Cursor<Vec<u8>>,
}

/// The most bytes of one piece.
const PIECE: usize = 8 * 1024;

impl Ahead {
    /// Reads until the end, until more than `limit` bytes came, or for as long as `patience` lasts. What came, and the rest
    /// if the end was not reached.
    pub(crate) fn read(
        body: impl Read + Send + 'static,
        limit: usize,
        patience: Duration,
    ) -> io::Result<(Vec<u8>, Option<Self>)> {
        let (send, pieces) = sync_channel(1);
        thread::Builder::new().name("auth-ureq body".into()).spawn(move || {
            // Without a word of its own, a thread that panicked would look like the end of the body.
            if catch_unwind(AssertUnwindSafe(|| pump(body, &send))).is_err() {
                let text = "the thread that read the body ended before the body";
                let _ = send.send(Err(io::Error::other(text)));
            }
        })?;
        let (began, mut bytes) = (Instant::now(), Vec::new());
        while bytes.len() <= limit {
            match pieces.recv_timeout(patience.saturating_sub(began.elapsed())) {
                Ok(piece) => bytes.append(&mut piece?),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Ok((bytes, None)),
            }
        }
        Ok((bytes, Some(Self { pieces: Mutex::new(pieces), piece: io::Cursor::default() })))
    }
}

/// Sends pieces until the body ends or fails, or nobody wants them any more.
fn pump(mut body: impl Read, pieces: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = match body.read(&mut piece) {
            Ok(0) => return,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read,
        };
        let failed = read.is_err();
        let sent = pieces.send(read.map(|length| {
            piece.truncate(length);
            piece
        }));
        if failed || sent.is_err() {
            return;
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.pieces.get_mut().unwrap_or_else(PoisonError::into_inner).recv() {
                Ok(piece) => self.piece = io::Cursor::new(piece?),
                Err(_) => return Ok(0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one piece, and panics when it is asked for the next.
    struct Panics(bool);

    impl Read for Panics {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(!std::mem::replace(&mut self.0, true), "as it happens in a dependency");
            (&b"half"[..]).read(buffer)
        }
    }

    #[test]
    fn a_reader_that_panics_is_an_error_and_not_the_end() {
        let patience = Duration::from_secs(10);
        let whole = Ahead::read(Panics(false), 64, patience).map(|(bytes, _)| bytes);
        assert!(whole.unwrap_err().to_string().contains("before the body"));
        let (bytes, rest) = Ahead::read(Panics(false), 3, patience).unwrap();
        assert_eq!(bytes, b"half");
        assert!(rest.unwrap().read(&mut [0; 4]).is_err());
    }
}
