//! The `bongsu` binary. Everything is in the library, so that tests can start it in process.

use std::process::ExitCode;

// glibc's allocator keeps what bursts of deliveries freed; this one gives it back and is faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything opens a TLS connection; an error only says that it is there already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    bongsu::cli::main()
}
