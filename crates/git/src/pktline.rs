//! The frames of Git's protocol: lines with their length in front.

use std::io::{self, Write};

/// Most bytes of data in one frame.
pub(crate) const DATA_BYTES_MAX: usize = 65516;

/// Most bytes of pack data in one side-band frame: one byte names the band.
const BAND_BYTES_MAX: usize = DATA_BYTES_MAX - 1;

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    Data(&'a [u8]),
    /// Ends a message.
    Flush,
    /// Separates sections of a message.
    Delimiter,
    /// Ends a response of protocol 2 over a connection that stays open.
    ResponseEnd,
}

/// Bytes that are no frames.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame's length is not four hexadecimal digits")]
    Length,
    #[error("a frame is longer than 65520 bytes or shorter than its own header")]
    Size,
    #[error("a frame is cut off")]
    CutOff,
}

impl<'a> Packet<'a> {
    /// The text of a data frame without its newline.
    pub(crate) fn text(&self) -> Option<&'a [u8]> {
        match self {
            Self::Data(data) => Some(data.strip_suffix(b"\n").unwrap_or(data)),
            _ => None,
        }
    }
}

/// Takes one frame off the front of `bytes`; `None` when more bytes are needed.
pub(crate) fn split<'a>(bytes: &mut &'a [u8]) -> Result<Option<Packet<'a>>, FrameError> {
    let Some((digits, rest)) = bytes.split_at_checked(4) else {
        return Ok(None);
    };
    let mut length = 0;
    for digit in digits {
        let digit = (*digit as char).to_digit(16).ok_or(FrameError::Length)?;
        length = length << 4 | digit as usize;
    }
    let packet = match length {
        0 => Packet::Flush,
        1 => Packet::Delimiter,
        2 => Packet::ResponseEnd,
        3 => return Err(FrameError::Size),
        _ if length - 4 > DATA_BYTES_MAX => return Err(FrameError::Size),
        _ => match rest.split_at_checked(length - 4) {
            None => return Ok(None),
            Some((data, rest)) => {
                *bytes = rest;
                return Ok(Some(Packet::Data(data)));
            }
        },
    };
    *bytes = rest;
    Ok(Some(packet))
}

/// Takes one frame off bytes that are complete; `None` at their end.
pub(crate) fn next<'a>(bytes: &mut &'a [u8]) -> Result<Option<Packet<'a>>, FrameError> {
    match split(bytes)? {
        None if !bytes.is_empty() => Err(FrameError::CutOff),
        packet => Ok(packet),
    }
}

/// Appends a data frame.
pub(crate) fn put(out: &mut Vec<u8>, data: impl AsRef<[u8]>) {
    let data = data.as_ref();
    debug_assert!(data.len() <= DATA_BYTES_MAX, "callers bound their lines");
    out.extend_from_slice(format!("{:04x}", data.len() + 4).as_bytes());
    out.extend_from_slice(data);
}

/// Appends the frame that ends a message.
pub(crate) fn put_flush(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0000");
}

/// Appends the frame between sections.
pub(crate) fn put_delimiter(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0001");
}

/// A writer that wraps what it is given into frames of one side band.
pub(crate) struct Band<'a, W: Write> {
    pub out: &'a mut W,
    pub number: u8,
    /// Most bytes of a frame, its number included.
    pub frame_bytes_max: usize,
}

impl<'a, W: Write> Band<'a, W> {
    /// Band 1 carries packs and reports.
    pub(crate) fn data(out: &'a mut W) -> Self {
        Self {
            out,
            number: 1,
            frame_bytes_max: BAND_BYTES_MAX,
        }
    }
}

impl<'a, W: Write> Band<'a, W> {
    /// Band 2 carries progress, band 3 why it broke off; short enough for every client.
    pub(crate) fn message(out: &'a mut W, number: u8) -> Self {
        Self {
            out,
            number,
            frame_bytes_max: 900,
        }
    }
}

impl<W: Write> Write for Band<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.chunks(self.frame_bytes_max) {
            let mut head = format!("{:04x}", piece.len() + 5).into_bytes();
            head.push(self.number);
            self.out.write_all(&head)?;
            self.out.write_all(piece)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_lie_about_their_length_are_refused() {
        let mut bytes = &b"0006a\n00000001000bhello"[..];
        assert_eq!(next(&mut bytes), Ok(Some(Packet::Data(b"a\n"))));
        assert_eq!(next(&mut bytes), Ok(Some(Packet::Flush)));
        assert_eq!(next(&mut bytes), Ok(Some(Packet::Delimiter)));
        assert_eq!(next(&mut bytes), Err(FrameError::CutOff));
        for bad in [&b"0003"[..], b"fff1", b"zz00aaaa", b"-001"] {
            assert!(next(&mut &bad[..]).is_err());
        }
        let mut out = Vec::new();
        put(&mut out, "hi");
        assert_eq!(next(&mut &out[..]), Ok(Some(Packet::Data(b"hi"))));
    }
}
