use std::io::Write;

use age::secrecy::{ExposeSecret, SecretString};
use proptest::prelude::*;

use super::sample::{ARCHIVE, OnDisk, USER, files, on_disk, packed, stored};
use super::*;
use crate::verify::{Depth, verify};

const ALL: [StoredFormat; 4] = [
    StoredFormat::Zip,
    StoredFormat::Tar,
    StoredFormat::TarGz,
    StoredFormat::Folder,
];

fn open(bag: &OnDisk) -> Result<BagSource, ReadError> {
    open_bag(&bag.path, None)
}

#[test]
fn a_bag_is_known_by_its_content_not_by_its_name() {
    for format in ALL {
        let bag = stored(&files(), format);
        let source = open(&bag).unwrap();
        assert_eq!((source.format(), source.is_encrypted()), (format, false));
    }
}

#[test]
fn a_listing_shows_every_file_its_sum_and_where_it_came_from() {
    for format in ALL {
        let bag = stored(&files(), format);
        let listing = list(open(&bag).unwrap()).unwrap();
        assert_eq!(listing.folder.as_deref(), Some("bag"));
        assert_eq!(listing.user.as_deref(), Some("john"));
        assert_eq!(listing.files.len(), files().len());
        assert_eq!(listing.findings, []);
        for file in &listing.files {
            assert_eq!(
                file.bytes,
                files()[&file.path].len() as u64,
                "{}",
                file.path
            );
            let is_listed = file.path != "tagmanifest-sha256.txt";
            assert_eq!(file.sha256.is_some(), is_listed, "{}", file.path);
        }
        let archive = listing
            .files
            .iter()
            .find(|file| file.path == ARCHIVE)
            .unwrap();
        assert_eq!(archive.source.as_deref(), Some("GET users/john"));
        let json = serde_json::to_value(&listing).unwrap();
        assert_eq!(json["format"], serde_json::to_value(format).unwrap());
    }
}

#[test]
fn what_is_no_bag_is_refused_with_what_it_is() {
    for (bytes, what) in [
        (&b""[..], "it is empty"),
        (b"<html>", "it is neither a zip file"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----", "armored"),
    ] {
        let error = open(&on_disk(bytes)).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
    let other = sample::tar(&[("folder/letter.txt", b"hello")]);
    for bag in [on_disk(&other), on_disk(&sample::gzip(&other))] {
        for error in [
            list(open(&bag).unwrap()).unwrap_err(),
            verify(open(&bag).unwrap(), Depth::Bytes).unwrap_err(),
        ] {
            assert!(
                error.to_string().ends_with("it holds no bagit.txt"),
                "{error}"
            );
        }
    }
    let nothing = std::path::Path::new("/nonexistent/bag.zip");
    let error = open_bag(nothing, None).unwrap_err();
    assert_eq!(error.to_string(), "could not open `/nonexistent/bag.zip`");
}

#[test]
fn an_encrypted_bag_is_read_with_its_key_only() {
    let key = age::x25519::Identity::generate();
    let other = age::x25519::Identity::generate();
    let identity_file =
        |key: &age::x25519::Identity| on_disk(key.to_string().expose_secret().as_bytes());
    let (right, wrong) = (identity_file(&key), identity_file(&other));
    for format in [StoredFormat::Zip, StoredFormat::Tar, StoredFormat::TarGz] {
        let recipient = key.to_public();
        let recipients = std::iter::once(&recipient as &dyn age::Recipient);
        let bag = encrypt_with(
            &packed(&files(), format),
            age::Encryptor::with_recipients(recipients).unwrap(),
        );
        let with = |unlock: Option<Unlock>| open_bag(&bag.path, unlock.as_ref());
        let unlock = || Some(Unlock::IdentityFiles(vec![right.path.clone()]));
        let source = with(unlock()).unwrap();
        assert_eq!((source.format(), source.is_encrypted()), (format, true));
        assert!(verify(source, Depth::Inner).unwrap().is_sound());
        assert_eq!(
            list(with(unlock()).unwrap()).unwrap().files.len(),
            files().len()
        );

        assert!(matches!(with(None), Err(ReadError::Encrypted { .. })));
        let wrong = Unlock::IdentityFiles(vec![wrong.path.clone()]);
        assert!(matches!(with(Some(wrong)), Err(ReadError::Locked { .. })));
        let none = Unlock::IdentityFiles(vec![bag.path.clone()]);
        assert!(matches!(with(Some(none)), Err(ReadError::Identity { .. })));
        let passphrase = Unlock::Passphrase(SecretString::from("secret".to_owned()));
        assert!(!format!("{passphrase:?}").contains("secret"));
        assert!(matches!(
            with(Some(passphrase)),
            Err(ReadError::Locked { .. })
        ));
    }
}

fn encrypt_with(plain: &[u8], encryptor: age::Encryptor) -> OnDisk {
    let mut bytes = Vec::new();
    let mut writer = encryptor.wrap_output(&mut bytes).unwrap();
    writer.write_all(plain).unwrap();
    writer.finish().unwrap();
    on_disk(&bytes)
}

#[test]
fn a_passphrase_opens_what_was_encrypted_with_it() {
    let passphrase = || SecretString::from("correct horse".to_owned());
    let mut recipient = age::scrypt::Recipient::new(passphrase());
    recipient.set_work_factor(2);
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
    let bag = encrypt_with(&packed(&files(), StoredFormat::Zip), encryptor);
    let source = open_bag(&bag.path, Some(&Unlock::Passphrase(passphrase()))).unwrap();
    assert!(verify(source, Depth::Bytes).unwrap().is_sound());
}

#[test]
fn identities_that_windows_wrote_open_a_bag() {
    let key = age::x25519::Identity::generate();
    let recipient = key.to_public();
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
    let bag = encrypt_with(&packed(&files(), StoredFormat::Zip), encryptor);
    let text = format!("\u{feff}# mine\r\n{}\r\n", key.to_string().expose_secret());
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [text.into_bytes(), utf16] {
        let identity = on_disk(&bytes);
        let unlock = Unlock::IdentityFiles(vec![identity.path.clone()]);
        let source = open_bag(&bag.path, Some(&unlock)).unwrap();
        assert!(verify(source, Depth::Bytes).unwrap().is_sound());
    }
}

#[test]
fn an_altered_or_cut_age_file_is_damage() {
    let key = age::x25519::Identity::generate();
    let identity = on_disk(key.to_string().expose_secret().as_bytes());
    let recipient = key.to_public();
    for format in [StoredFormat::Zip, StoredFormat::Tar, StoredFormat::TarGz] {
        let recipients = std::iter::once(&recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
        let bag = encrypt_with(&packed(&files(), format), encryptor);
        let whole = std::fs::read(&bag.path).unwrap();
        let mut flipped = whole.clone();
        let middle = whole.len() - 100;
        flipped[middle] ^= 1;
        for bytes in [&flipped[..], &whole[..whole.len() - 1]] {
            std::fs::write(&bag.path, bytes).unwrap();
            let unlock = Unlock::IdentityFiles(vec![identity.path.clone()]);
            let source = open_bag(&bag.path, Some(&unlock)).unwrap();
            // Its only chunk: nothing inside can be known.
            assert_eq!(source.format(), StoredFormat::Unknown);
            let report = verify(source, Depth::Bytes).unwrap();
            let text: Vec<_> = report
                .findings
                .list
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(
                text,
                ["the bag cannot be read on from here: its outer layer is damaged"]
            );
        }
    }
}

#[test]
fn an_age_file_that_is_cut_or_altered_within_its_header_is_no_bag() {
    let key = age::x25519::Identity::generate();
    let identity = on_disk(key.to_string().expose_secret().as_bytes());
    let recipient = key.to_public();
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
    let bag = encrypt_with(&packed(&files(), StoredFormat::Tar), encryptor);
    let whole = std::fs::read(&bag.path).unwrap();
    let mac = whole.windows(4).position(|some| some == b"--- ").unwrap();
    let header = mac + 48;
    // With the nonce behind it; a shorter one than the first line is no age file at all.
    let cut = (22..header + 16).map(|length| whole[..length].to_vec());
    let mut altered = whole.clone();
    altered[mac + 10] = if altered[mac + 10] == b'A' {
        b'B'
    } else {
        b'A'
    };
    for bytes in cut.chain([altered]) {
        std::fs::write(&bag.path, &bytes).unwrap();
        let unlock = Unlock::IdentityFiles(vec![identity.path.clone()]);
        let error = open_bag(&bag.path, Some(&unlock)).unwrap_err();
        let is_damage = error.to_string().contains("header of its encryption");
        assert!(is_damage, "{} bytes: {error:?}", bytes.len());
    }
}

#[test]
fn a_large_age_file_is_damaged_from_where_it_is_altered() {
    let key = age::x25519::Identity::generate();
    let identity = on_disk(key.to_string().expose_secret().as_bytes());
    let recipient = key.to_public();
    let mut large = files();
    let noise = (0..50_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes());
    large.insert("data/large".to_owned(), noise.collect());
    for format in [StoredFormat::Zip, StoredFormat::Tar, StoredFormat::TarGz] {
        let recipients = std::iter::once(&recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
        let bag = encrypt_with(&packed(&large, format), encryptor);
        let whole = std::fs::read(&bag.path).unwrap();
        for at in [whole.len() / 2, whole.len() - 1, 70_000] {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            for bytes in [&flipped[..], &whole[..at]] {
                std::fs::write(&bag.path, bytes).unwrap();
                let unlock = Unlock::IdentityFiles(vec![identity.path.clone()]);
                let source = open_bag(&bag.path, Some(&unlock)).unwrap();
                assert_eq!(source.format(), format);
                assert!(
                    !verify(source, Depth::Bytes).unwrap().is_sound(),
                    "{format:?} {at}"
                );
            }
        }
    }
}

#[test]
fn a_long_name_and_a_pax_header_are_read() {
    let long = format!("bag/data/{}", "x".repeat(150));
    let mut builder = tar::Builder::new(Vec::new());
    for path in [long.as_str(), "bag/bagit.txt"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_mode(0o600);
        header.set_cksum();
        builder
            .append_pax_extensions([("comment", b"a b".as_slice())])
            .unwrap();
        builder.append_data(&mut header, path, &b"abc"[..]).unwrap();
    }
    let bag = on_disk(&builder.into_inner().unwrap());
    let listing = list(open(&bag).unwrap()).unwrap();
    let paths: Vec<_> = listing
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(paths, ["bagit.txt", long.strip_prefix("bag/").unwrap()]);
}

#[test]
fn a_long_name_of_any_size_is_not_taken_into_memory() {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    let bag = on_disk(header.as_bytes());
    let report = verify(open(&bag).unwrap(), Depth::Bytes).unwrap();
    assert!(!report.is_sound());
}

proptest! {
    #[test]
    fn any_bytes_behind_a_mark_are_read_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        mark in 0_usize..4,
    ) {
        let mark: &[u8] = [&b"PK\x03\x04"[..], b"PK\x05\x06", b"\x1f\x8b\x08\x00", b""][mark];
        let mut all = [mark, &bytes].concat();
        if mark.is_empty() && all.len() > 262 {
            all[257..262].copy_from_slice(b"ustar");
        }
        let bag = on_disk(&all);
        if let Ok(source) = open(&bag) {
            let _ = verify(source, Depth::Inner);
            let _ = list(open(&bag).unwrap());
        }
    }

    #[test]
    fn a_bag_with_many_changed_bytes_is_read_without_a_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        format in 0_usize..3,
    ) {
        let mut bytes = packed(&files(), ALL[format]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let bag = on_disk(&bytes);
        if let Ok(source) = open(&bag) {
            let _ = verify(source, Depth::Inner);
            let _ = list(open(&bag).unwrap());
        }
    }
}

#[test]
fn names_that_lead_out_and_links_are_reported_and_not_followed() {
    let mut link = sample::tar_entry("bag/data/link", b"");
    let mut header = tar::Header::from_byte_slice(&link[..512]).clone();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_link_name("/etc/passwd").unwrap();
    header.set_cksum();
    link[..512].copy_from_slice(header.as_bytes());
    let hostile = [
        sample::tar_entry("bag/../../etc/passwd", b"x"),
        sample::tar_entry("/etc/passwd", b"x"),
        link,
        sample::tar_entry("elsewhere/file", b"x"),
    ]
    .concat();
    let bag = on_disk(
        &[
            packed(&files(), StoredFormat::Tar)[..]
                .strip_suffix(&[0; 1024])
                .unwrap(),
            &hostile,
            &[0; 1024],
        ]
        .concat(),
    );
    let report = verify(open(&bag).unwrap(), Depth::Bytes).unwrap();
    let text: Vec<_> = report
        .findings
        .list
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        text[..4],
        [
            "`bag/../../etc/passwd`: this path would lead out of the folder that the bag is unpacked into",
            "`/etc/passwd`: this path would lead out of the folder that the bag is unpacked into",
            "`data/link`: this is not a plain file",
            "`elsewhere/file` lies outside of the bag's folder",
        ]
    );
    assert!(files().contains_key(USER));
}
