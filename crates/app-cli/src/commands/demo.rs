//! `demo`: the same as `export`, against a sandbox of its own on a free port of this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use domain::model::{BagFormat, UserId};
use domain::workflow::Limits;
use sandbox::Announcement;

use crate::args::DemoArguments;
use crate::compose;
use crate::credentials::Secret;
use crate::error::CommandError;
use crate::exit::Ending;
use crate::render::printable;
use crate::settings::{
    ConnectionSettings, Encryption, Layer, Origin, OutputSettings, Route, SelectionSettings,
    SettingsError, SignIn, Trust,
};
use crate::signals::Signals;

use super::job::Job;
use super::outcome::report;
use super::receipt::{ReceiptJob, refuse_impossible_receipt};
use super::run::export;
use super::session::{Session, ask};
use super::target::refuse_impossible;

const FREE_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub(super) fn run(session: &mut Session, arguments: DemoArguments) -> Result<Ending, CommandError> {
    let mut flags = Layer::default();
    arguments.output.fill(&mut flags);
    let inputs = session.inputs(flags)?;
    let output = OutputSettings::of(&inputs.layers)?;
    refuse_impossible(&output)?;
    refuse_impossible_receipt(&output)?;
    let (format, key) = (output.format, key_flag(&output.encryption));
    let finished = Session::serve(async {
        let mut signals = Signals::listen().map_err(CommandError::Runtime)?;
        let wanted = output.clone();
        let receipt = ask(&mut signals, move || ReceiptJob::open(&wanted)).await?;
        let (running, announcement) = compose::sandbox(FREE_PORT, compose::scenario(None)?).await?;
        let job = Job {
            connection: connection(&announcement)?,
            selection: SelectionSettings::everything(),
            output,
            receipt,
            earlier: None,
        };
        let finished = export(session, signals, &job).await;
        running.shutdown().await;
        finished
    })?;
    if let Some(bag) = &finished.bag {
        session.messages.info(&ways_to_look(bag, format, key));
    }
    Ok(report(session, finished))
}

/// Signs in as the sandbox says.
fn connection(sandbox: &Announcement) -> Result<ConnectionSettings, SettingsError> {
    let server = compose::server_address(&sandbox.url).map_err(|source| SettingsError::Url {
        origin: Origin::Default,
        source,
    })?;
    let login = UserId::parse(&sandbox.user).map_err(|source| SettingsError::Login {
        key: "user",
        origin: Origin::Default,
        source,
    })?;
    Ok(ConnectionSettings {
        route: Route::WithinThisMachine,
        server,
        user: login.clone(),
        sign_in: SignIn::Direct {
            login,
            secret: Secret::Password(sandbox.password.as_str().into()),
        },
        trust: Trust::System,
        timeout: Limits::SILENCE,
    })
}

/// What opens an encrypted bag.
fn key_flag(encryption: &Encryption) -> Option<&'static str> {
    match encryption {
        Encryption::None => None,
        Encryption::Recipients(_) => Some("--identity YOUR-KEY"),
        Encryption::Passphrase(_) => Some("--passphrase-file FILE"),
    }
}

/// How to see what is in the bag with what every computer has, and with this program.
fn ways_to_look(bag: &Path, format: BagFormat, key: Option<&str>) -> String {
    let bag = bag.display().to_string();
    let bag = printable(&bag);
    if let Some(key) = key {
        return format!("\nLook at it:\n  uforge-export list {key} \\\n      {bag}");
    }
    let (list, unpack) = match format {
        BagFormat::Zip => ("unzip -l", "unzip"),
        BagFormat::Tar => ("tar tf", "tar xf"),
        BagFormat::TarGz => ("tar tzf", "tar xzf"),
    };
    format!(
        "\nLook at it:\n  {list} {bag}\n  {unpack} {bag}\n  uforge-export verify --deep {bag}\n\
         Unpacked, its index.html opens in a browser."
    )
}
