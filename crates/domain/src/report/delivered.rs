//! What a receipt says of a bag, from the report and the tag files that describe it.

use super::export_json::TOOL;
use super::{Completeness, Report};
use crate::bag::receipt::{Counts, Delivered, ReceivedSource, ReceivedTool};
use crate::model::Sha256;

/// Sums of the tag files by which a receipt knows a bag again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagSums {
    /// Of the manifest over all tag files.
    pub tagmanifest: Sha256,
    /// Of `export.json`.
    pub export_json: Sha256,
}

#[cfg(any(test, feature = "testing"))]
impl Default for TagSums {
    /// Those of empty files.
    fn default() -> Self {
        Self {
            tagmanifest: Sha256::of(&[]),
            export_json: Sha256::of(&[]),
        }
    }
}

/// What a receipt says of the bag with this report and tag files of these sums.
pub fn delivered(report: &Report, tags: TagSums) -> Delivered {
    Delivered {
        tagmanifest_sha256: tags.tagmanifest,
        export_json_sha256: tags.export_json,
        user: report.user.as_str().to_owned(),
        source: ReceivedSource {
            url: report.source.clone(),
            uforge_version: report.platform_version.clone(),
        },
        tool: ReceivedTool {
            name: TOOL.to_owned(),
            version: report.tool_version.clone(),
        },
        started: report.started.to_string(),
        finished: report.finished.to_string(),
        outcome: match report.completeness {
            Completeness::Complete => "complete",
            Completeness::Partial => "partial",
        }
        .to_owned(),
        counts: Counts {
            sections: report.sections.len() as u64,
            items: report.items.len() as u64,
            files: report.files.len() as u64,
            bytes: report.files.iter().map(|file| file.bytes).sum(),
            failures: report.failures.len() as u64,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Views, sample, write_tag_files};
    use super::*;
    use crate::bag::layout::Tag;
    use crate::bag::receipt::{BagReceipt, ReceivedBag, ReceivedFile, compare};
    use crate::bag::verify::RecordedExport;
    use crate::model::UserId;

    #[test]
    fn a_receipt_agrees_with_the_export_json_that_it_was_made_with() {
        for report in [sample::complete(), sample::partial(), sample::empty()] {
            let (views, mut tags) = (Views::default(), Vec::new());
            let sums = write_tag_files(&report, (&views, Vec::new()), &mut tags).unwrap();
            let bytes_of = |tag: Tag| {
                let mut tags = tags.iter();
                let file = tags.find(|file| file.path.as_str() == tag.name());
                file.unwrap().bytes.clone()
            };
            let delivered = delivered(&report, sums);
            let file = ReceivedFile {
                name: None,
                bytes: 3,
                sha256: Sha256::of(b"bag"),
            };
            let admin = UserId::parse("admin").unwrap();
            let receipt = BagReceipt::new(file, delivered, &admin);
            let export_json = bytes_of(Tag::ExportJson);
            let recorded = RecordedExport::read(&*export_json).unwrap();
            let found = ReceivedBag {
                name: Some("any.zip".to_owned()),
                file: Some((3, Sha256::of(b"bag"))),
                tagmanifest_sha256: Some(Sha256::of(&bytes_of(Tag::TagManifest))),
                export_json_sha256: Some(Sha256::of(&export_json)),
                recorded: Some(&recorded),
            };
            let compared = compare(&receipt, &found);
            assert_eq!(compared.differences, []);
            assert_eq!(compared.renamed_from, None);
            let (tagmanifest, export_json) =
                (receipt.tagmanifest_sha256, receipt.export_json_sha256);
            let read_back = Delivered::of_recorded(&recorded, tagmanifest, export_json);
            assert_eq!(read_back, Some(super::delivered(&report, sums)));
        }
    }
}
