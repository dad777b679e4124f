//! The numbers of a key.

use super::Wrong;
use crate::{JwsAlgorithm, SigningKey, VerifyingKey, base64url, json::Value};
use auth_core::{Error, Result};
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use zeroize::Zeroizing;

type Number = Zeroizing<Vec<u8>>;

/// A key by its type, with what its type has to have.
pub(super) enum Material {
    Secret(Number),
    Rsa {
        n: Number,
        e: Number,
        private: Option<RsaPrivate>,
    },
    /// Coordinates of P-256 or P-384, by their curve.
    Ec {
        curve: JwsAlgorithm,
        point: Number,
        private: Option<Number>,
    },
    Ed25519 {
        point: Number,
        private: Option<Number>,
    },
}

/// RFC 7518 section 6.3.2.
pub(super) struct RsaPrivate {
    d: Number,
    p: Number,
    q: Number,
    dp: Number,
    dq: Number,
    qi: Number,
}

/// The members that hold numbers or name a curve.
#[derive(Default)]
pub(super) struct Fields {
    crv: Option<Box<str>>,
    k: Option<Number>,
    n: Option<Number>,
    e: Option<Number>,
    d: Option<Number>,
    p: Option<Number>,
    q: Option<Number>,
    dp: Option<Number>,
    dq: Option<Number>,
    qi: Option<Number>,
    x: Option<Number>,
    y: Option<Number>,
    more_primes: bool,
}

impl Fields {
    pub(super) fn member(&mut self, name: &str, value: Value<'_>) -> Result<(), Wrong> {
        let (field, name) = match name {
            "k" => (&mut self.k, "k"),
            "n" => (&mut self.n, "n"),
            "e" => (&mut self.e, "e"),
            "d" => (&mut self.d, "d"),
            "p" => (&mut self.p, "p"),
            "q" => (&mut self.q, "q"),
            "dp" => (&mut self.dp, "dp"),
            "dq" => (&mut self.dq, "dq"),
            "qi" => (&mut self.qi, "qi"),
            "x" => (&mut self.x, "x"),
            "y" => (&mut self.y, "y"),
            "crv" => {
                self.crv = Some(super::string(value, "crv")?);
                return Ok(());
            }
            "oth" => {
                self.more_primes = true;
                return Ok(());
            }
            // Members that are not understood are ignored (RFC 7517 section 4).
            _ => return Ok(()),
        };
        let text = value.string().ok_or(Wrong::Type(name))?.to_str();
        *field = Some(Zeroizing::new(base64url::decode(text.as_bytes()).ok_or(Wrong::Type(name))?));
        Ok(())
    }

    pub(super) fn finish(self, kty: &str) -> Result<Material, Wrong> {
        match (kty, self.crv.as_deref()) {
            ("oct", _) => Ok(Material::Secret(self.k.ok_or(Wrong::Missing("k"))?)),
            ("RSA", _) if self.more_primes => Err(Wrong::Unknown("oth")),
            ("RSA", _) => self.rsa(),
            ("EC", Some("P-256")) => self.ec(JwsAlgorithm::ES256, 32),
            ("EC", Some("P-384")) => self.ec(JwsAlgorithm::ES384, 48),
            ("OKP", Some("Ed25519")) => {
                let point = self.x.ok_or(Wrong::Missing("x"))?;
                Ok(Material::Ed25519 { point, private: self.d })
            }
            ("EC" | "OKP", None) => Err(Wrong::Missing("crv")),
            ("EC" | "OKP", Some(_)) => Err(Wrong::Unknown("crv")),
            _ => Err(Wrong::Unknown("kty")),
        }
    }

    fn rsa(self) -> Result<Material, Wrong> {
        let private = match self.d {
            None => None,
            Some(d) => Some(RsaPrivate {
                d,
                p: self.p.ok_or(Wrong::Missing("p"))?,
                q: self.q.ok_or(Wrong::Missing("q"))?,
                dp: self.dp.ok_or(Wrong::Missing("dp"))?,
                dq: self.dq.ok_or(Wrong::Missing("dq"))?,
                qi: self.qi.ok_or(Wrong::Missing("qi"))?,
            }),
        };
        let (n, e) = (self.n.ok_or(Wrong::Missing("n"))?, self.e.ok_or(Wrong::Missing("e"))?);
        Ok(Material::Rsa { n, e, private })
    }

    /// Coordinates have the length of the field, with leading zeros (RFC 7518 section 6.2.1.2).
    fn ec(self, curve: JwsAlgorithm, length: usize) -> Result<Material, Wrong> {
        let (x, y) = (self.x.ok_or(Wrong::Missing("x"))?, self.y.ok_or(Wrong::Missing("y"))?);
        match (x.len() == length, y.len() == length) {
            (false, _) => return Err(Wrong::Type("x")),
            (_, false) => return Err(Wrong::Type("y")),
            _ => {}
        }
        let point = Zeroizing::new([&[4][..], &x, &y].concat());
        Ok(Material::Ec { curve, point, private: self.d })
    }
}

impl Material {
    pub(super) fn signing(&self, algorithm: JwsAlgorithm) -> Result<SigningKey> {
        match self {
            Self::Secret(secret) => SigningKey::from_secret(algorithm, secret),
            Self::Rsa { n, e, private: Some(private) } => {
                let public_key = PublicKeyComponents { n: &n[..], e: &e[..] };
                let RsaPrivate { d, p, q, dp, dq, qi } = private;
                SigningKey::of_rsa(
                    algorithm,
                    &KeyPairComponents {
                        public_key,
                        d: &d[..],
                        p: &p[..],
                        q: &q[..],
                        dP: &dp[..],
                        dQ: &dq[..],
                        qInv: &qi[..],
                    },
                )
            }
            Self::Ec { curve, point, private: Some(private) } => {
                let algorithm = fits(*curve, algorithm)?;
                SigningKey::of_point(algorithm, private, point)
            }
            Self::Ed25519 { point, private: Some(private) } => {
                let algorithm = fits(JwsAlgorithm::EdDSA, algorithm)?;
                SigningKey::of_point(algorithm, private, point)
            }
            Self::Rsa { .. } | Self::Ec { .. } | Self::Ed25519 { .. } => Err(Error::config(
                "jwk_public",
                "JWK is a public key, expected the private key that signs",
            )),
        }
    }

    pub(super) fn verifying(&self, algorithm: JwsAlgorithm) -> Result<VerifyingKey> {
        match self {
            Self::Secret(secret) => VerifyingKey::from_secret(algorithm, secret),
            Self::Rsa { n, e, .. } => VerifyingKey::of_rsa(algorithm, n, e),
            Self::Ec { curve, point, .. } => {
                VerifyingKey::of_point(fits(*curve, algorithm)?, point)
            }
            Self::Ed25519 { point, .. } => {
                VerifyingKey::of_point(fits(JwsAlgorithm::EdDSA, algorithm)?, point)
            }
        }
    }

    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Secret(_) => "oct",
            Self::Rsa { .. } => "RSA",
            Self::Ec { .. } => "EC",
            Self::Ed25519 { .. } => "OKP",
        }
    }
}

/// A curve is for one algorithm.
fn fits(own: JwsAlgorithm, wanted: JwsAlgorithm) -> Result<JwsAlgorithm> {
    if own == wanted {
        return Ok(own);
    }
    Err(Error::config(
        "jwk_curve",
        format!("crv of the JWK is for {own}, expected one for {wanted}"),
    ))
}
