//! Resource quantities as the API stores them: `500m`, `1536Mi`, `1e3`.

use golang::quantity::{Quantity, QuantityError};

/// The text of a quantity as the API writes it.
pub(crate) fn canonical(text: &str) -> Result<String, QuantityError> {
    text.trim()
        .parse()
        .map(|quantity: Quantity| quantity.to_string())
}

/// The text of a resource amount, which is rounded up to thousandths.
///
/// # Source
/// kubernetes/kubernetes `pkg/apis/core/v1/defaults.go`, `SetDefaults_ResourceList`, at v1.36.3.
pub(crate) fn canonical_resource(text: &str) -> Result<String, QuantityError> {
    let quantity: Quantity = text.trim().parse()?;
    if quantity.is_whole() {
        return Ok(quantity.to_string());
    }
    let milli = quantity.milli_value();
    let rounded = Quantity::from_milli(milli, quantity.format());
    let fits = milli.unsigned_abs() < i64::MAX.unsigned_abs();
    Ok(match fits && rounded != quantity {
        true => rounded.to_string(),
        false => quantity.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_as_the_api_writes_them() {
        let table = [
            ("1000m", "1"),
            ("0.1", "100m"),
            (".5", "500m"),
            ("1.", "1."),
            ("+1", "+1"),
            ("1024Ki", "1Mi"),
            ("1025Ki", "1025Ki"),
            ("1000k", "1M"),
            ("1E3", "1E3"),
            ("1e-3", "1e-3"),
            ("0.0001", "1m"),
            ("1n", "1m"),
            ("1u", "1m"),
            ("0", "0"),
            ("12345678901234567890", "12345678901234567890"),
            ("1Ei", "1Ei"),
            ("-0", "0"),
            ("1 ", "1"),
            ("5", "5"),
            ("0.25", "250m"),
            ("1e+20", "100e18"),
            ("1.5Gi", "1536Mi"),
            ("1500m", "1500m"),
            ("1e3", "1e3"),
            ("1048576", "1048576"),
            ("-1Gi", "-1Gi"),
            ("100000000000000000000Ei", "9223372036854775807"),
            ("0.5Mi", "512Ki"),
        ];
        for (text, expected) in table {
            assert_eq!(canonical_resource(text).as_deref(), Ok(expected), "{text}");
            assert_eq!(
                canonical_resource(expected).as_deref(),
                Ok(expected),
                "{expected}"
            );
        }
        assert_eq!(canonical("1n").as_deref(), Ok("1n"));
        for text in ["1KI", "0x10", "NaN", "true", "[]", "", "1.2.3"] {
            assert_eq!(canonical(text), Err(QuantityError::Format), "{text}");
        }
        for text in ["1kk", "1e"] {
            assert_eq!(canonical(text), Err(QuantityError::Suffix), "{text}");
        }
    }
}
