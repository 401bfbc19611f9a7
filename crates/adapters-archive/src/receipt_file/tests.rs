use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::signature::tests::new_key;

const RECEIPT: &[u8] = b"{\"format\": \"uforge-receipt/1\"}\n";

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_receipt_and_its_signature_are_readable_by_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.json");
    let file = ReceiptFile::new(&path, Replace::Refuse);
    let key = new_key();
    file.check_place().unwrap();
    file.check_free().unwrap();
    file.write(RECEIPT, Some((&key, "a\tb\n\u{e9}"))).unwrap();
    assert_eq!(files(folder.path()), ["r.json", "r.json.minisig"]);
    for path in file.names() {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let signature = fs::read_to_string(file.signature_path()).unwrap();
    let comment = key.public().check(RECEIPT, &signature).unwrap();
    assert_eq!(comment, "a\tb\\n\\u{e9}");
}

#[test]
fn what_a_killed_run_wrote_of_the_same_receipt_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let file = ReceiptFile::new(&folder.path().join("r.json"), Replace::Refuse);
    let key = new_key();
    file.write(RECEIPT, Some((&key, "first"))).unwrap();
    let signature = fs::read(file.signature_path()).unwrap();
    // Killed before the receipt had its name, and after.
    fs::rename(file.path(), unfinished(file.path())).unwrap();
    file.write(RECEIPT, Some((&key, "second"))).unwrap();
    file.write(RECEIPT, Some((&key, "third"))).unwrap();
    assert_eq!(fs::read(file.path()).unwrap(), RECEIPT);
    assert_eq!(fs::read(file.signature_path()).unwrap(), signature);
    assert_eq!(files(folder.path()), ["r.json", "r.json.minisig"]);
    // Another key's signature is another file.
    let other = file.write(RECEIPT, Some((&new_key(), "x"))).unwrap_err();
    assert!(matches!(other, ReceiptFileError::Exists { .. }));
    // Killed before the signature had its name.
    fs::remove_file(file.signature_path()).unwrap();
    file.write(RECEIPT, Some((&key, "fourth"))).unwrap();
    assert_eq!(files(folder.path()).len(), 2);
}

#[test]
fn another_file_is_replaced_only_with_force_and_a_stale_signature_goes() {
    for taken in ["r.json", "r.json.minisig"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        fs::write(folder.path().join(taken), "somebody's").unwrap();
        let file = ReceiptFile::new(&path, Replace::Refuse);
        file.check_place().unwrap();
        for refused in [file.check_free(), file.write(RECEIPT, None)] {
            let error = refused.unwrap_err();
            assert!(matches!(error, ReceiptFileError::Exists { .. }), "{error}");
        }
        assert_eq!(files(folder.path()), [taken]);
        let file = ReceiptFile::new(&path, Replace::Force);
        file.check_free().unwrap();
        file.write(RECEIPT, None).unwrap();
        assert_eq!(files(folder.path()), ["r.json"]);
        assert_eq!(fs::read(&path).unwrap(), RECEIPT);
    }
}

#[test]
fn what_is_no_place_for_a_receipt_is_refused_before_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| folder.path().join(name);
    fs::create_dir(inside("folder")).unwrap();
    std::os::unix::fs::symlink("nowhere", inside("link")).unwrap();
    fs::create_dir(inside("r.json.minisig")).unwrap();
    for path in [
        inside("none/r.json"),
        inside("folder"),
        inside("link"),
        inside("r.json"),
        PathBuf::from("/dev/null"),
        PathBuf::from("-"),
        inside(".."),
    ] {
        for replace in [Replace::Refuse, Replace::Force] {
            let refused = ReceiptFile::new(&path, replace).check_place();
            assert!(refused.is_err(), "{}", path.display());
        }
    }
    assert_eq!(files(folder.path()).len(), 3);
}

#[test]
fn a_huge_file_is_read_no_further_than_it_must() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge");
    File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(
        read_receipt_file(&path).unwrap().len(),
        LARGEST_RECEIPT_BYTES + 1
    );
    fs::write(&path, "abc").unwrap();
    assert_eq!(sum_of_file(&path).unwrap(), (3, Sha256::of(b"abc")));
}
