#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| messaging_auth_fuzz::infobip_answer(data));
