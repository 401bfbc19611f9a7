//! Small pictures for photos and logos: real PNG files, drawn from a seed.

use std::io::Write;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::archive::mix;

use crate::hexadecimal::hexadecimal;

const SIDE: u8 = 48;

const VARIANTS: usize = 16;

/// A picture, and what the platform publishes about its file.
pub(crate) struct Picture {
    pub(crate) bytes: Bytes,
    pub(crate) md5: String,
    pub(crate) sha256: String,
}

/// One of sixteen pictures, each drawn once: long lists have many logos.
pub(crate) fn picture(seed: u64) -> &'static Picture {
    static PICTURES: [OnceLock<Picture>; VARIANTS] = [const { OnceLock::new() }; VARIANTS];
    let variant = mix(seed) % VARIANTS as u64;
    let place = usize::try_from(variant).unwrap_or(0);
    PICTURES[place].get_or_init(|| {
        let bytes = Bytes::from(png(variant));
        let md5 = hexadecimal(&Md5::digest(&bytes));
        let sha256 = hexadecimal(&Sha256::digest(&bytes));
        Picture { bytes, md5, sha256 }
    })
}

/// A PNG of 48 × 48 pixels (W3C PNG §5).
fn png(seed: u64) -> Vec<u8> {
    let [red, green, blue, ..] = mix(seed).to_le_bytes();
    let mut rows = Vec::new();
    for y in 0..SIDE {
        rows.push(0);
        for x in 0..SIDE {
            let inside = (i32::from(x) - 24).pow(2) + (i32::from(y) - 24).pow(2) < 400;
            rows.extend(if inside {
                [red, green.wrapping_add(y), blue.wrapping_add(x)]
            } else {
                [250, 250, 250]
            });
        }
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let side = [0, 0, 0, SIDE];
    chunk(
        &mut file,
        *b"IHDR",
        &[&side[..], &side[..], &[8, 2, 0, 0, 0]].concat(),
    );
    chunk(&mut file, *b"IDAT", &deflated(&rows));
    chunk(&mut file, *b"IEND", &[]);
    file
}

#[expect(
    clippy::expect_used,
    reason = "a vector takes every byte, so that writing into it cannot fail"
)]
fn deflated(rows: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(rows).expect("a vector takes every byte");
    encoder.finish().expect("a vector takes every byte")
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(data);
    file.extend_from_slice(&length.to_be_bytes());
    file.extend_from_slice(&kind);
    file.extend_from_slice(data);
    file.extend_from_slice(&crc.sum().to_be_bytes());
}
