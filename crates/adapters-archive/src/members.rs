//! Members of a container for who keeps their bytes elsewhere than in one file.
//!
//! Heads, bodies, tails and the end are those of a local bag, and content is encoded, summed up and checked by the same code. Where the
//! pieces are kept, and what is recorded of them, is the caller's matter; nothing in here opens a file.

use std::io::{self, Read};
use std::path::PathBuf;

use domain::model::{BagFormat, SafeName};
use domain::ports::{NewEntry, SinkError, Storage, TagFile};
use jiff::Timestamp;

use crate::container::{
    Container, Content, HeadForm, Member, Placed, ResumablePart, Span, container, first_bytes,
};
use crate::journal::EntryRecord;
use crate::writer::{Checks, MemberWriter};

/// What the members of one bag have in common: its format and its top folder.
#[derive(Clone)]
pub struct ContainerForm {
    container: &'static dyn Container,
    top: SafeName,
}

impl ContainerForm {
    /// Of a bag of this format, with this top folder.
    pub fn new(format: BagFormat, top: SafeName) -> Self {
        Self {
            container: container(format),
            top,
        }
    }

    /// Begins an entry's member.
    pub fn begin(&self, entry: NewEntry) -> MemberEncoder {
        MemberEncoder {
            writer: MemberWriter::new(self.container.encoding(entry.storage), Vec::new()),
            checks: Checks::here(&entry),
            form: self.clone(),
            entry,
        }
    }

    /// How much of a body that is this long so far can be used again, and the content that it holds; `None` where nothing can.
    pub fn reusable(&self, storage: Storage, body: u64) -> Option<ReusableBody> {
        let part = ResumablePart::of(self.container.encoding(storage), body)?;
        Some(ReusableBody(part))
    }

    /// The first bytes of an entry's content, no more than this many, read from its body.
    ///
    /// # Errors
    ///
    /// Where the body cannot be read, or is not what was recorded of it.
    pub fn first_bytes(
        &self,
        record: &EntryRecord,
        body: impl Read,
        at_most: u64,
    ) -> io::Result<Vec<u8>> {
        let encoding = self.container.encoding(record.entry.storage);
        first_bytes(encoding, record.content(), body, at_most)
    }

    fn member(&self, entry: &NewEntry) -> Member {
        Member::new(&self.top, &entry.path, entry.origin.fetched, entry.storage)
    }
}

/// The first bytes of a body that an interrupted run left, as far as they can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReusableBody(ResumablePart);

impl ReusableBody {
    /// Length of the body, in bytes.
    pub fn body_bytes(self) -> u64 {
        self.0.packed
    }

    /// Length of the content in it, in bytes.
    pub fn content_bytes(self) -> u64 {
        self.0.bytes
    }
}

/// An entry's content on its way to a body.
pub struct MemberEncoder {
    form: ContainerForm,
    entry: NewEntry,
    writer: MemberWriter<Vec<u8>>,
    checks: Checks,
}

/// A member whose content has ended and passed its checks.
#[derive(Debug)]
pub struct EncodedMember {
    /// What is recorded of it.
    pub record: EntryRecord,
    /// What stands before the body.
    pub head: Vec<u8>,
    /// What of the body was not taken before.
    pub rest: Vec<u8>,
    /// What stands after the body.
    pub tail: Vec<u8>,
}

impl MemberEncoder {
    /// The entry.
    pub fn entry(&self) -> &NewEntry {
        &self.entry
    }

    /// Takes the next content. What fails its check already is [`SinkError::CheckFailed`].
    pub fn write(&mut self, content: &[u8]) -> Result<(), SinkError> {
        let checked = self.checks.update(content);
        checked.map_err(|failure| SinkError::CheckFailed {
            path: self.entry.path.clone(),
            failure,
        })?;
        self.writer
            .write(content)
            .map_err(|source| encoding_failed(&self.entry, source))
    }

    /// Length of the content so far, in bytes.
    pub fn content_bytes(&self) -> u64 {
        self.writer.bytes()
    }

    /// What of the body has not been taken yet; the caller may take it at any time.
    pub fn body(&mut self) -> &mut Vec<u8> {
        self.writer.output()
    }

    /// Reads the content of a body that an interrupted run left, as if it had just been written. The body's bytes do not come out again.
    pub fn restore(&mut self, part: ReusableBody, body: &mut impl Read) -> Result<(), SinkError> {
        let encoding = self.form.container.encoding(self.entry.storage);
        let mut refused = None;
        let read = part.0.read(encoding, body, |content| {
            if let Err(error) = self.write(content) {
                refused = Some(error);
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.body().clear();
            Ok(())
        });
        match (refused, read) {
            (Some(error), _) => Err(error),
            (None, read) => read.map_err(|source| encoding_failed(&self.entry, source)),
        }
    }

    /// Ends the content: checks the whole.
    pub fn finish(self) -> Result<EncodedMember, SinkError> {
        let container = self.form.container;
        let encoded = self.writer.finish(container);
        let encoded = encoded.map_err(|source| encoding_failed(&self.entry, source))?;
        if let Err(failure) = self.checks.finish(&encoded.sha256) {
            let path = self.entry.path;
            return Err(SinkError::CheckFailed { path, failure });
        }
        let member = self.form.member(&self.entry);
        Ok(EncodedMember {
            head: container.head(&member, encoded.content, HeadForm::Final),
            tail: container.tail(&member, encoded.content),
            rest: encoded.output,
            record: EntryRecord {
                entry: self.entry,
                bytes: encoded.content.bytes,
                crc32: encoded.content.crc32,
                packed: encoded.content.packed,
                sha256: encoded.sha256,
            },
        })
    }
}

fn encoding_failed(entry: &NewEntry, source: io::Error) -> SinkError {
    SinkError::Io {
        action: "encode",
        path: PathBuf::from(entry.path.as_str()),
        source,
    }
}

/// Where the members of a container are, one after the other without gaps.
pub struct Directory {
    form: ContainerForm,
    placed: Vec<Placed>,
    end: u64,
}

impl Directory {
    /// Of a container without members.
    pub fn new(form: ContainerForm) -> Self {
        Self {
            form,
            placed: Vec::new(),
            end: 0,
        }
    }

    /// Where the last member ends, in bytes.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Puts a member behind the last; `length` is that of its head, body and tail.
    pub fn push(&mut self, record: &EntryRecord, length: u64) {
        let member = self.form.member(&record.entry);
        self.push_member(member, record.content(), length);
    }

    /// Encodes a tag file, which is no entry, and puts it behind the last member. Gives its bytes.
    pub fn push_tag(&mut self, tag: &TagFile, modified: Timestamp) -> io::Result<Vec<u8>> {
        let container = self.form.container;
        let storage = Storage::Compressed;
        let member = Member::new(&self.form.top, &tag.path, modified, storage);
        let mut writer = MemberWriter::new(container.encoding(storage), Vec::new());
        writer.write(&tag.bytes)?;
        let encoded = writer.finish(container)?;
        let mut bytes = container.head(&member, encoded.content, HeadForm::Final);
        bytes.extend(encoded.output);
        bytes.extend(container.tail(&member, encoded.content));
        self.push_member(member, encoded.content, bytes.len() as u64);
        Ok(bytes)
    }

    /// When the newest member was fetched.
    pub fn newest(&self) -> Option<Timestamp> {
        self.placed
            .iter()
            .map(|placed| placed.member.modified)
            .max()
    }

    /// What stands after the last member.
    pub fn end_of_container(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.form
            .container
            .end(&self.placed, self.end, &mut bytes)?;
        Ok(bytes)
    }

    fn push_member(&mut self, member: Member, content: Content, length: u64) {
        let offset = self.end;
        self.end += length;
        self.placed.push(Placed {
            member,
            content,
            span: Span {
                offset,
                end: self.end,
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::test_kit::{FORMATS, TOP, archive, document, download, noise, path, read_back};

    #[test]
    fn members_kept_in_pieces_are_a_bag_that_other_tools_read() {
        for format in FORMATS {
            let form = ContainerForm::new(format, SafeName::parse(TOP).unwrap());
            let mut directory = Directory::new(form.clone());
            let mut bag = Vec::new();
            let contents = [("data/a", noise(1, 10)), ("data/b", archive(2, 100_000))];
            for (path, content) in &contents {
                let entry = match *path {
                    "data/a" => document(path, content),
                    _ => download(path),
                };
                let mut encoder = form.begin(entry);
                let mut body = Vec::new();
                for chunk in content.chunks(999) {
                    encoder.write(chunk).unwrap();
                    body.append(encoder.body());
                }
                let EncodedMember {
                    record,
                    head,
                    rest,
                    tail,
                } = encoder.finish().unwrap();
                let member = [head, body, rest, tail].concat();
                directory.push(&record, member.len() as u64);
                bag.extend(member);
            }
            let tag = TagFile {
                path: path("bagit.txt"),
                bytes: Bytes::from_static(b"tag"),
            };
            bag.extend(directory.push_tag(&tag, Timestamp::UNIX_EPOCH).unwrap());
            assert_eq!(directory.end(), bag.len() as u64);
            bag.extend(directory.end_of_container().unwrap());
            let read = read_back(format, &bag);
            for (path, content) in &contents {
                assert!(read[*path] == *content, "{format:?} {path}");
            }
            assert_eq!(read["bagit.txt"], b"tag");
        }
    }

    #[test]
    fn a_body_is_resumed_from_what_can_be_used_of_it() {
        let content = archive(3, 300_000);
        for format in FORMATS {
            let form = ContainerForm::new(format, SafeName::parse(TOP).unwrap());
            let mut first = form.begin(download("data/b"));
            first.write(&content[..200_000]).unwrap();
            let body = std::mem::take(first.body());
            let part = form.reusable(Storage::Stored, body.len() as u64).unwrap();
            let from = usize::try_from(part.content_bytes()).unwrap();
            assert!((100_000..=200_000).contains(&from));
            let mut second = form.begin(download("data/b"));
            second.restore(part, &mut body.as_slice()).unwrap();
            assert_eq!(second.content_bytes(), part.content_bytes());
            second.write(&content[from..]).unwrap();
            let resumed = second.finish().unwrap();
            let mut whole = form.begin(download("data/b"));
            whole.write(&content).unwrap();
            let whole = whole.finish().unwrap();
            assert_eq!(resumed.record, whole.record);
            assert_eq!(resumed.head, whole.head);
            let used = usize::try_from(part.body_bytes()).unwrap();
            assert!([&body[..used], &resumed.rest].concat() == whole.rest);
        }
        let form = ContainerForm::new(BagFormat::Zip, SafeName::parse(TOP).unwrap());
        assert_eq!(form.reusable(Storage::Compressed, 100), None);
    }

    #[test]
    fn content_that_fails_its_check_makes_no_member() {
        let form = ContainerForm::new(BagFormat::Zip, SafeName::parse(TOP).unwrap());
        let mut cut = form.begin(download("data/b"));
        cut.write(&archive(4, 100)[..10]).unwrap();
        assert!(matches!(cut.finish(), Err(SinkError::CheckFailed { .. })));
        let mut page = form.begin(download("data/b"));
        assert!(matches!(
            page.write(b"<html>"),
            Err(SinkError::CheckFailed { .. })
        ));
    }
}
