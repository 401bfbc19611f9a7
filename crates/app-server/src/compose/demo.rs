//! The embedded UForge of a demo, and a folder that goes with it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use domain::model::UserId;
use sandbox::Scenario;
use thiserror::Error;

use crate::settings::Settings;

/// Why there is no demo.
#[derive(Debug, Error)]
pub(crate) enum DemoError {
    /// The embedded UForge found no place to listen.
    #[error("the embedded UForge could not listen on loopback")]
    Listen(#[source] io::Error),
    /// No folder for what the demo keeps.
    #[error("no folder could be made for the demo in `{}`", std::env::temp_dir().display())]
    Folder(#[source] io::Error),
}

/// An embedded UForge on a free port of loopback, and a folder that is removed at the end.
pub(crate) struct Demo {
    forge: sandbox::Running,
    folder: tempfile::TempDir,
}

impl Demo {
    /// Starts it.
    pub(crate) async fn start() -> Result<Self, DemoError> {
        let folder = tempfile::Builder::new()
            .prefix("uforge-export-demo-")
            .tempdir()
            .map_err(DemoError::Folder)?;
        let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let forge = sandbox::serve(free_port, Scenario::default()).await;
        Ok(Self {
            forge: forge.map_err(DemoError::Listen)?,
            folder,
        })
    }

    /// Makes a server's settings those of this demo. The administrator of the embedded UForge is the service's too.
    pub(crate) fn fill(&self, settings: &mut Settings) {
        self.forge.url().clone_into(&mut settings.url);
        settings.data = self.folder.path().join("data");
        let administrator = &self.forge.platform().scenario().administrator;
        settings
            .administrators
            .extend(UserId::parse(&administrator.login));
    }

    /// One line for people: where to go, and what to type there.
    pub(crate) fn invitation(&self, url: &str) -> String {
        let user = &self.forge.platform().scenario().user;
        format!(
            "Open {url} and sign in as `{}` with the password `{}`. Ctrl-C ends the demo and removes what it kept.",
            user.login, user.password
        )
    }

    /// Ends it, and removes the folder.
    pub(crate) async fn end(self) {
        self.forge.shutdown().await;
        if let Err(error) = self.folder.close() {
            tracing::warn!(%error, "the folder of the demo could not be removed");
        }
    }
}
