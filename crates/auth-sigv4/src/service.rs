//! Services, and what they want to be different.

/// The service that a request is for: its name in the credential scope, and the rules that go with it.
///
/// All but S3 have the same rules, so any other is known by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AwsService {
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

impl AwsService {
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
    pub const fn rules(&self) -> SigningRules {
        match self {
            Self::S3 => SigningRules {
                encoding: PathEncoding::Once,
                normalization: PathNormalization::Off,
                content_sha256: PayloadHashField::Sent,
                presigned: PresignedPayload::Unsigned,
            },
            _ => SigningRules {
                encoding: PathEncoding::Twice,
                normalization: PathNormalization::On,
                content_sha256: PayloadHashField::LeftOut,
                presigned: PresignedPayload::Signed,
            },
        }
    }
}

/// How requests are made canonical. [`AwsService::rules`] knows them; for a server that has its own, all of them or one:
///
/// ```
/// use auth_sigv4::{AwsService, PayloadHashField, SigningRules};
/// let glacier = AwsService::named("glacier").rules();
/// let glacier = SigningRules { content_sha256: PayloadHashField::Sent, ..glacier };
/// # let _ = glacier;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningRules {
    /// Of the path.
    pub encoding: PathEncoding,
    /// Of the path.
    pub normalization: PathNormalization,
    /// The field `x-amz-content-sha256`.
    pub content_sha256: PayloadHashField,
    /// Of the payload of presigned URLs.
    pub presigned: PresignedPayload,
}

/// How often a path is percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathEncoding {
    /// As the request has it: an escape stays as it is.
    Once,
    /// Once more than the request has it: the `%` of an escape is escaped.
    Twice,
}

/// Are `.`, `..` and empty segments taken out of a path?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathNormalization {
    /// Yes (RFC 3986 section 5.2.4, and doubled slashes).
    On,
    /// No: they may be part of a name.
    Off,
}

/// Does a request carry the hash of its payload?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadHashField {
    /// Yes.
    Sent,
    /// No, unless the payload is something that only the field can say.
    LeftOut,
}

/// Is the payload signed with a presigned URL?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresignedPayload {
    /// Yes: its hash is, so it is known when the URL is made.
    Signed,
    /// No, as S3 has it: the user of the URL decides what is sent.
    Unsigned,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_its_name() {
        for name in ["s3", "execute-api", "lambda", "sns", "sts", "dynamodb", ""] {
            assert_eq!(AwsService::named(name).name(), name);
        }
        assert_eq!(AwsService::named("s3").rules().encoding, PathEncoding::Once);
        assert_eq!(
            AwsService::named("S3"),
            AwsService::Other("S3".into()),
            "names have one spelling"
        );
    }
}
