//! The input is a row that should hold a sealed secret; and what is changed in a row that does hold one.

use auth_core::{Random, Result, Secret, TenantId};
use auth_lifecycle::{EnvelopePlace, EnvelopeSealer, LocalKeyWrapper, Sealed};

/// Holds for any bytes as a row. What is read is written as the same bytes and shows nothing; a row in which anything is
/// changed opens nothing.
pub fn lifecycle_sealed(data: &[u8]) {
    let wrapper = LocalKeyWrapper::new("2026", &Secret::new([7; 32]), Same).unwrap();
    let sealer = EnvelopeSealer::new(wrapper, Same);
    let tenant = TenantId::new("acme");
    let place = EnvelopePlace {
        tenant: &tenant,
        group: &["billing", "service_key"],
        credential: "k7",
        generation: 1,
        purpose: "verify",
    };
    let row = sealer.seal(place, &Secret::from("a secret")).wait().unwrap().to_bytes();
    let opens = |bytes: &[u8]| {
        let Ok(sealed) = Sealed::from_bytes(bytes) else { return false };
        assert_eq!(sealed.to_bytes(), bytes);
        assert_eq!(format!("{sealed:?}"), "Sealed(..)");
        assert!(sealed.key_id().bytes().all(|byte| byte.is_ascii_graphic()));
        sealer.open(place, &sealed).wait().is_ok_and(|opened| opened.matches(b"a secret"))
    };
    assert_eq!(opens(data), data == row);

    let changes = data.iter().chain(std::iter::repeat(&0));
    let changed: Vec<u8> = row.iter().zip(changes).map(|(byte, change)| byte ^ change).collect();
    assert_eq!(opens(&changed), changed == row);
    let cut = row.len() - data.len().min(row.len());
    assert_eq!(opens(&row[..cut]), cut == row.len());
    assert_eq!(opens(&[&row, data].concat()), data.is_empty());
}

/// The same key each time, so that a search repeats.
struct Same;

impl Random for Same {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        bytes.fill(42);
        Ok(())
    }
}
