#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| chartoci_fuzz::ignore(data));
