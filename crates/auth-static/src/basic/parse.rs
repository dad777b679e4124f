//! Reading a user name and a password.

use auth_core::{Authorization, Reason, Rejection};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{fmt, str};
use zeroize::{Zeroize, optimization_barrier};

/// A user name and a password that somebody presents: the `user-pass` of RFC 7617 section 2.
///
/// `Debug` shows neither: people type passwords where user names go.
#[derive(Clone, Copy)]
pub struct UserPass<'a> {
    user: &'a str,
    /// UTF-8 too.
    password: &'a [u8],
}

impl<'a> UserPass<'a> {
    /// Reads a user name and a password from the one field, into a buffer (RFC 7617 section 2).
    ///
    /// It is canonical base64 with its padding, of UTF-8 without control characters; the first `:` ends the user name.
    /// How long it may be is for [`Authorization`] to say.
    ///
    /// # Errors
    ///
    /// The 400 of [`Authorization::token68`] when there is not exactly one value; else the reason `basic_malformed`, to
    /// which a verifier answers a 401 with its challenge, as it does to wrong passwords, because RFC 7617 leaves it open, and
    /// a caller that is asked again can do better.
    ///
    /// ```
    /// use auth_core::Authorization;
    /// use auth_static::{UserPass, UserPassBuffer};
    /// let field = Authorization::parse(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap();
    /// let mut buffer = UserPassBuffer::new();
    /// let user_pass = UserPass::parse(&field, &mut buffer).unwrap();
    /// assert_eq!((user_pass.user(), user_pass.password()), ("Aladdin", &b"open sesame"[..]));
    /// ```
    #[inline]
    pub fn parse(
        field: &Authorization<'_>,
        buffer: &'a mut UserPassBuffer,
    ) -> Result<Self, BasicRefused> {
        // Base64 is a token68: only of what cannot be read is it worth asking whether it could be several values.
        let refused = || {
            field
                .token68()
                .map_or_else(BasicRefused::Ambiguous, |_| BasicRefused::Malformed(MALFORMED))
        };
        let decoded = buffer.decode(field.credentials()).ok_or_else(refused)?;
        let is_text = match kind(decoded) {
            Kind::Ascii => true,
            Kind::Control => false,
            Kind::Other => str::from_utf8(decoded).is_ok(),
        };
        if !is_text {
            return Err(refused());
        }
        let colon = decoded.iter().position(|byte| *byte == b':').ok_or_else(refused)?;
        let (user, rest) = decoded.split_at_checked(colon).ok_or_else(refused)?;
        let user = str::from_utf8(user).map_err(|_| refused())?;
        Ok(Self { user, password: rest.strip_prefix(b":").unwrap_or_default() })
    }

    /// Both, as somebody presents them.
    #[must_use]
    pub const fn new(user: &'a str, password: &'a str) -> Self {
        Self { user, password: password.as_bytes() }
    }

    pub(super) const fn of(user: &'a str, password: &'a [u8]) -> Self {
        Self { user, password }
    }

    /// The user name, exactly as it was sent.
    #[must_use]
    pub const fn user(&self) -> &'a str {
        self.user
    }

    /// The password, bytes that are UTF-8: for the one place that checks it.
    #[must_use]
    pub const fn password(&self) -> &'a [u8] {
        self.password
    }
}

impl fmt::Debug for UserPass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserPass(..)")
    }
}

/// Why there is no user name and password.
#[derive(Debug)]
pub enum BasicRefused {
    /// There are several readings: a 400.
    Ambiguous(Rejection),
    /// There is none: a verifier answers it as it answers a wrong password.
    Malformed(Reason),
}

/// Is there a CTL of RFC 5234 appendix B.1?
pub(super) fn has_control(text: &[u8]) -> bool {
    kind(text) == Kind::Control
}

/// What bytes are made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Visible ASCII and spaces.
    Ascii,
    /// A CTL of RFC 5234 appendix B.1 is among them.
    Control,
    /// No CTL, and something beyond ASCII.
    Other,
}

/// Looks at eight bytes at a time, since every request asks.
///
/// Subtracting borrows into the top bit of a byte only where the byte was smaller: below a space, or DEL made zero.
fn kind(text: &[u8]) -> Kind {
    const EACH: u64 = u64::MAX / 255;
    let (mut control, mut beyond) = (0, 0);
    let mut look = |eight: [u8; 8]| {
        let text = u64::from_ne_bytes(eight);
        let delete = text ^ (EACH * 0x7f);
        control |= (text.wrapping_sub(EACH * 0x20) & !text) | (delete.wrapping_sub(EACH) & !delete);
        beyond |= text;
    };
    text.chunks_exact(8).for_each(|eight| look(eight.try_into().unwrap_or_default()));
    // The last eight overlap those before, unless there are no eight.
    look(text.last_chunk().copied().unwrap_or_else(|| {
        let mut few = [b' '; 8];
        few.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        few
    }));
    match (control & (EACH * 0x80) != 0, beyond & (EACH * 0x80) != 0) {
        (true, _) => Kind::Control,
        (false, true) => Kind::Other,
        (false, false) => Kind::Ascii,
    }
}

/// Where [`UserPass::parse`] decodes to: on the stack up to 128 bytes, on the heap beyond. It is wiped when dropped.
pub struct UserPassBuffer {
    stack: [u8; Self::STACK],
    heap: Vec<u8>,
}

impl UserPassBuffer {
    const STACK: usize = 128;

    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self { stack: [0; Self::STACK], heap: Vec::new() }
    }

    #[inline]
    fn decode(&mut self, token68: &[u8]) -> Option<&[u8]> {
        let most = token68.len().div_ceil(4) * 3;
        let room = if most <= Self::STACK {
            self.stack.as_mut_slice()
        } else {
            self.wipe();
            self.heap = vec![0; most];
            self.heap.as_mut_slice()
        };
        let length = STANDARD.decode_slice(token68, room).ok()?;
        room.get(..length)
    }

    #[inline]
    fn wipe(&mut self) {
        self.stack.fill(0);
        optimization_barrier(&self.stack);
        if !self.heap.is_empty() {
            self.heap.zeroize();
        }
    }
}

impl Default for UserPassBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for UserPassBuffer {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl fmt::Debug for UserPassBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserPassBuffer(..)")
    }
}

const MALFORMED: Reason = Reason::new(
    "basic_malformed",
    "credentials are not the base64 of a user name, ':' and a password in UTF-8",
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a field of this token68.
    fn read<'b>(
        token68: &str,
        buffer: &'b mut UserPassBuffer,
    ) -> Result<UserPass<'b>, BasicRefused> {
        UserPass::parse(
            &Authorization::parse(format!("Basic {token68}").as_bytes()).unwrap(),
            buffer,
        )
    }

    fn text<'b>(read: &UserPass<'b>) -> &'b str {
        str::from_utf8(read.password()).unwrap()
    }

    #[track_caller]
    fn check(token68: &str, expected: Option<(&str, &str)>) {
        let mut buffer = UserPassBuffer::new();
        let read = read(token68, &mut buffer).ok();
        assert_eq!(read.as_ref().map(|read| (read.user(), text(read))), expected, "{token68}");
    }

    /// The examples of RFC 7617 sections 2 and 2.1 first.
    #[test]
    fn reads_canonical_base64_of_utf_8_alone() {
        check("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", Some(("Aladdin", "open sesame")));
        check("dGVzdDoxMjPCow==", Some(("test", "123\u{a3}")));
        check("Og==", Some(("", "")));
        check("YTo6Yjo=", Some(("a", ":b:")));
        check("", None);
        check("YWI=", None); // no colon
        check("QWxhZGRpbjpvcGVuIHNlc2FtZQ", None); // no padding
        check("QWxhZGRpbjpvcGVuIHNlc2FtZQ=", None); // half of it
        check("Og===", None);
        check("Oh==", None); // stray bits, which another decoder may drop
        check("YTpjZB==", None);
        check("YTo-", None); // URL-safe alphabet
        check("dGVzdDoxMjOj", None); // 123£ in ISO-8859-1
        check("YQA6Yg==", None); // a NUL in the user name
        check("YTpiDQo=", None); // CR LF behind the password
        check("YTpifw==", None); // DEL
        check("Yjo\u{e9}", None);
        check("YT pi", None);
    }

    #[test]
    fn wipes_what_it_decoded_and_shows_nothing() {
        let mut buffer = UserPassBuffer::new();
        read("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", &mut buffer).unwrap();
        assert_eq!(&buffer.stack[..7], b"Aladdin");
        buffer.wipe();
        assert_eq!(buffer.stack, [0; UserPassBuffer::STACK]);
        let long = STANDARD.encode("u:".to_owned() + &"p".repeat(200));
        read(&long, &mut buffer).unwrap();
        assert!(buffer.heap.starts_with(b"u:pp"));
        buffer.wipe();
        assert!(buffer.heap.is_empty());
        let read = read(&long, &mut buffer).unwrap();
        assert_eq!(read.password().len(), 200);
        assert_eq!(format!("{read:?}"), "UserPass(..)");
        assert_eq!(format!("{buffer:?}"), "UserPassBuffer(..)");
    }

    proptest! {
        #[test]
        fn finds_control_characters_wherever_they_are(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(has_control(&text), text.iter().any(u8::is_ascii_control));
        }

        #[test]
        fn finds_no_control_character_where_there_is_none(text in "\\P{Cc}{0,40}") {
            prop_assert!(!has_control(text.as_bytes()));
        }

        #[test]
        fn what_is_printed_is_read_back(user in "[^:\\p{Cc}]{0,60}", password in "\\P{Cc}{0,200}") {
            let printed = STANDARD.encode(format!("{user}:{password}"));
            let mut buffer = UserPassBuffer::new();
            let read = read(&printed, &mut buffer).unwrap();
            prop_assert_eq!((read.user(), text(&read)), (&*user, &*password));
            prop_assert_eq!(STANDARD.encode(format!("{}:{}", read.user(), text(&read))), printed);
        }

        /// Whatever is read has one spelling: no two fields are the same credentials.
        #[test]
        fn any_bytes_are_read_whole_or_refused(field in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut buffer = UserPassBuffer::new();
            let Ok(field) = Authorization::parse(&field) else { return Ok(()) };
            if let Ok(read) = UserPass::parse(&field, &mut buffer) {
                let spelled = STANDARD.encode(format!("{}:{}", read.user(), text(&read)));
                prop_assert_eq!(spelled.as_bytes(), field.credentials());
            }
        }

        #[test]
        fn any_token68_is_read_whole_or_refused(token68 in "[A-Za-z0-9+/]{0,8}={0,2}") {
            let mut buffer = UserPassBuffer::new();
            if let Ok(read) = read(&token68, &mut buffer) {
                prop_assert_eq!(STANDARD.encode(format!("{}:{}", read.user(), text(&read))), token68);
            }
        }
    }
}
