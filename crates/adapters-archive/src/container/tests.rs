use std::io::Write as _;

use domain::model::{BagFormat, BagPath, SafeName};
use domain::ports::Storage;
use proptest::prelude::*;

use super::{Container, Content, Encoder, Extent, HeadForm, Member, Placed, Span, container};
use crate::test_kit::{FORMATS, TOP, noise, read_back};

fn member(path: &str, storage: Storage) -> Member {
    Member::new(
        &SafeName::parse(TOP).unwrap(),
        &BagPath::parse(path).unwrap(),
        "2026-11-23T10:20:31Z".parse().unwrap(),
        storage,
    )
}

/// One member as the sink puts it together.
fn add(
    archive: &mut Vec<u8>,
    placed: &mut Vec<Placed>,
    format: &dyn Container,
    (member, form): (Member, HeadForm),
    bytes: &[u8],
) {
    let mut packer = Encoder::new(format.encoding(member.storage), Vec::new());
    packer.write_all(bytes).unwrap();
    packer
        .write_all(&vec![0; format.padding(bytes.len() as u64)])
        .unwrap();
    let body = packer.finish().unwrap();
    let content = Content {
        bytes: bytes.len() as u64,
        crc32: crc32fast::hash(bytes),
        packed: body.len() as u64,
    };
    let offset = archive.len() as u64;
    archive.extend(format.head(&member, content, form));
    archive.extend(body);
    archive.extend(format.tail(&member, content));
    let end = archive.len() as u64;
    if let (HeadForm::Patchable, Some(extent)) = (form, Extent::of(format, &member, content.bytes))
    {
        // What is reserved for a member before its content is known.
        assert_eq!(extent.whole, end - offset);
    }
    placed.push(Placed {
        member,
        content,
        span: Span { offset, end },
    });
}

/// Writes these members and reads them back.
fn check(format: BagFormat, members: &[(Member, HeadForm, Vec<u8>)]) {
    let (mut archive, mut placed) = (Vec::new(), Vec::new());
    let writer = container(format);
    for (member, form, bytes) in members {
        add(
            &mut archive,
            &mut placed,
            writer,
            (member.clone(), *form),
            bytes,
        );
    }
    let end = archive.len() as u64;
    writer.end(&placed, end, &mut archive).unwrap();
    let expected = members
        .iter()
        .map(|(member, _, bytes)| (member.path.to_string(), bytes.clone()))
        .collect();
    assert_eq!(read_back(format, &archive), expected, "{format:?}");
}

#[test]
fn every_kind_of_member_reads_back_as_it_was() {
    let mut members = Vec::new();
    for storage in [Storage::Stored, Storage::Compressed] {
        for form in [HeadForm::Patchable, HeadForm::Final] {
            for length in [0, 1, 511, 512, 513, 65_535, 65_536, 200_000] {
                let path = format!("data/{storage:?}-{form:?}-{length}");
                let bytes = noise(length as u64, length);
                members.push((member(&path, storage), form, bytes));
            }
        }
    }
    for format in FORMATS {
        check(format, &members);
    }
}

#[test]
fn the_longest_path_that_a_bag_can_have_reads_back() {
    let part = "x".repeat(100);
    for path in [
        format!("data/{part}"),
        format!("data/{part}/{part}"),
        format!("data/cloud-accounts/{part}/certificates/{part}"),
    ] {
        for format in FORMATS {
            let member = member(&path, Storage::Stored);
            check(format, &[(member, HeadForm::Patchable, b"key".to_vec())]);
        }
    }
}

#[test]
fn more_members_than_the_zip_end_record_can_count_read_back() {
    let members: Vec<_> = (0..70_000)
        .map(|number| {
            let member = member(&format!("data/{number}"), Storage::Stored);
            (member, HeadForm::Final, Vec::new())
        })
        .collect();
    check(BagFormat::Zip, &members);
}

#[test]
fn an_empty_archive_is_one() {
    for format in FORMATS {
        check(format, &[]);
    }
}

/// Values beyond 4 GiB and 8 GiB without writing as much: heads and directories are compared with what readers say.
#[test]
fn sizes_and_offsets_beyond_what_32_bits_hold_are_in_the_headers() {
    let member = member("data/large", Storage::Stored);
    let bytes = 9 * 1024 * 1024 * 1024;
    let content = Content {
        bytes,
        crc32: 7,
        packed: bytes,
    };
    let tar = container(BagFormat::Tar).head(&member, content, HeadForm::Patchable);
    let header = tar::Header::from_byte_slice(&tar);
    assert_eq!(header.entry_size().unwrap(), bytes);

    let zip = container(BagFormat::Zip);
    for form in [HeadForm::Patchable, HeadForm::Final] {
        let head = zip.head(&member, content, form);
        assert_eq!(head[18..26], [0xFF; 8]);
        let field = &head[head.len() - 20..];
        assert_eq!(field[4..12], bytes.to_le_bytes());
        assert_eq!(field[12..20], bytes.to_le_bytes());
    }
    let mut directory = Vec::new();
    let placed = Placed {
        member,
        content,
        span: Span {
            offset: bytes + 1,
            end: 2 * bytes,
        },
    };
    zip.end(&[placed], 2 * bytes, &mut directory).unwrap();
    directory.flush().unwrap();
    let after_name = 46 + TOP.len() + "/data/large".len();
    let values = [bytes, bytes, bytes + 1].map(u64::to_le_bytes).concat();
    assert_eq!(directory[after_name..after_name + 4], [1, 0, 24, 0]);
    assert_eq!(directory[after_name + 4..after_name + 28], values[..]);
}

proptest! {
    /// What makes patching in place possible.
    #[test]
    fn a_patchable_head_has_the_same_length_whatever_the_content(
        bytes in any::<u64>(), packed in any::<u64>(), crc32 in any::<u32>(), parts in 1_usize..4,
    ) {
        let path = vec!["x".repeat(90); parts].join("/");
        let member = member(&path, Storage::Stored);
        let content = Content { bytes: bytes >> 1, crc32, packed };
        for format in FORMATS.map(container) {
            let placeholder = format.head(&member, Content::default(), HeadForm::Patchable);
            let head = format.head(&member, content, HeadForm::Patchable);
            prop_assert_eq!(placeholder.len(), head.len());
            // Nor does the place that is reserved for it depend on more than its size, whatever a server says that is.
            if let Some(extent) = Extent::of(format, &member, content.bytes) {
                prop_assert_eq!(extent.head, head.len() as u64);
                prop_assert!(extent.whole > content.bytes);
            }
        }
    }
}
