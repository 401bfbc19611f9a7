//! The service, as the whole-program tests start it.

/// The whole program.
fn main() -> std::process::ExitCode {
    app_server::main()
}
