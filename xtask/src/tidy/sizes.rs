//! Files that one can read in one go.

use super::source::{files, lines_before_tests};
use crate::metadata::Metadata;
use crate::repository;

const MOST: usize = 300;

pub fn find(metadata: &Metadata) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for package in metadata.ours() {
        for path in files(package)? {
            let too_long = longer(&repository::read(&path)?);
            found.extend(
                too_long.map(|lines| format!("{}: {lines} lines", repository::shown(&path))),
            );
        }
    }
    Ok(found)
}

fn longer(text: &str) -> Option<usize> {
    Some(lines_before_tests(text)).filter(|lines| *lines > MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_count() {
        let code = "code\n".repeat(MOST);
        assert_eq!(longer(&code), None);
        assert_eq!(longer(&format!("{code}#[cfg(test)]\nmod tests {{\n}}\n")), None);
        assert_eq!(longer(&format!("{code}more\n")), Some(MOST + 1));
    }
}
