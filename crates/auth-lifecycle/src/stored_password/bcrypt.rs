//! Hashes of bcrypt, as other programs made them.

use auth_core::{Error, Result, Secret};
use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD},
};
use zeroize::Zeroizing;

pub(super) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    output: Secret,
}

impl Bcrypt {
    /// Beyond so many, bcrypt looks at no byte of a password.
    pub(super) const MOST_PASSWORD_BYTES: usize = 72;
    const OUTPUT: usize = 23;

    /// Reads what is behind the version: two digits, and 53 characters of bcrypt's own base64.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let syntax = || {
            let text = "bcrypt hash is malformed, expected two digits of cost, '$', and 53 characters of salt and hash \
                        behind the version";
            Error::config("lifecycle_import_bcrypt", text)
        };
        let (cost, rest) = text.split_once('$').ok_or_else(syntax)?;
        if cost.len() != 2 || !cost.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(syntax());
        }
        let (salt, output) = rest.split_at_checked(22).ok_or_else(syntax)?;
        let base64 = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);
        let decode = |text| base64.decode(text).map_err(|_| syntax());
        let (salt, output) = (decode(salt)?, Secret::new(decode(output)?));
        let salt = salt.try_into().map_err(|_| syntax())?;
        if output.expose().len() != Self::OUTPUT {
            return Err(syntax());
        }
        let cost = cost.parse().map_err(|_| syntax())?;
        if !(4..=14).contains(&cost) {
            let text = format!(
                "cost of a bcrypt hash is {cost}, expected 4 to 14; have its owner set a new password instead"
            );
            return Err(Error::config("lifecycle_import_cost", text));
        }
        Ok(Self { cost, salt, output })
    }

    pub(super) fn is_of(&self, password: &[u8]) -> bool {
        // The password with the zero byte that ends it, if there is room for it.
        let mut key = Zeroizing::new([0; Self::MOST_PASSWORD_BYTES]);
        key.iter_mut().zip(password).for_each(|(place, byte)| *place = *byte);
        let length = password.len().saturating_add(1).min(Self::MOST_PASSWORD_BYTES);
        let key = key.get(..length).unwrap_or_default();
        let computed = Zeroizing::new(::bcrypt::bcrypt(self.cost, self.salt, key));
        let fits = computed.get(..Self::OUTPUT).is_some_and(|output| self.output.matches(output));
        fits && !password.contains(&0)
    }
}
