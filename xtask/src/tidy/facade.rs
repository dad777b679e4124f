//! The facade holds no code.

use super::source::code;
use crate::metadata::Metadata;
use crate::repository;

const NAME: &str = "messaging-auth";
const MOST: usize = 80;

pub fn find(metadata: &Metadata) -> Result<Vec<String>, String> {
    let Some(facade) = metadata.ours().find(|package| package.name == NAME) else {
        return Ok(vec![format!("there is no crate {NAME}")]);
    };
    let files = repository::files(&facade.manifest.with_file_name("src"), ".rs")?;
    let texts: Result<Vec<String>, String> =
        files.iter().map(|path| repository::read(path)).collect();
    Ok(find_in(&texts?.concat()))
}

fn find_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > MOST {
        found.push(format!("the facade has {lines} lines, at most {MOST}"));
    }
    let bare = without_attributes(&code(text).join("\n"));
    let statements =
        bare.split(';').map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "));
    let wrong =
        statements.filter(|statement| !statement.is_empty() && !statement.starts_with("pub use "));
    found.extend(wrong.map(|statement| format!("the facade holds `{statement}`")));
    found
}

fn without_attributes(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some((before, attribute)) = rest.split_once('#') {
        kept.push_str(before);
        rest = attribute.split_once(']').map_or("", |(_, after)| after);
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(find_in(text), expected);
    }

    #[test]
    fn allows_re_exports_attributes_and_docs() {
        check(
            "//! Docs; more.\n#![forbid(a)]\n\n#[cfg(feature = \"x\")]\npub use a::{\n    b,\n    c as d,\n};\n",
            &[],
        );
    }

    #[test]
    fn names_whatever_else_it_holds() {
        check("pub use a;\nmod b;\n", &["the facade holds `mod b`"]);
        check("use a;\n", &["the facade holds `use a`"]);
        check("pub use a;\nfn b() {}\n", &["the facade holds `fn b() {}`"]);
    }

    #[test]
    fn is_short() {
        check(&"pub use a;\n".repeat(MOST), &[]);
        check(&"pub use a;\n".repeat(MOST + 1), &["the facade has 81 lines, at most 80"]);
    }
}
