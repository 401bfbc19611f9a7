//! `plan`: what an export would contain. Nothing but GET is sent.

use domain::model::Order;
use domain::workflow::{self, Plan, PlannedItem, PlannedSection, Ports, SectionPlan};
use serde::Serialize;

use crate::args::PlanArguments;
use crate::error::CommandError;
use crate::exit::Ending;
use crate::render::{Table, count, number, printable, size};
use crate::settings::{ConnectionSettings, Layer, SelectionSettings, UnsignedConnection};
use crate::signals::Signals;
use crate::stdout;

use super::question::ask;
use super::session::{Session, sign};
use super::since;

pub(super) fn run(session: &mut Session, arguments: PlanArguments) -> Result<Ending, CommandError> {
    let mut flags = Layer::default();
    arguments.connection.fill(&mut flags);
    arguments.selection.fill(&mut flags);
    let mut inputs = session.inputs_with_credentials(flags)?;
    let selection = SelectionSettings::of(&inputs.layers)?;
    let unsigned = UnsignedConnection::of(&mut inputs)?;
    let earlier = since::open(&arguments.since, &inputs)?;
    session.say_warnings(&inputs);
    let (connection, plan, bag) = Session::wait_for(async {
        let mut signals = Signals::listen().map_err(CommandError::Runtime)?;
        let connection = sign(&mut signals, unsigned).await?;
        let earlier = since::read(earlier, &mut signals, &connection).await?;
        let question = async |ports: Ports<'_>, order: &Order| match &earlier {
            Some(earlier) => workflow::plan_since(ports, earlier.since(), order).await,
            None => workflow::plan(ports, order).await,
        };
        let plan = ask(session, &mut signals, &connection, &selection, question).await?;
        let bag = earlier.map(|earlier| earlier.earlier().identity().name.clone());
        Ok((connection, plan, bag))
    })?;
    let text = if arguments.json {
        stdout::json(&json(&plan, &connection, bag.as_deref()))?
    } else {
        table(&plan, &connection, bag.as_deref())
    };
    stdout::write(&text)?;
    Ok(Ending::Done)
}

#[derive(Serialize)]
struct PlanJson<'a> {
    url: &'a str,
    user: &'a str,
    platform_version: Option<&'a str>,
    /// The earlier bag's file.
    since: Option<&'a str>,
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
    /// `export` or `reuse`.
    action: &'static str,
    /// Why it is exported although there is an earlier bag.
    reason: Option<String>,
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

fn json<'a>(
    plan: &'a Plan,
    connection: &'a ConnectionSettings,
    since: Option<&'a str>,
) -> PlanJson<'a> {
    let items = plan.items.iter().map(|item| ItemJson {
        kind: item.item.kind,
        id: item.item.id.get(),
        name: item.name.as_deref(),
        version: item.version.as_deref(),
        bytes: item.size,
        action: if is_reused(item) { "reuse" } else { "export" },
        reason: reason(item),
    });
    PlanJson {
        url: &connection.server.url,
        user: connection.user.as_str(),
        platform_version: plan.platform_version.as_deref(),
        since,
        sections: plan.sections.iter().map(section_json).collect(),
        items: items.collect(),
    }
}

fn is_reused(item: &PlannedItem) -> bool {
    item.reuse == Some(Ok(()))
}

/// Why an item is exported although there is an earlier bag.
fn reason(item: &PlannedItem) -> Option<String> {
    match &item.reuse {
        Some(Err(why)) => Some(why.to_string()),
        Some(Ok(())) | None => None,
    }
}

/// What stands beside an item where there is an earlier bag.
fn origin(item: &PlannedItem) -> String {
    match reason(item) {
        Some(why) => format!("exported: {why}"),
        None if is_reused(item) => "taken".to_owned(),
        None => String::new(),
    }
}

fn table(plan: &Plan, connection: &ConnectionSettings, since: Option<&str>) -> String {
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
            &origin(item),
        ]);
    }
    let taken = plan.items.iter().filter(|item| is_reused(item)).count();
    let archives = |count_of| count(number(count_of), "archive", "archives");
    let exported = archives(plan.items.len() - taken);
    let rest = since.map_or_else(String::new, |bag| {
        format!(", {} taken from `{}`", archives(taken), printable(bag))
    });
    format!(
        "{} from {}\n\n{sections}\n{exported} would be exported by the platform{rest}:\n{items}",
        connection.user, connection.server.url,
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
