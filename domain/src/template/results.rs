//! What an experiment shows: proportions with their intervals, and a comparison that may be looked at any time. Pure.
//!
//! Guarantee of [`compare`]: where a variant is no different from the control, the chance that the value ever falls
//! below α, however often somebody looks and stops when they like it, is at most α. It is the mixture sequential
//! probability ratio test (Robbins 1970; for two proportions as in Johari, Pekelis and Walsh, "Always Valid Inference",
//! 2015), under the normal approximation. Rejected: the usual z-test, which is wrong as soon as it is looked at twice.

/// How many of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proportion {
    /// Of these it happened to.
    pub hits: u64,
    /// So many.
    pub of: u64,
}

/// The 97.5 % quantile of the normal distribution: intervals hold 95 %.
const Z: f64 = 1.959_963_984_540_054;
/// Variance of the differences that are looked for: about one percentage point. The guarantee holds for any value;
/// this one finds such differences soonest.
const MIXING: f64 = 1e-4;
/// Below so many on either side the normal approximation says nothing.
const LEAST: u64 = 50;

#[allow(clippy::cast_precision_loss, reason = "proportions of counts far below 2^52")]
const fn float(count: u64) -> f64 {
    count as f64
}

impl Proportion {
    /// The proportion; none of nobody.
    pub fn rate(self) -> Option<f64> {
        (self.of > 0).then(|| float(self.hits) / float(self.of))
    }

    /// Its 95 % interval by Wilson's score (1927), which holds for few and for extreme proportions too.
    pub fn interval(self) -> Option<(f64, f64)> {
        let (rate, n) = (self.rate()?, float(self.of));
        let denominator = 1.0 + Z * Z / n;
        let centre = (rate + Z * Z / (2.0 * n)) / denominator;
        let half = Z / denominator * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
        Some(((centre - half).max(0.0), (centre + half).min(1.0)))
    }
}

/// How surprising the difference of two proportions would be if there were none: an always valid p-value. None where
/// there are too few to say anything.
pub fn compare(variant: Proportion, control: Proportion) -> Option<f64> {
    if variant.of < LEAST || control.of < LEAST {
        return None;
    }
    let (a, b) = (float(variant.of), float(control.of));
    let pooled = (float(variant.hits) + float(control.hits)) / (a + b);
    let variance = pooled * (1.0 - pooled) * (1.0 / a + 1.0 / b);
    if variance <= 0.0 {
        return Some(1.0);
    }
    let difference = variant.rate()? - control.rate()?;
    // In logarithms: the ratio itself overflows for clear differences.
    let log_ratio = 0.5 * (variance / (variance + MIXING)).ln() + MIXING * difference * difference / (2.0 * variance * (variance + MIXING));
    Some((-log_ratio).exp().min(1.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Rows made by `results.py` beside this file with SciPy: hits and numbers of both, Wilson's interval of the
    /// first, and the p-value.
    const SAMPLES: &str = include_str!("samples/results.csv");

    #[test]
    fn figures_are_those_of_scipy() {
        let mut rows = 0;
        for line in SAMPLES.lines().skip(1) {
            let numbers: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let count = |index: usize| numbers[index] as u64;
            let (variant, control) = (Proportion { hits: count(0), of: count(1) }, Proportion { hits: count(2), of: count(3) });
            let (low, high) = variant.interval().unwrap();
            assert!((low - numbers[4]).abs() < 1e-9 && (high - numbers[5]).abs() < 1e-9, "{line}: {low} {high}");
            let p = compare(variant, control).unwrap();
            assert!((p - numbers[6]).abs() <= 1e-9 * numbers[6].max(1e-3), "{line}: {p}");
            rows += 1;
        }
        assert!(rows >= 200);
    }

    #[test]
    fn looking_all_the_time_finds_nothing_where_there_is_nothing() {
        // 400 experiments of two equal variants, each looked at after every hundred of 10,000.
        let mut state = 42_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % 100 < 20
        };
        let mut found = 0;
        for _ in 0..400 {
            let (mut a, mut b) = (Proportion::default(), Proportion::default());
            let surprised = (0..100).any(|_| {
                for _ in 0..100 {
                    a = Proportion { hits: a.hits + u64::from(draw()), of: a.of + 1 };
                    b = Proportion { hits: b.hits + u64::from(draw()), of: b.of + 1 };
                }
                compare(a, b).is_some_and(|p| p < 0.05)
            });
            found += u32::from(surprised);
        }
        assert!(found <= 20, "{found} of 400 are more than one in twenty");
    }

    #[test]
    fn a_clear_difference_is_found_and_few_say_nothing() {
        let of = |hits, of| Proportion { hits, of };
        assert!(compare(of(300, 2_000), of(200, 2_000)).unwrap() < 0.01);
        assert_eq!(compare(of(10, 20), of(1, 20)), None);
        assert_eq!(compare(of(0, 100), of(0, 100)), Some(1.0));
        assert_eq!((of(0, 0).rate(), of(0, 0).interval()), (None, None));
    }
}
