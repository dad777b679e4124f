//! Header fields that go with every request to a component: `defaultHeaders`.

use super::document::Section;
use crate::component_fields::ComponentFields;
use auth_core::{Credentials, Error, Result};
use http::{HeaderName, HeaderValue, header};

/// The fields of a section. `own` are the names of those that log-ins and calls have themselves.
pub(super) fn read(
    section: Section,
    own: &[HeaderName],
    warnings: &mut Vec<String>,
) -> Result<ComponentFields> {
    let mut fields: Vec<(HeaderName, HeaderValue)> = Vec::new();
    for (path, name, value) in section.into_texts()? {
        let wrong = |what: &str| Error::config("symphony_bdk_header", format!("{path} {what}"));
        let name = HeaderName::try_from(&*name)
            .map_err(|_| wrong("is no name of a header field, expected letters, digits and `-`"))?;
        if [header::ACCEPT, header::CONTENT_TYPE].contains(&name) {
            warnings.push(format!("{path} is not followed: each request says its own"));
            continue;
        }
        if own.contains(&name) {
            return Err(wrong("is set by the log-in itself, expected another field"));
        }
        if fields.iter().any(|(other, _)| *other == name) {
            return Err(wrong("is there twice, in another case, expected it once"));
        }
        let mut value = HeaderValue::try_from(value.as_str())
            .map_err(|_| wrong("has a value that no header field can have, expected ASCII text"))?;
        value.set_sensitive(true);
        let is_for_proxies =
            [header::PROXY_AUTHORIZATION, header::PROXY_AUTHENTICATE].contains(&name);
        if is_for_proxies || Credentials::header(name.clone(), value.clone()).is_err() {
            let what =
                "routes or frames messages or is for a proxy, expected a field for the component";
            return Err(wrong(what));
        }
        fields.push((name, value));
    }
    Ok(ComponentFields::new(fields))
}
