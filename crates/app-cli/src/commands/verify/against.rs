//! `verify --against`: a bag that is sound, held against the live platform. Nothing but GET is sent.

use std::path::Path;

use domain::bag::verify::RecordedExport;
use domain::model::Order;
use domain::workflow::{self, Against, Ports};

use crate::args::VerifyArguments;
use crate::compose::{self, VerifyReport};
use crate::error::CommandError;
use crate::render::printable;
use crate::settings::{
    ConnectionSettings, Layer, SelectionSettings, ServerAddress, UnsignedConnection,
};
use crate::signals::Signals;

use super::text;
use crate::commands::question;
use crate::commands::session::Session;

/// What was compared with what.
pub(super) type Compared<'a> = (&'a ConnectionSettings, &'a Against);

/// The connection, from the same flags, environment and files as an export's. The platform's address is never taken from the bag,
/// which may come from anywhere: the credentials go there.
pub(super) fn settings(
    session: &mut Session,
    arguments: &mut VerifyArguments,
) -> Result<UnsignedConnection, CommandError> {
    let mut flags = Layer::default();
    // Standard input can only give one secret.
    flags
        .passphrase_file
        .clone_from(&arguments.opening.passphrase_file);
    arguments.connection().fill(&mut flags);
    let mut inputs = session.inputs_with_credentials(flags)?;
    let unsigned = UnsignedConnection::of(&mut inputs)?;
    session.say_warnings(&inputs);
    Ok(unsigned)
}

/// What the bag says of itself, where it is this person's from this platform. Nothing has been sent yet.
pub(super) fn comparable<'a>(
    session: &Session,
    bag: &Path,
    report: &'a VerifyReport,
    connection: &ConnectionSettings,
) -> Result<&'a RecordedExport, CommandError> {
    let recorded = report.recorded.as_ref();
    let recorded = recorded.filter(|recorded| !recorded.selected().is_empty());
    let complete = recorded.and_then(|recorded| {
        let (user, url) = (recorded.user.as_deref()?, recorded.source.url.as_deref()?);
        Some((recorded, user, url))
    });
    let Some((recorded, user, url)) = complete else {
        return Err(CommandError::NotComparable {
            bag: bag.to_owned(),
        });
    };
    let platform = likeness(url, &connection.server);
    if user != connection.user.as_str() || platform == Likeness::Other {
        return Err(CommandError::OtherBag {
            bag: bag.to_owned(),
            user: user.to_owned(),
            source_url: url.to_owned(),
            wanted: connection.user.clone(),
            wanted_url: connection.server.url.clone(),
        });
    }
    if platform == Likeness::OtherAddress {
        session.messages.warn(&format!(
            "the bag was made from `{url}`: is `{}` the same platform?",
            connection.server.url
        ));
    }
    Ok(recorded)
}

/// Whether an address is that of the platform that a bag was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Likeness {
    Same,
    /// On the same host, by another scheme, port or path.
    OtherAddress,
    Other,
}

fn likeness(url: &str, server: &ServerAddress) -> Likeness {
    match compose::server_address(url) {
        Ok(address) if address == *server => Likeness::Same,
        Ok(address) if address.is_on_host_of(server) => Likeness::OtherAddress,
        _ => Likeness::Other,
    }
}

/// Reads the platform's lists and compares.
pub(super) async fn ask(
    session: &Session,
    signals: &mut Signals,
    connection: &ConnectionSettings,
    recorded: &RecordedExport,
) -> Result<Against, CommandError> {
    let everything = SelectionSettings::everything();
    let question =
        async |ports: Ports<'_>, order: &Order| workflow::against(ports, order, recorded).await;
    question::ask(session, signals, connection, &everything, question).await
}

/// What the comparison came to, in words.
pub(super) fn report(
    session: &Session,
    bag: &Path,
    connection: &ConnectionSettings,
    compared: &Against,
) {
    let bag = bag.display().to_string();
    let text = text::drift(&printable(&bag), &connection.server.url, &compared.drift);
    if compared.drift.is_up_to_date() {
        session.messages.info(text.trim_end());
    } else {
        session.messages.notice(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_known_by_its_host() {
        let given = compose::server_address("https://uforge.example.com/api").unwrap();
        for (bag, expected) in [
            ("https://uforge.example.com/api", Likeness::Same),
            ("HTTPS://UForge.example.com:443/api/", Likeness::Same),
            ("https://uforge.example.com", Likeness::OtherAddress),
            (
                "http://uforge.example.com:9090/ufws",
                Likeness::OtherAddress,
            ),
            ("https://uforge.example.org/api", Likeness::Other),
            ("https://example.com/api", Likeness::Other),
            ("file:///etc/passwd", Likeness::Other),
            ("", Likeness::Other),
        ] {
            assert_eq!(likeness(bag, &given), expected, "{bag}");
        }
    }
}
