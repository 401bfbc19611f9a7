//! The name maker: whatever things are called, their files have names.

use domain::model::{BagPath, ObjectId, SafeName};

/// A name is one that every system takes, keeps the id in front, and is the same every time.
#[test]
fn name_maker() {
    bolero::check!()
        .with_type::<(u32, u32, String, String)>()
        .for_each(|(one, other, name, another)| {
            let id = |number: u32| ObjectId::try_from(i64::from(number) + 1).expect("an id");
            for safe in [
                SafeName::of_object(id(*one), name),
                SafeName::of_file(id(*one), name),
            ] {
                assert_eq!(SafeName::parse(safe.as_str()).as_ref(), Ok(&safe));
                assert!(safe.as_str().starts_with(&format!("{}-", id(*one))));
                let path = BagPath::parse(&format!("data/appliances/{safe}/archive.tar.gz"));
                assert!(path.is_ok(), "{path:?}");
            }
            let left = SafeName::of_object(id(*one), name);
            let right = SafeName::of_object(id(*other), another);
            let same = left.as_str().eq_ignore_ascii_case(right.as_str());
            assert!(one == other || !same, "{left} and {right}");
        });
}

/// A path that is taken is made of names that are taken, and leads nowhere else.
#[test]
fn bag_path() {
    let pieces = [
        "data", "/", "..", ".", "con", "a", "\\", "\0", "é", "-", "COM1.x", "//",
    ];
    bolero::check!().with_type::<Vec<u8>>().for_each(|choices| {
        let text: String = choices
            .iter()
            .take(24)
            .filter_map(|choice| pieces.get(usize::from(*choice) % pieces.len()))
            .copied()
            .collect();
        if let Ok(path) = BagPath::parse(&text) {
            assert_eq!(path.as_str(), text);
            assert!(text.split('/').all(|part| SafeName::parse(part).is_ok()));
            let walked = std::path::Path::new(&text).components();
            let plain = |part| matches!(part, std::path::Component::Normal(_));
            assert!(walked.into_iter().all(plain), "{text}");
        }
    });
}
