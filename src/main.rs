//! Parses the command line, runs it, exits.

use std::process::ExitCode;

/// The services' threads free what others of them allocated, all the time; glibc's allocator takes nearly a quarter of
/// their CPU.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    kafkaflow::cli::main()
}
