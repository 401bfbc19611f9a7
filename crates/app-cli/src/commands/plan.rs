//! `plan`: what an export would contain. Nothing but GET is sent.

use domain::workflow::{self, Plan, PlannedSection, SectionPlan};
use serde::Serialize;

use crate::args::PlanArguments;
use crate::error::CommandError;
use crate::exit::Ending;
use crate::render::{Table, count, number, size};
use crate::settings::{ConnectionSettings, Layer, SelectionSettings, UnsignedConnection};
use crate::signals::Signals;
use crate::stdout;

use super::question::ask;
use super::session::{Session, sign};

pub(super) fn run(session: &mut Session, arguments: PlanArguments) -> Result<Ending, CommandError> {
    let mut flags = Layer::default();
    arguments.connection.fill(&mut flags);
    arguments.selection.fill(&mut flags);
    let mut inputs = session.inputs_with_credentials(flags)?;
    let selection = SelectionSettings::of(&inputs.layers)?;
    let unsigned = UnsignedConnection::of(&mut inputs)?;
    session.say_warnings(&inputs);
    let (connection, plan) = Session::wait_for(async {
        let mut signals = Signals::listen().map_err(CommandError::Runtime)?;
        let connection = sign(&mut signals, unsigned).await?;
        let plan = ask(
            session,
            &mut signals,
            &connection,
            &selection,
            workflow::plan,
        )
        .await?;
        Ok((connection, plan))
    })?;
    let text = if arguments.json {
        stdout::json(&json(&plan, &connection))?
    } else {
        table(&plan, &connection)
    };
    stdout::write(&text)?;
    Ok(Ending::Done)
}

#[derive(Serialize)]
struct PlanJson<'a> {
    url: &'a str,
    user: &'a str,
    platform_version: Option<&'a str>,
    sections: Vec<SectionJson<'a>>,
    items: Vec<ItemJson<'a>>,
}

#[derive(Serialize)]
struct SectionJson<'a> {
    name: &'a str,
    plan: &'static str,
    listed: Option<u64>,
    wanted: Option<u64>,
    bytes: Option<u64>,
    reason: Option<&'a str>,
    entitlement: Option<&'static str>,
}

#[derive(Serialize)]
struct ItemJson<'a> {
    kind: domain::model::ItemKind,
    id: i64,
    name: Option<&'a str>,
    version: Option<&'a str>,
    bytes: Option<u64>,
}

fn section_json(section: &workflow::PlannedSection) -> SectionJson<'_> {
    let info = section.section.info();
    let (plan, listed, wanted, bytes, reason) = match &section.plan {
        SectionPlan::Fetch {
            listed,
            wanted,
            bytes,
        } => ("fetch", Some(*listed), Some(*wanted), *bytes, None),
        SectionPlan::Unavailable { reason } => {
            ("unavailable", None, None, None, Some(reason.as_str()))
        }
        SectionPlan::Unread => ("fetch", None, None, None, None),
        SectionPlan::Excluded => ("excluded", None, None, None, None),
    };
    SectionJson {
        name: info.name,
        plan,
        listed,
        wanted,
        bytes,
        reason,
        entitlement: info.entitlement,
    }
}

fn json<'a>(plan: &'a Plan, connection: &'a ConnectionSettings) -> PlanJson<'a> {
    let items = plan.items.iter().map(|item| ItemJson {
        kind: item.item.kind,
        id: item.item.id.get(),
        name: item.name.as_deref(),
        version: item.version.as_deref(),
        bytes: item.size,
    });
    PlanJson {
        url: &connection.server.url,
        user: connection.user.as_str(),
        platform_version: plan.platform_version.as_deref(),
        sections: plan.sections.iter().map(section_json).collect(),
        items: items.collect(),
    }
}

fn table(plan: &Plan, connection: &ConnectionSettings) -> String {
    let mut sections = Table::new(40);
    sections.row(["SECTION", "OBJECTS", "SIZE", ""]);
    for section in &plan.sections {
        let [objects, bytes, note] = cells(section);
        sections.row([section.section.name(), &objects, &bytes, &note]);
    }
    let mut items = Table::new(40);
    for item in &plan.items {
        let bytes = item.size.map_or_else(String::new, size);
        items.row([
            &item.item.to_string(),
            item.name.as_deref().unwrap_or("(no name)"),
            item.version.as_deref().unwrap_or_default(),
            &bytes,
        ]);
    }
    let archives = number(plan.items.len());
    format!(
        "{} from {}\n\n{sections}\n{} would be exported by the platform:\n{items}",
        connection.user,
        connection.server.url,
        count(archives, "archive", "archives"),
    )
}

/// What stands beside a section's name: objects, size, and why it is not exported.
fn cells(section: &PlannedSection) -> [String; 3] {
    match &section.plan {
        SectionPlan::Fetch {
            listed,
            wanted,
            bytes,
        } => {
            let objects = if listed == wanted {
                wanted.to_string()
            } else {
                format!("{wanted} of {listed}")
            };
            let bytes = bytes.map_or_else(String::new, size);
            [objects, bytes, String::new()]
        }
        SectionPlan::Unavailable { reason } => {
            let reason = match section.section.info().entitlement {
                Some(entitlement) => format!("unavailable: {reason} (needs {entitlement})"),
                None => format!("unavailable: {reason}"),
            };
            ["-".to_owned(), String::new(), reason]
        }
        SectionPlan::Unread => [String::new(), String::new(), String::new()],
        SectionPlan::Excluded => ["-".to_owned(), String::new(), "excluded".to_owned()],
    }
}
