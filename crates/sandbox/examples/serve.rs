//! Runs a sandbox: `cargo run -p sandbox --example serve -- [--listen 127.0.0.1:0] [--scenario FILE]`.

use std::net::SocketAddr;
use std::path::PathBuf;

use sandbox::{Scenario, serve};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut listen: SocketAddr = ([127, 0, 0, 1], 0).into();
    let mut scenario = Scenario::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("`{argument}` needs a value"))?;
        match argument.as_str() {
            "--listen" => listen = value.parse()?,
            "--scenario" => scenario = Scenario::load(&PathBuf::from(value))?,
            _ => return Err(format!("`{argument}` is not known").into()),
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let running = serve(listen, scenario).await?;
        #[expect(
            clippy::print_stdout,
            reason = "the announcement is what this program is for"
        )]
        {
            println!("{}", serde_json::to_string(&running.announcement())?);
        }
        std::future::pending::<()>().await;
        Ok(())
    })
}
