//! Numbers as JSON writes them, compared by value and exactly: `42`, `42.0` and `4.2e1` are one number, and integers
//! beyond what a float can hold stay different.

/// Digits without a zero at either end, and the power of ten of the last one. Zero has no digits.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

/// Whether both are numbers, and the same.
pub fn equal(one: &str, other: &str) -> bool {
    parse(one).is_some_and(|one| parse(other).is_some_and(|other| one == other))
}

fn parse(text: &str) -> Option<Decimal> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?.into()),
        None => (rest, 0_i64),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let digits = [whole, fraction].concat().into_bytes();
    if whole.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let exponent = exponent - i64::try_from(fraction.len()).ok()?;
    Some(normal(negative, digits, exponent))
}

fn normal(negative: bool, mut digits: Vec<u8>, exponent: i64) -> Decimal {
    let before = digits.len();
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    let trailing = (before - digits.len()) as i64;
    let leading = digits.iter().take_while(|&&digit| digit == b'0').count();
    digits.drain(..leading);
    if digits.is_empty() {
        return Decimal { negative: false, digits, exponent: 0 };
    }
    Decimal { negative, digits, exponent: exponent + trailing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_equal_by_value() {
        for (one, other) in [
            ("42", "42.0"),
            ("42", "4.2e1"),
            ("-7", "-7.00"),
            ("0", "-0.0"),
            ("100", "1E+2"),
            ("0.5", "5e-1"),
            ("007", "7"),
            ("9007199254740993", "9007199254740993.0"),
        ] {
            assert!(equal(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("42", "43"),
            ("7", "-7"),
            ("9007199254740993", "9007199254740992"),
            ("1", "10"),
            ("1e2147483647", "1e2147483646"),
            ("0.1", "0.10000000000000001"),
        ] {
            assert!(!equal(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_number_equals_nothing() {
        for text in ["", "-", ".5", "5.", "1e", "0x10", "NaN", "Infinity", "1 ", "+1", "1,0", "1e99999999999", "--1"] {
            assert!(!equal(text, text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_integer_equals_itself_with_any_zeros_after_the_point(number: i64, zeros in 1..9_usize) {
            let longer = format!("{number}.{}", "0".repeat(zeros));
            prop_assert!(equal(&number.to_string(), &longer));
        }

        #[test]
        fn integers_are_equal_only_to_themselves(one: i64, other: i64) {
            prop_assert_eq!(equal(&one.to_string(), &other.to_string()), one == other);
        }
    }
}
