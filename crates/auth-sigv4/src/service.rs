//! Services, and what they want to be different.

/// The service that a request is for: its name in the credential scope, and the rules that go with it.
///
/// All but S3 have the same rules, so any other is known by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Service {
    /// Simple Storage Service: paths are taken as they are, and every request carries the hash of its payload.
    S3,
    /// API Gateway.
    ExecuteApi,
    /// Lambda, function URLs included.
    Lambda,
    /// Simple Notification Service.
    Sns,
    /// Security Token Service.
    Sts,
    /// Any other, by the name of its scope: `dynamodb`, `sqs`, or one of your own.
    Other(Box<str>),
}

impl Service {
    /// The service with this name, as it is typed into a form.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "s3" => Self::S3,
            "execute-api" => Self::ExecuteApi,
            "lambda" => Self::Lambda,
            "sns" => Self::Sns,
            "sts" => Self::Sts,
            other => Self::Other(other.into()),
        }
    }

    /// Its name in the credential scope.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::S3 => "s3",
            Self::ExecuteApi => "execute-api",
            Self::Lambda => "lambda",
            Self::Sns => "sns",
            Self::Sts => "sts",
            Self::Other(name) => name,
        }
    }

    /// How its requests are made canonical.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        match self {
            Self::S3 => Rules {
                encoding: Encoding::Once,
                normalization: Normalization::Off,
                content_sha256: ContentSha256::Sent,
            },
            _ => Rules {
                encoding: Encoding::Twice,
                normalization: Normalization::On,
                content_sha256: ContentSha256::LeftOut,
            },
        }
    }
}

/// How requests are made canonical. [`Service::rules`] knows them; set them only for a server that has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Of the path.
    pub encoding: Encoding,
    /// Of the path.
    pub normalization: Normalization,
    /// The field `x-amz-content-sha256`.
    pub content_sha256: ContentSha256,
}

/// How often a path is percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As the request has it: an escape stays as it is.
    Once,
    /// Once more than the request has it: the `%` of an escape is escaped.
    Twice,
}

/// Are `.`, `..` and empty segments taken out of a path?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// Yes (RFC 3986 section 5.2.4, and doubled slashes).
    On,
    /// No: they may be part of a name.
    Off,
}

/// Does a request carry the hash of its payload?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentSha256 {
    /// Yes.
    Sent,
    /// No, unless the payload is something that only the field can say.
    LeftOut,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_its_name() {
        for name in ["s3", "execute-api", "lambda", "sns", "sts", "dynamodb", ""] {
            assert_eq!(Service::named(name).name(), name);
        }
        assert_eq!(Service::named("s3").rules().encoding, Encoding::Once);
        assert_eq!(Service::named("S3"), Service::Other("S3".into()), "names have one spelling");
    }
}
