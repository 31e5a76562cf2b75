#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Err(broken) = tourney_fuzz::event(data) {
        panic!("{broken}");
    }
});
