//! Claims come out of verification alone.

use auth_jwt::Claims;

fn main() {
    let _ = Claims {};
}
