//! `uforge-export-server`: the self-hosted service. Everything is in the library.

fn main() -> std::process::ExitCode {
    app_server::main()
}
