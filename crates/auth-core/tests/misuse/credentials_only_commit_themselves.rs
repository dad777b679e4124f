use auth_core::Credentials;

fn main() {
    let credentials = Credentials::none();
    let _ = credentials.0;
}
