//! The audit trail as CSV (RFC 4180). Logins and details come from outside: no cell of theirs may be a formula in a spreadsheet.

use domain::jobs::NumberedEntry;

/// The first line: what the columns are.
pub(crate) const HEAD: &str = "number,at,action,actor,subject,from,export,sha256,bytes,detail\r\n";

/// An entry as a line.
pub(crate) fn line(entry: &NumberedEntry) -> String {
    let NumberedEntry { number, entry } = entry;
    let text = |value: Option<&str>| cell(value.unwrap_or_default());
    let cells = [
        number.to_string(),
        entry.at.to_string(),
        entry.action.name().to_owned(),
        text(entry.actor.as_ref().map(domain::model::UserId::as_str)),
        text(entry.subject.as_ref().map(domain::model::UserId::as_str)),
        text(entry.from.as_deref()),
        text(entry.export.as_ref().map(domain::jobs::JobId::as_str)),
        entry.sha256.map(|sum| sum.to_string()).unwrap_or_default(),
        entry
            .bytes
            .map(|bytes| bytes.to_string())
            .unwrap_or_default(),
        text(entry.detail.as_deref()),
    ];
    cells.join(",") + "\r\n"
}

/// A cell in quotes. What a spreadsheet would take for a formula begins with an apostrophe, which makes it text.
pub(crate) fn cell(text: &str) -> String {
    const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '＠'];
    let first = text.trim_start().chars().next();
    let is_formula =
        text.starts_with(FORMULA) || first.is_some_and(|first| FORMULA.contains(&first));
    let mark = if is_formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::jobs::{AuditAction, AuditEntry};
    use domain::model::UserId;
    use jiff::Timestamp;

    #[test]
    fn a_cell_is_text_whatever_is_in_it() {
        for (text, written) in [
            ("john", "\"john\""),
            ("", "\"\""),
            ("a \"b\", c\nd", "\"a \"\"b\"\", c\nd\""),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("  =1", "\"'  =1\""),
            ("\t=1", "\"'\t=1\""),
        ] {
            assert_eq!(cell(text), written);
        }
    }

    #[test]
    fn a_line_has_a_cell_for_each_column() {
        let entry = NumberedEntry {
            number: 7,
            entry: AuditEntry {
                at: Timestamp::UNIX_EPOCH,
                action: AuditAction::ExportRequested,
                actor: Some(UserId::parse("=cmd|' /C calc'!A0").unwrap()),
                subject: None,
                from: Some("192.0.2.7".to_owned()),
                export: None,
                sha256: None,
                bytes: Some(12),
                detail: None,
            },
        };
        assert_eq!(
            line(&entry),
            "7,1970-01-01T00:00:00Z,export-requested,\"'=cmd|' /C calc'!A0\",\"\",\"192.0.2.7\",\"\",,12,\"\"\r\n"
        );
        assert_eq!(HEAD.split(',').count(), 10);
    }
}
