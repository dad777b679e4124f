//! Deliveries that come again: while the first is being handled, after it was, and after it failed.

use super::{
    clients::delivery,
    doors::{BODY, Doors, HANDLED, PASSWORD, USER},
};
use crate::peer::run;
use conformance::{Compared, compare};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Each case says the status, what the handler said or why it was not asked, and how often it was.
pub fn cases(curl: &Path, doors: &Doors) -> Vec<Compared> {
    let deliver = |path: &str, body: &str, more: &[&str]| {
        let (user, before) = (format!("{USER}:{PASSWORD}"), doors.handled());
        let words = [&["--user", &user, "--include"], more].concat();
        let said = run(&mut delivery(curl, doors, path, body, &words)).unwrap_or_else(|what| what);
        let said = said.replace('\r', "");
        let (head, rest) = said.split_once("\n\n").unwrap_or_default();
        let (said, status) = rest.rsplit_once('\n').unwrap_or_default();
        let retry = head.lines().find_map(|line| line.strip_prefix("retry-after: "));
        let retry = retry.map_or(String::new(), |seconds| format!(", in {seconds} s"));
        let had = doors.handled() - before;
        format!("{status} {}{retry}, {had} handled", doors.told(before, said))
    };
    let again = |path: &str, more: &[&str]| deliver(path, BODY, more);
    let mut cases = Vec::new();
    let first = format!("{HANDLED}, 1 handled");
    cases.push(compare("once-first", &first, again("once", &[])));
    cases.push(compare("once-again", "200 webhook_handled, 0 handled", again("once", &[])));
    let with_id = ["--header", "x-wx-gtrid: another", "--header", "webhook-id: another"];
    let named = again("once", &with_id);
    cases.push(compare("once-again-under-another-id", "200 webhook_handled, 0 handled", named));
    let other = format!("{BODY}\n");
    cases.push(compare("once-another-body", &first, deliver("once", &other, &[])));
    let failed = again("failing", &[]);
    cases.push(compare("failing-first", first.replace("200", "500"), failed));
    cases.push(compare("failing-again", &first, again("failing", &[])));
    let done = again("failing", &[]);
    cases.push(compare("failing-after-success", "200 webhook_handled, 0 handled", done));
    let slow = thread::scope(|scope| {
        let before = doors.handled();
        let slow = scope.spawn(|| again("slow", &[]));
        let begun = Instant::now();
        while doors.handled() == before && begun.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(10));
        }
        let meanwhile = again("slow", &[]);
        doors.go.notify_one();
        (meanwhile, slow.join().unwrap_or_default())
    });
    let expected = "503 webhook_under_way, in 5 s, 0 handled";
    cases.push(compare("slow-while-under-way", expected, slow.0));
    cases.push(compare("slow-first", &first, slow.1));
    cases.push(compare("slow-after", "200 webhook_handled, 0 handled", again("slow", &[])));
    cases
}
