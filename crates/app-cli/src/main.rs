//! `uforge-export`: everything is in the library, so that the workspace's tests can run it as well.

fn main() -> std::process::ExitCode {
    app_cli::main()
}
