fn main() {
    let secret = auth_core::Secret::from("s3cret");
    println!("{secret}");
}
