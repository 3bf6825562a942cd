//! Texts that are equal but for addresses, which differ from run to run of a Go program.

/// What ours prints for every address: hexadecimal, decimal, octal and binary.
const OURS: &[&str] = &[
    "c000000000",
    "C000000000",
    "824633720832",
    "14000000000000",
    "1100000000000000000000000000000000000000",
];

/// Whether `theirs` is `ours` with other numbers, in their own padding, in place of addresses.
pub fn equal_but_addresses(ours: &str, theirs: &str) -> bool {
    let Some((at, mark)) = OURS
        .iter()
        .filter_map(|mark| Some((ours.find(mark)?, mark)))
        .min()
    else {
        return ours == theirs;
    };
    // Padding, sign and `0x` come before it, and padding comes behind it.
    let before = ours[..at].trim_end_matches(is_prefix);
    let behind = ours[at + mark.len()..].trim_start_matches(' ');
    let Some(theirs) = theirs.strip_prefix(before) else {
        return false;
    };
    let is_other = |character: char| !is_prefix(character) && !character.is_ascii_hexdigit();
    let digits = theirs.find(is_other).unwrap_or(theirs.len());
    // Where the number ends is told by what follows.
    (1..=digits)
        .rev()
        .any(|end| equal_but_addresses(behind, theirs[end..].trim_start_matches(' ')))
}

fn is_prefix(character: char) -> bool {
    matches!(character, ' ' | '+' | '0' | 'x' | 'X' | 'b' | 'o')
}

#[test]
fn only_addresses_may_differ() {
    let cases = [
        ("a [0xc000000000]", "a [0x1234abcd]", true),
        ("a [0xc000000000] b", "a [0x1234abcd] c", false),
        ("[   0xc000000000 5]", "[0x7ffe12345678 5]", true),
        ("[   0xc000000000 5]", "[0x7ffe12345678 6]", false),
        ("824633720832|c000000000", "1234567|abcdef", true),
        ("same", "same", true),
        ("same", "other", false),
    ];
    for (ours, theirs, equal) in cases {
        assert_eq!(equal_but_addresses(ours, theirs), equal, "{ours}");
    }
}
