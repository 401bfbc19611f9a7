//! Whether a file is a picture, decided by its first bytes: its name and media type are what somebody said of it.

/// Bytes that are enough to decide.
pub(super) const ENOUGH_BYTES: u64 = 1024;

/// Whether these are the first bytes of a picture that browsers show.
pub(super) fn is_picture(bytes: &[u8]) -> bool {
    const MAGIC: [&[u8]; 5] = [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF87a",
        b"GIF89a",
        b"\x00\x00\x01\x00",
    ];
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    // The length of the file stands between the two letters and four reserved bytes.
    let is_bmp = bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]);
    MAGIC.iter().any(|magic| bytes.starts_with(magic)) || is_webp || is_bmp || is_svg(bytes)
}

/// Within `<img>` no browser runs a script of it or loads what it refers to.
fn is_svg(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_markup = ["<svg", "<?xml", "<!--", "<!doctype svg"]
        .iter()
        .any(|start| text.starts_with(start));
    is_markup && text.contains("<svg") && !text.contains("<html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_pictures() {
        for picture in [
            b"\x89PNG\r\n\x1a\n...".as_slice(),
            b"\xff\xd8\xff\xe0",
            b"GIF89a",
            b"RIFF\x01\x02\x03\x04WEBP",
            b"BM\x01\x00\x00\x00\x00\x00\x00\x00",
            b"\xef\xbb\xbf<?xml version='1.0'?><!-- x --><SVG xmlns='http://www.w3.org/2000/svg'/>",
        ] {
            assert!(is_picture(picture), "{picture:?}");
        }
        for other in [
            b"".as_slice(),
            b"BMW",
            b"<html><svg></svg></html>",
            b"<!DOCTYPE html><svg>",
            b"<?xml version='1.0'?><user/>",
            b"PK\x03\x04",
        ] {
            assert!(!is_picture(other), "{other:?}");
        }
    }
}
