//! The table that a person reads.

use super::{calls::Line, rotation::Rotation};

const TITLES: [&str; 6] = ["caller", "what was sent", "verdict", "status", "challenge", "µs"];

/// Prints the lines of one path.
pub fn lines(path: &str, lines: &[Line], colour: Colour) {
    println!("\n  {}", colour.bold(path));
    for line in lines {
        let mark = if line.instead_of.is_none() { colour.green("✓") } else { colour.red("✗") };
        let micros = line.took.as_micros();
        let status = match line.status {
            0 => String::from("-"),
            status => status.to_string(),
        };
        println!(
            "  {mark} {:<13} {:<40} {:<31} {:>3}  {:>6}  {}",
            line.caller,
            line.sent,
            line.verdict,
            status,
            micros,
            shortened(&line.challenge)
        );
        if let Some(expected) = &line.instead_of {
            println!("    {}", colour.red(&format!("expected {expected}")));
        }
    }
}

/// Prints the time line of a rotation: what happened when, and with which of the two credentials clients called then.
pub fn rotation(rotation: &Rotation, colour: Colour) {
    println!("\n  {}", colour.bold(&format!("{} is rotated under constant load", rotation.of)));
    println!("    {:>6}  {:<62} {:<16} {:>6} {:>6}", "minute", "", "old ■ new □", "old", "new");
    for step in &rotation.steps {
        let mark = if step.is_right { colour.green("✓") } else { colour.red("✗") };
        let [old, new] = step.calls;
        let filled = (old * WIDTH + (old + new) / 2) / (old + new).max(1);
        let bar = "■".repeat(filled) + &"□".repeat(WIDTH - filled);
        println!("  {mark} {:>6}  {:<62} {bar} {old:>6} {new:>6}", step.minute, step.what);
    }
    let verdict = format!("{} good calls, {} refused", rotation.calls, rotation.refused);
    let verdict = if rotation.refused == 0 { colour.green(&verdict) } else { colour.red(&verdict) };
    println!("    {:>6}  {verdict}", "");
}

const WIDTH: usize = 16;

/// As much of a challenge as tells what is asked for.
fn shortened(challenge: &str) -> String {
    const MOST: usize = 60;
    match challenge.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", challenge.get(..end).unwrap_or_default()),
        None => challenge.to_owned(),
    }
}

/// Prints what the columns are.
pub fn head(colour: Colour) {
    let [caller, sent, verdict, status, challenge, took] = TITLES;
    println!(
        "    {}",
        colour.bold(&format!(
            "{caller:<13} {sent:<40} {verdict:<30} {status:>4}  {took:>6}  {challenge}"
        ))
    );
}

/// Does the terminal show colours?
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Ansi,
    Plain,
}

impl Colour {
    /// Colours for a terminal, unless `NO_COLOR` is set.
    pub fn of_stdout() -> Self {
        use std::io::IsTerminal;
        let wanted = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        if wanted { Self::Ansi } else { Self::Plain }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self == Self::Ansi { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub fn red(self, text: &str) -> String {
        self.paint("31", text)
    }
}
