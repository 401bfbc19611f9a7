//! The promises of [`PayloadInPlace`], and how a sink calls [`TagFiles`].

use std::io::Write;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use domain::bag::receipt::Delivered;
use domain::model::BagPath;
use domain::ports::{NewEntry, PayloadInPlace, SinkError, Storage, TagFile, TagFiles};

use super::archive_sink::{Place, Resumes, document, put};

const SMALL: &str = "data/roles/roles.xml";
const LARGE: &str = "data/usage/usage.json";
const PICTURE: &str = "data/profile/photo.png";
const LATER: &str = "data/quotas/quotas.xml";

/// More than is gathered in memory anywhere, and no repetition of one byte.
fn large() -> Vec<u8> {
    let numbers = (0..400_000_u32).map(|number| number.to_string());
    numbers.collect::<Vec<_>>().concat().into_bytes()
}

fn picture(size: usize) -> NewEntry {
    NewEntry {
        media_type: "image/png".to_owned(),
        storage: Storage::Stored,
        ..document(PICTURE, size)
    }
}

/// What was read back of an entry.
type Read = Arc<Mutex<Vec<(&'static str, Option<Vec<u8>>)>>>;

/// Reads entries back, and adds one file after each.
struct Reader {
    wanted: Vec<(&'static str, u64)>,
    read: Read,
}

impl TagFiles for Reader {
    fn write(
        self: Box<Self>,
        bag: &mut dyn PayloadInPlace,
    ) -> Result<Option<Box<Delivered>>, SinkError> {
        for (index, (path, at_most)) in self.wanted.into_iter().enumerate() {
            let bytes = bag.first_bytes(&path_of(path), at_most);
            let mut read = self.read.lock().expect("nobody panics with it");
            read.push((path, bytes));
            bag.add(tag(&format!("view/{index}.html")))?;
        }
        let again = bag.add(tag("view/0.html"));
        assert!(matches!(again, Err(SinkError::Duplicate { .. })));
        let pieces = &mut |to: &mut dyn Write| (0..20_000).try_for_each(|n| write!(to, "{n}"));
        bag.add_written(path_of("export.json"), pieces)?;
        let again = bag.add_written(path_of("view/0.html"), pieces);
        assert!(matches!(again, Err(SinkError::Duplicate { .. })));
        Ok(None)
    }
}

fn path_of(path: &str) -> BagPath {
    BagPath::parse(path).expect("a path")
}

fn tag(path: &str) -> TagFile {
    TagFile {
        path: path_of(path),
        bytes: Bytes::from_static(b"<!doctype html>"),
    }
}

/// Documents and pictures are read back as they were written, by whichever run; what is not there is not.
pub async fn documents_and_pictures_are_read_back(place: &Place<'_>, resumes: Resumes) {
    let (small, large, photo) = (b"<roles/>".as_slice(), large(), b"\x89PNG\r\n".as_slice());
    let mut opened = (place.open)();
    for (entry, content) in [
        (document(SMALL, small.len()), small),
        (document(LARGE, large.len()), &large),
        (picture(photo.len()), photo),
    ] {
        let sink = opened.sink.as_ref();
        put(sink, entry, content, 70_000).await.expect("a receipt");
    }
    if resumes == Resumes::Yes {
        // Only what must be safe is certain to be there again.
        drop(opened);
        opened = (place.open)();
        let receipts = opened.sink.resumed_receipts();
        let paths: Vec<String> = receipts.iter().map(|of| of.path.to_string()).collect();
        for (entry, content) in [
            (document(SMALL, small.len()), small),
            (document(LARGE, large.len()), &large),
            (picture(photo.len()), photo),
        ] {
            if !paths.contains(&entry.path.to_string()) {
                let sink = opened.sink.as_ref();
                put(sink, entry, content, 70_000).await.expect("a receipt");
            }
        }
    }
    let later = document(LATER, small.len());
    let sink = opened.sink.as_ref();
    put(sink, later, small, 3).await.expect("a receipt");
    let read = Read::default();
    let wanted = vec![
        (LARGE, u64::MAX),
        (SMALL, u64::MAX),
        (LARGE, 1000),
        (PICTURE, 4),
        (LATER, 8),
        ("data/roles/none.xml", 8),
    ];
    let reader = Reader {
        wanted,
        read: Arc::clone(&read),
    };
    opened.sink.finish(Box::new(reader)).await.expect("a bag");
    let beginning = large.get(..1000).expect("large").to_vec();
    let expected = [
        (LARGE, Some(large)),
        (SMALL, Some(small.to_vec())),
        (LARGE, Some(beginning)),
        (PICTURE, Some(b"\x89PNG".to_vec())),
        (LATER, Some(small.to_vec())),
        ("data/roles/none.xml", None),
    ];
    assert!(*read.lock().expect("nobody panics with it") == expected);
}
