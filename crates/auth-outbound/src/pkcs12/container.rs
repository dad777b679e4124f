//! The structures of RFC 7292, strictly in DER and without a copy.

use super::{fault::Fault, password::Mac, scheme::Scheme};
use der::{
    Decode, Reader, SliceReader, Tag,
    asn1::{AnyRef, ObjectIdentifier},
};

/// A file (`PFX`), of which nothing was decrypted yet.
pub(super) struct Container<'a> {
    /// What the MAC is of.
    pub(super) content: &'a [u8],
    pub(super) mac: Option<Mac<'a>>,
    /// What nothing but its keys is encrypted of.
    pub(super) plain: Bags<'a>,
    /// What is encrypted as a whole.
    pub(super) encrypted: Vec<(Scheme<'a>, &'a [u8])>,
}

impl<'a> Container<'a> {
    pub(super) fn read(der: &'a [u8]) -> Result<Self, Fault> {
        let mut file = Fields::new(der)?;
        let mut pfx = file.inside(Tag::Sequence)?;
        file.end()?;
        if pfx.number()? != 3 {
            return Err(Fault::Form);
        }
        let mut safe = pfx.inside(Tag::Sequence)?;
        if safe.object()? != DATA {
            return Err(Fault::Algorithm("a signature in place of a MAC"));
        }
        let content = safe.explicit_octets()?;
        let mac = if pfx.is_done() { None } else { Some(Mac::read(pfx.inside(Tag::Sequence)?)?) };
        pfx.end()?;
        let mut all = Self { content, mac, plain: Bags::default(), encrypted: Vec::new() };
        let mut outer = Fields::new(content)?;
        let mut parts = outer.inside(Tag::Sequence)?;
        outer.end()?;
        while !parts.is_done() {
            all.part(parts.inside(Tag::Sequence)?)?;
        }
        Ok(all)
    }

    /// One `ContentInfo`.
    fn part(&mut self, mut part: Fields<'a>) -> Result<(), Fault> {
        let kind = part.object()?;
        if kind == DATA {
            self.plain.append(Bags::read(part.explicit_octets()?)?);
            return part.end();
        }
        if kind != ENCRYPTED_DATA {
            return Err(Fault::Algorithm("encryption to a public key"));
        }
        let mut data = part.explicit()?.inside(Tag::Sequence)?;
        if data.number()? != 0 {
            return Err(Fault::Form);
        }
        let mut content = data.inside(Tag::Sequence)?;
        if content.object()? != DATA {
            return Err(Fault::Form);
        }
        let scheme = Scheme::read(content.inside(Tag::Sequence)?)?;
        self.encrypted.push((scheme, content.take(CONTEXT_0_IMPLICIT)?));
        Ok(())
    }

    /// Every encryption that can be seen, of parts and of keys.
    pub(super) fn schemes(&self) -> impl Iterator<Item = &Scheme<'a>> {
        self.encrypted.iter().map(|(scheme, _)| scheme).chain(self.plain.schemes())
    }
}

/// What a part holds (`SafeContents`), of that what makes an identity.
#[derive(Default)]
pub(super) struct Bags<'a> {
    pub(super) keys: Vec<KeyBag<'a>>,
    pub(super) certificates: Vec<&'a [u8]>,
}

/// A private key, in PKCS#8.
pub(super) enum KeyBag<'a> {
    Plain(&'a [u8]),
    Encrypted(Scheme<'a>, &'a [u8]),
}

impl<'a> Bags<'a> {
    pub(super) fn read(der: &'a [u8]) -> Result<Self, Fault> {
        let mut all = Self::default();
        let mut outer = Fields::new(der)?;
        let mut bags = outer.inside(Tag::Sequence)?;
        outer.end()?;
        while !bags.is_done() {
            // Behind the value are names, which nothing here needs.
            let mut bag = bags.inside(Tag::Sequence)?;
            let kind = bag.object()?;
            all.bag(kind, bag.explicit()?)?;
        }
        Ok(all)
    }

    fn bag(&mut self, kind: ObjectIdentifier, mut value: Fields<'a>) -> Result<(), Fault> {
        match kind {
            KEY_BAG => self.keys.push(KeyBag::Plain(value.whole()?)),
            ENCRYPTED_KEY_BAG => {
                let mut key = value.inside(Tag::Sequence)?;
                let scheme = Scheme::read(key.inside(Tag::Sequence)?)?;
                self.keys.push(KeyBag::Encrypted(scheme, key.octets()?));
                key.end()?;
            }
            CERTIFICATE_BAG => {
                let mut certificate = value.inside(Tag::Sequence)?;
                if certificate.object()? != X509 {
                    return Err(Fault::Algorithm("a certificate that is not X.509"));
                }
                self.certificates.push(certificate.explicit_octets()?);
                certificate.end()?;
            }
            // Lists of what was revoked, and secrets that are no private keys.
            CRL_BAG | SECRET_BAG => {}
            _ => return Err(Fault::Algorithm("a bag in a bag, or one")),
        }
        Ok(())
    }

    pub(super) fn append(&mut self, mut more: Self) {
        self.keys.append(&mut more.keys);
        self.certificates.append(&mut more.certificates);
    }

    /// The encryption of each key.
    pub(super) fn schemes(&self) -> impl Iterator<Item = &Scheme<'a>> {
        self.keys.iter().filter_map(|key| match key {
            KeyBag::Encrypted(scheme, _) => Some(scheme),
            KeyBag::Plain(_) => None,
        })
    }
}

/// The fields of a structure, one after the other.
pub(super) struct Fields<'a>(SliceReader<'a>);

impl<'a> Fields<'a> {
    fn new(der: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(SliceReader::new(der)?))
    }

    pub(super) fn take(&mut self, tag: Tag) -> Result<&'a [u8], Fault> {
        let value = AnyRef::decode(&mut self.0)?;
        if der::Tagged::tag(&value) == tag { Ok(value.value()) } else { Err(Fault::Form) }
    }

    pub(super) fn inside(&mut self, tag: Tag) -> Result<Self, Fault> {
        Self::new(self.take(tag)?)
    }

    /// The value under `[0] EXPLICIT`.
    fn explicit(&mut self) -> Result<Self, Fault> {
        self.inside(CONTEXT_0)
    }

    fn explicit_octets(&mut self) -> Result<&'a [u8], Fault> {
        let mut value = self.explicit()?;
        let octets = value.octets()?;
        value.end()?;
        Ok(octets)
    }

    pub(super) fn octets(&mut self) -> Result<&'a [u8], Fault> {
        self.take(Tag::OctetString)
    }

    pub(super) fn object(&mut self) -> Result<ObjectIdentifier, Fault> {
        Ok(ObjectIdentifier::decode(&mut self.0)?)
    }

    pub(super) fn number(&mut self) -> Result<u64, Fault> {
        Ok(u64::decode(&mut self.0)?)
    }

    pub(super) fn is_next(&self, tag: Tag) -> bool {
        Tag::peek(&self.0).is_ok_and(|next| next == tag)
    }

    /// The next value with its tag.
    fn whole(&mut self) -> Result<&'a [u8], Fault> {
        Ok(self.0.tlv_bytes()?)
    }

    fn is_done(&self) -> bool {
        self.0.is_finished()
    }

    pub(super) fn end(self) -> Result<(), Fault> {
        if self.is_done() { Ok(()) } else { Err(Fault::Form) }
    }
}

const CONTEXT_0: Tag = Tag::ContextSpecific { constructed: true, number: der::TagNumber(0) };
const CONTEXT_0_IMPLICIT: Tag =
    Tag::ContextSpecific { constructed: false, number: der::TagNumber(0) };

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const ENCRYPTED_KEY_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const CRL_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.4");
const SECRET_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.5");
const X509: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
