fn main() {
    let secret = auth_core::Secret::from("s3cret");
    let _ = secret == auth_core::Secret::from("guess");
}
