//! Bags held against receipts: what is changed, or is no receipt, is found.

use std::fs;

use serde_json::{Value, json};
use tests::kit::{Signer, quick};

use crate::receipts::{RECEIPT, SIGNATURE, receipt, signed, verify, with_receipt};
use crate::site;

#[test]
fn one_changed_byte_of_bag_receipt_or_signature_is_found() {
    let site = site(quick());
    let signer = Signer::new(&site.program, "mine", None);
    site.program
        .run(signed(&site, "j.tar", &signer))
        .expect_status(0);
    let public = Some(signer.public.as_path());
    for name in ["j.tar", RECEIPT, SIGNATURE] {
        let good = fs::read(site.path(name)).unwrap();
        // What stands above a signature is for people, and signed by nobody.
        let first = if name == SIGNATURE {
            good.iter().position(|byte| *byte == b'\n').unwrap() + 1
        } else {
            0
        };
        for part in 0..10 {
            let mut changed = good.clone();
            let at = first + (good.len() - 1 - first) * part / 9;
            changed[at] ^= 1;
            fs::write(site.path(name), changed).unwrap();
            let ended = verify(&site, "j.tar", public);
            assert_eq!(ended.status, Some(5), "{name} at {at}: {}", ended.stderr);
        }
        fs::write(site.path(name), good).unwrap();
    }
    verify(&site, "j.tar", public).expect_status(0);
}

#[test]
fn another_bag_another_key_and_no_signature_are_found_and_another_name_is_not() {
    let site = site(quick());
    let [mine, other] = ["mine", "other"].map(|name| Signer::new(&site.program, name, None));
    site.program
        .run(site.export_to("other.zip"))
        .expect_status(0);
    site.program
        .run(signed(&site, "j.zip", &mine))
        .expect_status(0);
    verify(&site, "other.zip", Some(&mine.public))
        .expect_status(5)
        .expect_word("the receipt says");
    verify(&site, "j.zip", Some(&other.public))
        .expect_status(5)
        .expect_word(&mine.id);
    fs::rename(site.path("j.zip"), site.path("moved.zip")).unwrap();
    verify(&site, "moved.zip", Some(&mine.public))
        .expect_status(0)
        .expect_word("was called j.zip");
    fs::remove_file(site.path(SIGNATURE)).unwrap();
    verify(&site, "moved.zip", Some(&mine.public))
        .expect_status(5)
        .expect_word("there is none beside the receipt");
    verify(&site, "moved.zip", None)
        .expect_status(0)
        .expect_word("It is not signed");
    fs::write(site.path(SIGNATURE), "untrusted comment: x\nabc\n").unwrap();
    verify(&site, "moved.zip", None).expect_status(5);
    let json = {
        let mut command = with_receipt(&site, site.program.command(["verify", "--json"]));
        command.arg(site.path("moved.zip"));
        let ended = site.program.run(command).expect_status(5);
        serde_json::from_str::<Value>(&ended.out()).unwrap()
    };
    assert_eq!(
        (&json["sound"], &json["receipt"]["sound"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(json["receipt"]["signature"]["status"], "invalid");
    assert_eq!(json["receipt"]["renamed_from"], "j.zip");
}

#[test]
fn hostile_receipts_are_refused_in_words() {
    let site = site(quick());
    site.program
        .run(with_receipt(&site, site.export_to("j.zip")))
        .expect_status(0);
    let good = receipt(&site);
    let with = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string()
    };
    for (text, words) in [
        ("no receipt".to_owned(), "cannot be read as JSON"),
        ("[".repeat(60_000), "not as a receipt has to be"),
        ("{\"a\":".repeat(9_000), "cannot be read as JSON"),
        (
            with("/bag/bytes", json!(1e300)),
            "not as a receipt has to be",
        ),
        (with("/counts", json!([1])), "not as a receipt has to be"),
        (with("/counts/items", json!(u64::MAX)), "`counts`"),
        (with("/format", json!("uforge-receipt/9")), "does not know"),
        (with("/user", json!("\u{1b}[2J")), "`user`"),
    ] {
        fs::write(site.path(RECEIPT), text).unwrap();
        let ended = verify(&site, "j.zip", None).expect_status(5);
        assert!(!ended.stderr.contains('\u{1b}'));
        ended.expect_word(words);
    }
    let huge = fs::File::create(site.path(RECEIPT)).unwrap();
    huge.set_len(1 << 30).unwrap();
    verify(&site, "j.zip", None)
        .expect_status(5)
        .expect_word("it is larger than");
    fs::remove_file(site.path(RECEIPT)).unwrap();
    verify(&site, "j.zip", None)
        .expect_status(2)
        .expect_word("could not read the receipt");
}
