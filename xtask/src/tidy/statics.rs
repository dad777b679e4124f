//! State that a whole process would share: libraries have none, in no form that Rust's syntax knows.

use super::source::{Code, search};
use crate::metadata::Metadata;
use proc_macro2::{TokenStream, TokenTree};

pub fn find(metadata: &Metadata) -> Result<Vec<String>, String> {
    search(metadata, statics_in)
}

/// Every `static` item and every `thread_local!`, wherever it stands: in a function, in a macro, on any line.
///
/// A `static` that cannot change would be harmless, but its type alone does not show that: `const` says it.
fn statics_in(code: &Code) -> Result<Vec<(usize, &'static str)>, String> {
    let tokens: TokenStream =
        code.lines.join("\n").parse().map_err(|error| format!("is not Rust: {error}"))?;
    let mut found = Vec::new();
    walk(tokens, &mut found);
    Ok(found)
}

fn walk(tokens: TokenStream, found: &mut Vec<(usize, &'static str)>) {
    let mut is_lifetime = false;
    for token in tokens {
        let tick = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
        match token {
            TokenTree::Group(group) => walk(group.stream(), found),
            TokenTree::Ident(word) => {
                let line = word.span().start().line;
                if word == "thread_local" {
                    found.push((line, "`thread_local!`"));
                } else if word == "static" && !is_lifetime {
                    found.push((line, "`static`"));
                }
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        is_lifetime = tick;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::code;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str)]) {
        let code = Code { path: "a.rs".into(), lines: code(text) };
        assert_eq!(statics_in(&code).unwrap(), expected, "{text}");
    }

    #[test]
    fn finds_statics_wherever_they_stand() {
        check("static COUNT: AtomicU64 = AtomicU64::new(0);\n", &[(1, "`static`")]);
        check("fn f() { static N: AtomicU64 = AtomicU64::new(0); }\n", &[(1, "`static`")]);
        check(
            "type Kept = Mutex<u8>;\npub(in crate::a)\nstatic\nKEYS: Kept = kept();\n",
            &[(3, "`static`")],
        );
        check("#[allow(x)] static mut N: u8 = 0;\n", &[(1, "`static`")]);
        check(
            "std::thread_local! { static A: u8 = 0 }\n",
            &[(1, "`thread_local!`"), (1, "`static`")],
        );
        check("macro_rules! m { () => { static A: u8 = 0; } }\n", &[(1, "`static`")]);
    }

    #[test]
    fn takes_no_lifetime_word_or_comment_for_one() {
        check("fn f(a: &'static str) -> Flow<'static, ()> { \"static A: u8\" }\n", &[]);
        check("// static A: u8 = 0;\n/* static B: u8 = 0; */\nfn r#f() { is_static() }\n", &[]);
        check(
            "const A: &'static [u8] = &[];\n#[cfg(test)]\nmod tests {\n    static B: u8 = 0;\n}\n",
            &[],
        );
    }
}
