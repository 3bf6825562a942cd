//! Reading what gzip has packed.
//!
//! `zlib-rs` unpacks a large chart in a tenth less time than the library that packs. That one still
//! reads the headers, and this reader says what it says of streams that are damaged.

use std::io::{self, BufRead, ErrorKind, Read};

use flate2::Crc;
use flate2::bufread::GzDecoder;
use zlib_rs::{Inflate, InflateError, InflateFlush, Status};

/// Bits of the window of any stream.
const WINDOW_BITS: u8 = 15;

/// Bytes at the end of a member: the checksum and the length.
const TRAILER: usize = 8;

/// Unpacks all members of a stream, one after the other.
pub(super) struct Gunzip<'a> {
    rest: &'a [u8],
    /// The member that is being read.
    member: Option<Member>,
    is_first: bool,
}

struct Member {
    inflate: Inflate,
    crc: Crc,
    /// Whether all of it was given, and only its end is to be checked.
    is_given: bool,
}

impl<'a> Gunzip<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            member: None,
            is_first: true,
        }
    }

    /// Reads the header of the next member.
    fn begin(&mut self) -> io::Result<Member> {
        self.is_first = false;
        let mut header = GzDecoder::new(self.rest);
        if header.header().is_none() {
            // What is wrong with it is told who reads on.
            let nothing = header.read(&mut [0; 1]);
            return Err(nothing.err().unwrap_or(ErrorKind::UnexpectedEof.into()));
        }
        self.rest = header.into_inner();
        Ok(Member {
            inflate: Inflate::new(false, WINDOW_BITS),
            crc: Crc::new(),
            is_given: false,
        })
    }

    /// Compares what was read with what the member says at its end.
    fn end(&mut self, crc: &Crc) -> io::Result<()> {
        let trailer = self.rest.split_first_chunk::<TRAILER>();
        let (trailer, rest) = trailer.ok_or(ErrorKind::UnexpectedEof)?;
        self.rest = rest;
        let wanted = u64::from(crc.amount()) << 32 | u64::from(crc.sum());
        match u64::from_le_bytes(*trailer) == wanted {
            true => Ok(()),
            false => Err(damaged(
                "corrupt gzip stream does not have a matching checksum",
            )),
        }
    }
}

impl Read for Gunzip<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let mut member = match self.member.take() {
                Some(member) => member,
                None if self.rest.is_empty() && !self.is_first => return Ok(0),
                None => self.begin()?,
            };
            if member.is_given {
                self.end(&member.crc)?;
                continue;
            }
            let (written, status) = member.read(&mut self.rest, into);
            member.is_given = status == Ok(Status::StreamEnd);
            // What was unpacked before a mistake is given before it is told.
            match status {
                _ if written > 0 => {}
                Ok(Status::StreamEnd) => {}
                Ok(_) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(_) => return Err(damaged("corrupt deflate stream")),
            }
            self.member = Some(member);
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

impl Member {
    /// Unpacks as much as there is room for: how much that is, and how it went.
    fn read(&mut self, rest: &mut &[u8], into: &mut [u8]) -> (usize, Result<Status, InflateError>) {
        let Self { inflate, crc, .. } = self;
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(rest, into, InflateFlush::NoFlush);
        rest.consume((inflate.total_in() - read) as usize);
        let written = (inflate.total_out() - written) as usize;
        crc.update(&into[..written]);
        (written, status)
    }
}

fn damaged(text: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::bufread::MultiGzDecoder;
    use flate2::write::GzEncoder;
    use flate2::{Compression, GzBuilder};

    use super::*;

    /// Two members, of which one has all that a header can have.
    fn packed() -> Vec<u8> {
        let builder = GzBuilder::new().filename("a").comment("b").extra("cd");
        let mut first = builder.write(Vec::new(), Compression::best());
        let lines: String = (0..100).map(|at| format!("line {}\n", at * at)).collect();
        first.write_all(lines.as_bytes()).unwrap();
        let mut second = GzEncoder::new(first.finish().unwrap(), Compression::none());
        second.write_all(b"as it is").unwrap();
        second.finish().unwrap()
    }

    fn read(mut reader: impl Read) -> Result<Vec<u8>, (ErrorKind, String)> {
        let mut content = Vec::new();
        match reader.read_to_end(&mut content) {
            Ok(_) => Ok(content),
            // In the words that charts are refused with.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Err((error.kind(), String::new()))
            }
            Err(error) => Err((error.kind(), error.to_string())),
        }
    }

    #[test]
    fn streams_are_read_as_the_other_library_reads_them() {
        let packed = packed();
        let both = |bytes: &[u8]| (read(Gunzip::new(bytes)), read(MultiGzDecoder::new(bytes)));
        for bytes in [packed.clone(), [&packed[..], b"more"].concat()] {
            let (ours, theirs) = both(&bytes);
            assert_eq!(ours, theirs);
        }
        for at in 0..packed.len() {
            let (ours, theirs) = both(&packed[..at]);
            assert_eq!(ours, theirs, "cut at {at}");
            let mut damaged = packed.clone();
            damaged[at] ^= 1 << (at % 8);
            let (ours, theirs) = both(&damaged);
            // One notices sooner than the other that codes make no sense.
            assert_eq!(ours.ok(), theirs.ok(), "byte {at}");
        }
    }

    #[test]
    fn small_reads_give_the_same() {
        let packed = packed();
        let mut reader = Gunzip::new(&packed);
        let mut content = Vec::new();
        let mut byte = [0; 1];
        while reader.read(&mut byte).unwrap() > 0 {
            content.extend(byte);
        }
        assert_eq!(Ok(content), read(Gunzip::new(&packed)));
    }
}
