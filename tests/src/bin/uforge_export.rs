//! The command line, as the whole-program tests start it.

/// The whole program.
fn main() -> std::process::ExitCode {
    app_cli::main()
}
