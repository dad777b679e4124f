#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| messaging_auth_fuzz::symphony_user_jwt(data));
