//! Tag files on their way into a bag. Those that may be megabytes are never in memory as a whole.

use std::io::{self, BufWriter, Write};

use bytes::Bytes;

use super::delivered::TagSums;
use super::views::Views;
use super::{Report, export_json, index_html, tags};
use crate::bag::layout::Tag;
use crate::bag::manifest;
use crate::model::{BagPath, Sha256, Sha256Hasher};
use crate::ports::{PayloadInPlace, SinkError, TagFile};

/// The name of the operator's own text in the bag.
const NOTICE: &str = "notice.txt";

/// Writes the tag files of a run, each as soon as it is made: `export.json` first, then what makes the folder a bag, `index.html`, the
/// operator's own text where there is one, and last the manifest over all of these and over `pages`. Those are in the bag already, and
/// `views` is what is known of them.
pub fn write_tag_files(
    report: &Report,
    (views, pages): (&Views, Vec<(BagPath, Sha256)>),
    bag: &mut dyn PayloadInPlace,
) -> Result<TagSums, SinkError> {
    let mut files = TagWriter::after(pages, bag);
    let export_json = files.write(Tag::ExportJson, |to| export_json::write(report, to))?;
    files.add_bagit(report)?;
    files.write(Tag::IndexHtml, |to| index_html::write(report, views, to))?;
    if let Some((notice, path)) = report.notice.as_ref().zip(BagPath::parse(NOTICE).ok()) {
        files.add(path, notice.clone().into())?;
    }
    Ok(TagSums {
        export_json,
        tagmanifest: files.finish()?,
    })
}

/// Adds tag files to a bag and keeps their sums for the manifest over all of them.
pub struct TagWriter<'b> {
    bag: &'b mut dyn PayloadInPlace,
    sums: Vec<(BagPath, Sha256)>,
}

impl<'b> TagWriter<'b> {
    /// These tag files are in the bag already.
    pub fn after(written: Vec<(BagPath, Sha256)>, bag: &'b mut dyn PayloadInPlace) -> Self {
        Self { bag, sums: written }
    }

    /// Adds a small file.
    pub fn add(&mut self, path: BagPath, bytes: Bytes) -> Result<(), SinkError> {
        self.sums.push((path.clone(), Sha256::of(&bytes)));
        self.bag.add(TagFile { path, bytes })
    }

    /// Adds the declaration, `bag-info.txt` and the manifest of the payload.
    pub fn add_bagit(&mut self, report: &Report) -> Result<(), SinkError> {
        self.add(Tag::Declaration.path(), tags::DECLARATION.into())?;
        self.add(Tag::Info.path(), tags::info(report).into())?;
        let manifest = |to: &mut dyn Write| tags::write_payload_manifest(report, to);
        self.write(Tag::PayloadManifest, manifest)?;
        Ok(())
    }

    /// Adds a file that may be megabytes. Its sum.
    fn write(
        &mut self,
        tag: Tag,
        content: impl Fn(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Sha256, SinkError> {
        let mut sum = Sha256Hasher::default();
        self.bag.add_written(tag.path(), &mut |to| {
            let summed = Summed { to, sum: &mut sum };
            let mut pieces = BufWriter::with_capacity(PIECE_BYTES, summed);
            content(&mut pieces)?;
            pieces.flush()
        })?;
        let sum = sum.finish();
        self.sums.push((tag.path(), sum));
        Ok(sum)
    }

    /// Adds the manifest over all of them, after which there are no more. Its sum.
    pub fn finish(mut self) -> Result<Sha256, SinkError> {
        let sums = std::mem::take(&mut self.sums);
        let sums = sums.iter().map(|(path, sum)| (path.as_str(), sum));
        self.write(Tag::TagManifest, |to| manifest::write(sums.clone(), to))
    }
}

/// Texts are written in very small pieces; these are what goes into the bag.
const PIECE_BYTES: usize = 64 * 1024;

/// Sums up what passes.
struct Summed<'a> {
    to: &'a mut dyn Write,
    sum: &'a mut Sha256Hasher,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.sum.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The tag files of a run as values.
#[cfg(test)]
pub(crate) fn tag_files(report: &Report, views: &Views) -> Vec<TagFile> {
    let mut files = Vec::new();
    let written = write_tag_files(report, (views, Vec::new()), &mut files);
    written.unwrap_or_else(|error| panic!("{error}"));
    files
}
