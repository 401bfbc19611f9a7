//! `uforge-export-server audit`: the audit trail on the machine, also while a server runs. Nothing is written.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use domain::jobs::{AuditLog, AuditPage, NumberedEntry};
use thiserror::Error;

use crate::compose::{StoreError, open_trail};
use crate::csv;

/// Entries that are read at once.
const PAGE: usize = 1_000;

/// Prints who asked for whose data, when, and what came of it: newest first, also while a server runs.
#[derive(Debug, Parser)]
#[command(name = "uforge-export-server audit", version, max_term_width = 100)]
pub(crate) struct AuditArgs {
    /// Folder of the server
    #[arg(long, env = "UFORGE_EXPORT_DATA", value_name = "DIR")]
    data: PathBuf,

    /// As CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,

    /// As JSON, as `GET /api/v1/audit` gives it
    #[arg(long)]
    json: bool,

    /// The newest entries only
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
}

/// Why the trail could not be printed.
#[derive(Debug, Error)]
pub(crate) enum AuditCommandError {
    /// It cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be read.
    #[error(transparent)]
    Trail(#[from] domain::jobs::AuditError),
    /// It cannot be written to standard output.
    #[error("could not write to standard output")]
    Output(#[from] io::Error),
}

/// How entries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Csv,
    Json,
}

impl AuditArgs {
    fn form(&self) -> Form {
        match (self.csv, self.json) {
            (true, _) => Form::Csv,
            (false, true) => Form::Json,
            (false, false) => Form::Text,
        }
    }
}

/// Prints the trail. Whoever reads the output may stop reading.
pub(crate) async fn print(args: &AuditArgs) -> Result<(), AuditCommandError> {
    let trail = open_trail(Path::new(&args.data)).await?;
    let limit = args.limit.unwrap_or(usize::MAX);
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&*trail, args.form(), limit, &mut out).await {
        Err(AuditCommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(())
        }
        other => other,
    }
}

async fn write(
    trail: &dyn AuditLog,
    form: Form,
    limit: usize,
    out: &mut impl Write,
) -> Result<(), AuditCommandError> {
    match form {
        Form::Csv => out.write_all(csv::HEAD.as_bytes())?,
        Form::Json => out.write_all(b"{\"entries\":[")?,
        Form::Text => {}
    }
    let mut before = None;
    let mut left = limit;
    let mut separator = "";
    while left > 0 {
        let limit = left.min(PAGE);
        let entries = trail.page(AuditPage { before, limit }).await?;
        for entry in &entries {
            match form {
                Form::Csv => out.write_all(csv::line(entry).as_bytes())?,
                Form::Json => {
                    let entry = serde_json::to_string(entry).map_err(io::Error::from)?;
                    write!(out, "{separator}\n{entry}")?;
                }
                Form::Text => writeln!(out, "{}", line(entry))?,
            }
            separator = ",";
        }
        left -= entries.len();
        before = entries.last().map(|last| last.number);
        if entries.len() < limit {
            break;
        }
    }
    if form == Form::Json {
        out.write_all(b"\n],\"next\":null}\n")?;
    }
    Ok(out.flush()?)
}

/// An entry for people. What would move the cursor or turn the text around is escaped.
fn line(entry: &NumberedEntry) -> String {
    let NumberedEntry { number, entry } = entry;
    let mut line = format!("{number:>6}  {:.0}  {:<17}", entry.at, entry.action.name());
    for (name, value) in [
        ("by", entry.actor.as_ref().map(ToString::to_string)),
        ("of", entry.subject.as_ref().map(ToString::to_string)),
        ("from", entry.from.clone()),
        ("export", entry.export.as_ref().map(ToString::to_string)),
        ("bytes", entry.bytes.map(|bytes| bytes.to_string())),
        ("sha256", entry.sha256.map(|sum| sum.to_string())),
        ("detail", entry.detail.clone()),
    ] {
        if let Some(value) = value {
            line.extend(["  ", name, "="]);
            line.extend(value.chars().flat_map(char::escape_debug));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use domain::jobs::{AuditAction, AuditEntry};
    use domain::model::UserId;
    use domain::testing::MemoryAudit;
    use jiff::Timestamp;

    fn entry(actor: &str) -> AuditEntry {
        AuditEntry {
            at: Timestamp::UNIX_EPOCH,
            action: AuditAction::ExportRequested,
            actor: Some(UserId::parse(actor).unwrap()),
            subject: None,
            from: None,
            export: None,
            sha256: None,
            bytes: None,
            detail: None,
        }
    }

    async fn written(form: Form, entries: usize, limit: usize) -> String {
        let trail = MemoryAudit::default();
        for number in 0..entries {
            trail.append(entry(&format!("user{number}"))).await.unwrap();
        }
        let mut out = Vec::new();
        write(&trail, form, limit, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_command_line_is_well_formed() {
        AuditArgs::command().debug_assert();
    }

    #[tokio::test]
    async fn every_entry_is_printed_once_however_many_there_are() {
        let text = written(Form::Json, 2 * PAGE + 1, usize::MAX).await;
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let entries = document["entries"].as_array().unwrap();
        assert_eq!(entries.len(), 2 * PAGE + 1);
        assert_eq!(entries[0]["number"], 2 * PAGE + 1);
        assert_eq!(entries[2 * PAGE]["number"], 1);
        assert_eq!(written(Form::Csv, 3, 2).await.lines().count(), 3);
        assert_eq!(written(Form::Text, 3, usize::MAX).await.lines().count(), 3);
        let none: serde_json::Value =
            serde_json::from_str(&written(Form::Json, 0, usize::MAX).await).unwrap();
        assert_eq!(none["entries"], serde_json::json!([]));
    }

    #[test]
    fn what_is_said_cannot_turn_a_line_around() {
        let mut entry = NumberedEntry {
            number: 1,
            entry: entry("john"),
        };
        entry.entry.detail = Some("\u{202e}nhoj\u{1b}[2J".to_owned());
        assert!(!line(&entry).contains('\u{1b}'));
        assert!(!line(&entry).contains('\u{202e}'));
    }
}
