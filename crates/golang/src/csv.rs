//! Texts separated by commas, as Go's `encoding/csv` reads one line of them; flags that take lists are
//! read so.
//!
//! # Source
//! golang/go `src/encoding/csv/reader.go`; spf13/pflag `string_slice.go`.

/// Why a line is no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// A quote inside a text that does not begin with one; where, from one.
    #[error("parse error on line 1, column {0}: bare \" in non-quoted-field")]
    BareQuote(usize),
    /// A text in quotes that does not end, or goes on behind them; where, from one.
    #[error("parse error on line 1, column {0}: extraneous or missing \" in quoted-field")]
    Quote(usize),
}

/// The texts of the first line; none of an empty one. One in quotes may hold commas, line breaks and,
/// doubled, quotes.
///
/// # Errors
/// [`CsvError`].
pub fn record(text: &str) -> Result<Vec<String>, CsvError> {
    let mut fields = Vec::new();
    if text.is_empty() {
        return Ok(fields);
    }
    let mut rest = text;
    loop {
        let column = text.len() - rest.len() + 1;
        let mut field = String::new();
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = quoted;
            loop {
                let missing = CsvError::Quote(text.len() + 1);
                let (part, behind) = rest.split_once('"').ok_or(missing)?;
                field.push_str(part);
                let Some(more) = behind.strip_prefix('"') else {
                    rest = behind;
                    break;
                };
                field.push('"');
                rest = more;
            }
            let ends = rest.is_empty() || rest.starts_with([',', '\n']) || rest.starts_with("\r\n");
            if !ends {
                return Err(CsvError::Quote(text.len() - rest.len()));
            }
        } else {
            let end = rest.find([',', '\n']).unwrap_or(rest.len());
            let (plain, behind) = rest.split_at(end);
            if let Some(at) = plain.find('"') {
                return Err(CsvError::BareQuote(column + at));
            }
            field.push_str(match behind.starts_with('\n') {
                true => plain.strip_suffix('\r').unwrap_or(plain),
                false => plain,
            });
            rest = behind;
        }
        fields.push(field);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_in_go() {
        for (text, wanted) in [
            ("", "[]"),
            ("a", r#"["a"]"#),
            ("a,b", r#"["a", "b"]"#),
            (",", r#"["", ""]"#),
            ("a, b,", r#"["a", " b", ""]"#),
            ("\"a,b\",c", r#"["a,b", "c"]"#),
            ("\"a\"\"b\"", r#"["a\"b"]"#),
            ("\"a\nb\"", r#"["a\nb"]"#),
            ("\"\"", r#"[""]"#),
            ("a\r\nb", r#"["a"]"#),
            ("\"a\"\r\nb", r#"["a"]"#),
            ("a\"b", "column 2: bare"),
            ("x,a\"b", "column 4: bare"),
            ("\"a", "column 3: extraneous"),
            ("\"a\"b", "column 3: extraneous"),
        ] {
            let got = match record(text) {
                Ok(fields) => format!("{fields:?}"),
                Err(error) => error.to_string(),
            };
            match wanted.starts_with('[') {
                true => assert_eq!(got, wanted, "{text:?}"),
                false => assert!(got.contains(wanted), "{text:?}: {got}"),
            }
        }
    }
}
