#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tourney_fuzz::hold(tourney_fuzz::form, data));
