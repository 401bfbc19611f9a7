//! When a page is full, and where it goes.

use super::page::{Entry, FileLink, Notice, PageText, render_entry, render_page};
use super::sources::Document;
use crate::bag::layout::view_page;
use crate::model::{BagPath, Section, Sha256};
use crate::ports::{PayloadInPlace, Receipt, SinkError, TagFile};
use crate::redact::{ShownDocument, show};
use crate::report::{Report, SectionView, Views};

/// Objects of one page.
const OBJECTS_A_PAGE: usize = 200;
/// About so much is shown of one object: more than the largest that people make.
const LARGEST_OBJECT_BYTES: usize = 256 * 1024;
/// A page that has grown beyond this shows less of each object that is still to come.
const LARGE_PAGE_BYTES: usize = 6 * 1024 * 1024;
const SMALL_OBJECT_BYTES: usize = 4 * 1024;
/// Notices of one section: documents that cannot be read.
const MOST_NOTICES: usize = 50;

/// The pages that were written.
#[derive(Debug, Default)]
pub struct Written {
    /// Each with its SHA-256, in the order in which they were written.
    pub sums: Vec<(BagPath, Sha256)>,
    /// What `index.html` shows of them.
    pub views: Views,
}

/// Where pages go, and where documents come from.
pub(super) struct Output<'a> {
    report: &'a Report,
    bag: &'a mut dyn PayloadInPlace,
    written: Written,
}

impl<'a> Output<'a> {
    pub(super) fn new(report: &'a Report, bag: &'a mut dyn PayloadInPlace) -> Self {
        Self {
            report,
            bag,
            written: Written::default(),
        }
    }

    pub(super) fn into_written(self) -> Written {
        self.written
    }

    /// All bytes of a document; `None` where they cannot be read back.
    pub(super) fn bytes_of(&mut self, file: &Receipt) -> Option<Vec<u8>> {
        self.bag.first_bytes(&file.path, u64::MAX)
    }

    pub(super) fn first_bytes(&mut self, file: &Receipt, at_most: u64) -> Option<Vec<u8>> {
        self.bag.first_bytes(&file.path, at_most)
    }

    /// Reads a document, or says why it cannot be read.
    pub(super) fn show<T>(
        &mut self,
        document: Document<'_>,
        see: impl FnOnce(&ShownDocument<'_>) -> T,
    ) -> Result<T, Notice> {
        let file = document.file;
        let bytes = self.bytes_of(file);
        let bytes = bytes.ok_or_else(|| Notice::unreadable(file, None))?;
        show(document.form, &bytes, see)
            .map_err(|error| Notice::unreadable(file, Some(error.to_string())))
    }

    fn write(&mut self, section: Section, number: usize, html: String) -> Result<(), SinkError> {
        let path = view_page(section, number);
        self.written
            .sums
            .push((path.clone(), Sha256::of(html.as_bytes())));
        self.bag.add(TagFile {
            path,
            bytes: html.into(),
        })
    }
}

/// The pages of one section.
pub(super) struct SectionPages {
    pub(super) section: Section,
    /// The number of the page that is being filled, from 1.
    page: usize,
    /// The objects of the page that is being filled.
    entries: String,
    /// How many they are.
    on_page: usize,
    /// How many objects the section has had so far.
    objects: usize,
    /// Documents that the objects of the page come from.
    documents: Vec<FileLink>,
    notices: Vec<Notice>,
}

impl SectionPages {
    pub(super) fn new(section: Section) -> Self {
        Self {
            section,
            page: 1,
            entries: String::new(),
            on_page: 0,
            objects: 0,
            documents: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// How many bytes of the next object are shown.
    pub(super) fn budget(&self) -> usize {
        if self.entries.len() > LARGE_PAGE_BYTES && self.on_page < OBJECTS_A_PAGE {
            SMALL_OBJECT_BYTES
        } else {
            LARGEST_OBJECT_BYTES
        }
    }

    pub(super) fn add(&mut self, entry: &Entry, output: &mut Output<'_>) -> Result<(), SinkError> {
        if self.on_page == OBJECTS_A_PAGE {
            self.write(output, true)?;
            self.page += 1;
            self.entries.clear();
            self.on_page = 0;
            // The document that this object comes from is the last.
            let last = self.documents.pop();
            self.documents = last.into_iter().collect();
        }
        self.objects += 1;
        self.on_page += 1;
        if let Some(created) = entry.object.created {
            output.written.views.created.note(created);
        }
        render_entry(self.section, self.objects, entry, &mut self.entries);
        Ok(())
    }

    /// Objects that are added from now on come from this document.
    pub(super) fn add_document(&mut self, file: &Receipt) {
        self.documents.push(FileLink::of(file));
    }

    pub(super) fn add_notice(&mut self, notice: Notice) {
        if self.notices.len() < MOST_NOTICES {
            self.notices.push(notice);
        }
    }

    /// Writes the last page; none where there is nothing to say.
    pub(super) fn finish(self, output: &mut Output<'_>) -> Result<(), SinkError> {
        if self.objects == 0 && self.notices.is_empty() {
            return Ok(());
        }
        self.write(output, false)?;
        output.written.views.sections.push(SectionView {
            section: self.section,
            pages: self.page,
            objects: self.objects as u64,
        });
        Ok(())
    }

    fn write(&self, output: &mut Output<'_>, has_next: bool) -> Result<(), SinkError> {
        let html = render_page(&PageText {
            section: self.section,
            report: output.report,
            page: self.page,
            has_next,
            first: self.objects + 1 - self.on_page,
            last: self.objects,
            entries: &self.entries,
            documents: &self.documents,
            notices: if has_next { &[] } else { &self.notices },
        });
        output.write(self.section, self.page, html)
    }
}
