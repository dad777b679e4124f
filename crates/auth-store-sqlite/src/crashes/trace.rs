//! What a process told its files, as strace wrote it down.

use std::{collections::HashMap, path::Path};

/// What was done to a file, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) file: String,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// It was made, or opened if it was there.
    Make,
    Write {
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate(usize),
    Sync,
    /// It has this name too.
    Link {
        to: String,
    },
    Unlink,
}

/// The steps of files under this directory, by the names that they have in it; that of the directory itself is empty.
///
/// Lines are `PID call(arguments) = result`. Of a call that was interrupted by another thread's, the first line ends with
/// `<unfinished ...>`; the second one begins with `<... call resumed>`, and it is done there.
pub(super) fn parse(text: &str, directory: &Path) -> Vec<Step> {
    let (mut unfinished, mut steps) = (HashMap::new(), Vec::new());
    for line in text.lines() {
        let (process, call) = line.split_once(' ').unwrap();
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process, begun);
            continue;
        }
        let whole = match call.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            Some((_, rest)) => format!("{}{rest}", unfinished.remove(process).unwrap()),
            None => String::from(call),
        };
        steps.extend(step(&whole, directory));
    }
    steps
}

fn step(call: &str, directory: &Path) -> Option<Step> {
    let (name, rest) = call.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    // It failed, or the process ended in the middle of it.
    if result.starts_with('-') || result.starts_with('?') {
        return None;
    }
    let arguments = arguments.strip_suffix(')')?;
    let parts: Vec<&str> = arguments.split(", ").collect();
    let number = |part: &str| part.parse().unwrap();
    let (path, what) = match name {
        "openat" if arguments.contains("O_CREAT") => (quoted(parts[1]), What::Make),
        "pwrite64" => {
            let bytes = quoted(parts[1]);
            assert_eq!(bytes.len(), number(parts[2]), "strace cut a write short");
            assert_eq!(bytes.len(), number(result), "a write wrote less");
            (described(parts[0])?, What::Write { at: number(parts[3]), bytes })
        }
        // Appended, since its place is not said.
        "write" => (described(parts[0])?, What::Write { at: usize::MAX, bytes: quoted(parts[1]) }),
        "ftruncate" => (described(parts[0])?, What::Truncate(number(parts[1]))),
        "fsync" | "fdatasync" => (described(parts[0])?, What::Sync),
        "link" | "linkat" => {
            let mut names = parts.iter().filter(|part| part.starts_with('"'));
            let from = quoted(names.next()?);
            (from, What::Link { to: inside(quoted(names.next()?), directory)? })
        }
        "unlink" => (quoted(parts[0]), What::Unlink),
        "unlinkat" => (quoted(parts[1]), What::Unlink),
        _ => return None,
    };
    Some(Step { file: inside(path, directory)?, what })
}

fn inside(path: Vec<u8>, directory: &Path) -> Option<String> {
    let path = String::from_utf8(path).ok()?;
    let name = Path::new(&path).strip_prefix(directory).ok()?.to_str()?;
    Some(String::from(name))
}

/// The path of a descriptor: `5<\x2f...>`.
fn described(part: &str) -> Option<Vec<u8>> {
    let (_, path) = part.split_once('<')?;
    Some(unescaped(path.strip_suffix('>')?))
}

fn quoted(part: &str) -> Vec<u8> {
    let text = part.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    unescaped(text.unwrap_or_else(|| panic!("{part:.80} is no whole string")))
}

/// Every byte is `\x` and two digits.
fn unescaped(text: &str) -> Vec<u8> {
    let byte = |part: &[u8]| {
        let digit = |at: usize| char::from(part[at]).to_digit(16).unwrap();
        u8::try_from(digit(2) * 16 + digit(3)).unwrap()
    };
    text.as_bytes().chunks(4).map(byte).collect()
}

#[test]
fn reads_what_strace_writes() {
    let text = "7 pwrite64(3<\\x2f\\x64\\x2f\\x78>, \"\\x61\\x2c\", 2, 9) = 2\n\
        7 fdatasync(3<\\x2f\\x64\\x2f\\x78> <unfinished ...>\n\
        8 unlink(\"\\x2f\\x64\\x2f\\x79\") = 0\n\
        7 <... fdatasync resumed>) = 0\n\
        7 fsync(4<\\x2f\\x64>) = 0\n\
        7 unlink(\"\\x2f\\x64\\x2f\\x7a\") = -1 ENOENT (No such file or directory)\n\
        8 fsync(4<\\x2f\\x64>) = ?\n\
        8 +++ exited with 0 +++\n";
    let step = |file: &str, what| Step { file: file.into(), what };
    let expected = [
        step("x", What::Write { at: 9, bytes: b"a,".to_vec() }),
        step("y", What::Unlink),
        step("x", What::Sync),
        step("", What::Sync),
    ];
    assert_eq!(parse(text, Path::new("/d")), expected);
}
