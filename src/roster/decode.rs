//! From bytes to text: UTF-8, Windows-1252 as older spreadsheets save it, or what a byte order mark says.

use encoding_rs::{Encoding, WINDOWS_1252};

/// What every spreadsheet can do.
const SAVE_AS_UTF8: &str = "in the spreadsheet, save it again as \"CSV UTF-8\"";
/// How workbooks begin: Excel's and LibreOffice's of today (zip), and Excel's before 2007.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];
/// The bytes that Windows-1252 leaves free.
const FREE: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

/// The text of a roster with line feeds, without its byte order mark; or what is wrong and what to do.
pub(super) fn decode(bytes: &[u8]) -> Result<String, (String, &'static str)> {
    let fail = |why: &str, help| Err((why.to_owned(), help));
    if WORKBOOKS.iter().any(|start| bytes.starts_with(start)) {
        return fail("this is a workbook, not a CSV file", "in the spreadsheet, save the sheet as CSV");
    }
    let text = if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let decoded = encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]);
        decoded.map(std::borrow::Cow::into_owned)
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        Some(text.to_owned())
    } else if is_windows_1252(bytes) {
        Some(WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned())
    } else {
        None
    };
    let Some(text) = text else {
        return fail("this is text neither in UTF-8 nor in Windows-1252", SAVE_AS_UTF8);
    };
    if text.contains('\0') {
        return fail("this is no text: there are zero bytes in it", SAVE_AS_UTF8);
    }
    if text.trim().is_empty() {
        return fail("the file is empty", "it begins with a header, and each row below is a player");
    }
    // The line ends of old Macs would make one line of the whole.
    Ok(if text.contains('\n') { text } else { text.replace('\r', "\n") })
}

/// Whether bytes that are not UTF-8 may be Windows-1252: only signs that it has, and no letter that is whole in UTF-8, for
/// then it is UTF-8 with something broken in it, and every other letter would come out wrong.
fn is_windows_1252(bytes: &[u8]) -> bool {
    let fits = |byte: &u8| match byte {
        b'\t' | b'\n' | b'\r' => true,
        byte => *byte >= b' ' && *byte != 0x7f && !FREE.contains(byte),
    };
    bytes.iter().all(fits) && bytes.utf8_chunks().all(|chunk| chunk.valid().is_ascii())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn what_spreadsheets_save_is_read() {
        for bytes in [
            &b"Zo\xeb\n"[..],
            "Zoë\n".as_bytes(),
            "\u{feff}Zoë\n".as_bytes(),
            b"\xff\xfeZ\0o\0\xeb\0\n\0",
            b"\xfe\xff\0Z\0o\0\xeb\0\n",
            "Zoë\r".as_bytes(),
        ] {
            assert_eq!(decode(bytes).unwrap(), "Zoë\n");
        }
        assert_eq!(decode(b"O\x92Neil \x80\n").unwrap(), "O\u{2019}Neil \u{20ac}\n");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bytes in [
            &b""[..],
            b" \r\n",
            b"\xef\xbb\xbf",
            b"PK\x03\x04rest",
            b"a\0b",
            b"caf\x81",
            b"Zo\xeb \x07",
            "Zoë".as_bytes().iter().chain(b"\xeb ").copied().collect::<Vec<_>>().as_slice(),
            b"\xff\xfea",
        ] {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
