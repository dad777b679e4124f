use auth_core::{Reason, Rejection};

fn main() {
    let _ = Rejection::unauthenticated(Reason::new("missing", "credentials are missing"));
}
