//! The programs of README and guide, built as projects of their own: as somebody has them who copies a page.

use crate::arguments::{Arguments, Failure, Verb};
use crate::metadata::Metadata;
use crate::{command, repository};
use std::path::{Path, PathBuf};

pub const VERB: Verb = Verb {
    name: "programs",
    about: "build each program of README and guide outside the workspace, with the dependencies that its page names",
    operands: None,
    flags: &[],
    run,
};

/// So many pages name dependencies, at least: a page whose fences are no longer found is not passed over.
const FEWEST_PAGES: usize = 4;

fn run(_: &Arguments) -> Result<String, Failure> {
    Ok(build(&Metadata::load()?)?)
}

/// Builds all of them; how many there are.
pub fn build(metadata: &Metadata) -> Result<String, String> {
    let folder = repository::target().join("programs");
    let mut names = Vec::new();
    for path in pages()? {
        let page = Page::read(&repository::read(&path)?)
            .map_err(|what| format!("{}: {what}", repository::shown(&path)))?;
        if let Some(page) = page {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
            write(&folder.join(&name), &name, &page)?;
            names.push((name, page.programs.len()));
        }
    }
    if names.len() < FEWEST_PAGES {
        return Err(format!("{} pages name dependencies, expected {FEWEST_PAGES}", names.len()));
    }
    let manifest = manifest(metadata, &names);
    repository::write(&folder.join("Cargo.toml"), &manifest)?;
    // The versions that everything else is tested with.
    let lock = repository::read(&repository::root().join("Cargo.lock"))?;
    repository::write(&folder.join("Cargo.lock"), &lock)?;
    // One after another, or a feature that one page forgot would come from another one.
    for (name, _) in &names {
        let mut cargo = command::cargo();
        cargo.current_dir(&folder).args(["check", "--quiet", "--bins", "--package", name]);
        cargo.env("CARGO_TARGET_DIR", folder.join("target")).env("RUSTFLAGS", "-Dwarnings");
        command::run(&mut cargo)?;
    }
    let programs: usize = names.iter().map(|(_, programs)| programs).sum();
    Ok(format!("{programs} programs of {} pages", names.len()))
}

fn pages() -> Result<Vec<PathBuf>, String> {
    let mut pages = repository::files(&repository::root().join("docs/guide"), ".md")?;
    pages.push(repository::root().join("README.md"));
    Ok(pages)
}

/// A project of projects: our own crates stand in for those of the registry.
fn manifest(metadata: &Metadata, names: &[(String, usize)]) -> String {
    let members: Vec<String> = names.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let members = members.join(", ");
    let ours = metadata.published().map(|package| {
        let folder = package.manifest.parent().unwrap_or(Path::new(""));
        format!("{} = {{ path = {:?} }}\n", package.name, folder.display().to_string())
    });
    let ours: String = ours.collect();
    format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n[patch.crates-io]\n{ours}")
}

fn write(folder: &Path, name: &str, page: &Page) -> Result<(), String> {
    // What an earlier state of the page had.
    let _ = std::fs::remove_dir_all(folder);
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n{}",
        page.dependencies
    );
    repository::write(&folder.join("Cargo.toml"), &manifest)?;
    for (n, program) in page.programs.iter().enumerate() {
        let path = folder.join(format!("src/bin/{name}-{}.rs", n + 1));
        repository::write(&path, program)?;
    }
    Ok(())
}

#[derive(Debug, PartialEq)]
struct Page {
    /// The block that begins with `[dependencies]`.
    dependencies: String,
    /// The blocks that have a `main`.
    programs: Vec<String>,
}

impl Page {
    /// `None` for a page that names no dependencies.
    fn read(text: &str) -> Result<Option<Self>, String> {
        let (mut dependencies, mut programs) = (Vec::new(), Vec::new());
        for (language, code) in fences(text) {
            if language == "toml" && code.starts_with("[dependencies]") {
                dependencies.push(code);
            } else if language.starts_with("rust") && code.lines().any(is_main) {
                programs.push(code);
            }
        }
        let Some(first) = dependencies.pop() else { return Ok(None) };
        if !dependencies.is_empty() {
            return Err("two blocks of dependencies, expected one for the page".into());
        }
        if programs.is_empty() {
            return Err("a block of dependencies, and no program with a `main`".into());
        }
        Ok(Some(Self { dependencies: first, programs }))
    }
}

fn is_main(line: &str) -> bool {
    line.starts_with("fn main(") || line.starts_with("async fn main(")
}

/// The blocks of code between fences, each with what stands behind its first fence.
fn fences(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.into(), String::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some((_, code)), None) => {
                code.push_str(line);
                code.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPENDENCIES: &str = "```toml\n[dependencies]\nour = \"1\"\n```\n";
    const PROGRAM: &str = "```rust,no_run\nfn main() {}\n```\n";

    #[test]
    fn reads_the_dependencies_and_the_programs_of_a_page() {
        let text = format!("# Page\n{DEPENDENCIES}\n```rust\nlet part = 1;\n```\n\n{PROGRAM}");
        let page = Page {
            dependencies: "[dependencies]\nour = \"1\"\n".into(),
            programs: vec!["fn main() {}\n".into()],
        };
        assert_eq!(Page::read(&text), Ok(Some(page)));
    }

    #[test]
    fn a_page_without_dependencies_is_passed_over_and_one_without_programs_is_not() {
        assert_eq!(Page::read(PROGRAM), Ok(None));
        assert!(Page::read(DEPENDENCIES).is_err());
        assert!(Page::read(&format!("{DEPENDENCIES}{DEPENDENCIES}{PROGRAM}")).is_err());
        // What a page hides from its readers is no program to them.
        let hidden = format!("{DEPENDENCIES}```rust\n# fn main() {{\nlet it = 1;\n# }}\n```\n");
        assert!(Page::read(&hidden).is_err());
    }
}
