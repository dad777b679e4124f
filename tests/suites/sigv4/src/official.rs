//! The official suite of AWS Signature Version 4: 38 requests, signed in a field and in the query, each stage by itself.

use auth_core::{Body, RequestView, Verifier as _};
use auth_sigv4::{
    AccessKey, AccessKeys, AmzDate, AwsService, CredentialScope, PathEncoding, PathNormalization,
    Payload, PayloadHashField, PresignedPayload, RawRequest, SessionTokenPlacement, SigV4Policy,
    SigV4Signer, SigV4Verifier, SigningRules, canonical_request, string_to_sign,
};
use conformance::{CaseResult, Missing, Settings, output};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::Value;
use std::{fs, path::Path, process::Command, time::Duration};

/// Every stage of every chain, from the folder of vectors.
///
/// # Errors
///
/// If the suite is not there.
pub fn from_vectors(settings: &Settings) -> Result<Vec<CaseResult>, Missing> {
    let folder = settings.vectors("aws-sigv4")?.join("v4");
    within(&folder).map_err(|_| Missing::Vectors("aws-sigv4, v4".into()))
}

/// The same, as the crate `aws-sigv4` ships it. What it added has no context, and belongs to tests of its own.
///
/// # Errors
///
/// If the crate is not where cargo says.
pub fn from_crate() -> Result<Vec<CaseResult>, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--offline", "--manifest-path"]);
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let output = output(cargo.arg(manifest), Duration::from_secs(60))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let manifest = packages
        .filter(|package| package["name"] == "aws-sigv4")
        .find_map(|package| package["manifest_path"].as_str());
    let folder = manifest.and_then(|manifest| Path::new(manifest).parent()).ok_or("no crate")?;
    within(&folder.join("aws-signing-test-suite/v4")).map_err(|error| error.to_string())
}

fn within(folder: &Path) -> std::io::Result<Vec<CaseResult>> {
    let mut folders: Vec<_> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join("context.json").is_file());
    folders.sort();
    Ok(folders.iter().flat_map(|folder| in_folder(folder)).collect())
}

fn in_folder(folder: &Path) -> Vec<CaseResult> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match Chain::read(folder).and_then(|chain| chain.cases(&name)) {
        Ok(cases) => cases,
        Err(what) => vec![CaseResult::compare(name, "a case", what)],
    }
}

/// One request, how it is to be signed, and what comes out.
struct Chain {
    folder: std::path::PathBuf,
    method: String,
    target: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    rules: SigningRules,
    region: String,
    date: AmzDate,
    expires: Duration,
    token: Option<(String, SessionTokenPlacement)>,
    signer: SigV4Signer,
}

impl Chain {
    fn read(folder: &Path) -> Result<Self, String> {
        let text = |name: &str| {
            fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"))
        };
        let context: Value =
            serde_json::from_str(&text("context.json")?).map_err(|error| error.to_string())?;
        let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let request = text("request.txt")?;
        let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
        let (line, fields) = head.split_once('\n').unwrap_or((head, ""));
        let (method, rest) = line.split_once(' ').ok_or("no method")?;
        let target = rest.strip_suffix(" HTTP/1.1").ok_or("no version")?;
        let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
        for line in fields.lines() {
            match (line.split_once(':'), headers.last_mut()) {
                // A field that goes on in the next line, as HTTP/1.0 had it.
                (_, Some((_, value))) if line.starts_with(' ') => {
                    value.push(b'\n');
                    value.extend_from_slice(line.as_bytes());
                }
                (Some((name, value)), _) => headers.push((name.into(), value.into())),
                _ => return Err(format!("{line} is no field")),
            }
        }
        let credentials = &context["credentials"];
        let (id, secret) =
            (said(&credentials["access_key_id"]), said(&credentials["secret_access_key"]));
        let order = match context["omit_session_token"].as_bool() {
            Some(true) => SessionTokenPlacement::AppendedUnsigned,
            _ => SessionTokenPlacement::Signed,
        };
        let token = credentials["token"].as_str().map(|token| (token.to_owned(), order));
        let key = match &token {
            Some((token, _)) => AccessKey::temporary(&id, secret, token.as_str(), None),
            None => AccessKey::new(&id, secret),
        };
        let rules = SigningRules {
            encoding: PathEncoding::Twice,
            normalization: match context["normalize"].as_bool() {
                Some(true) => PathNormalization::On,
                _ => PathNormalization::Off,
            },
            content_sha256: match context["sign_body"].as_bool() {
                Some(true) => PayloadHashField::Sent,
                _ => PayloadHashField::LeftOut,
            },
            presigned: PresignedPayload::Signed,
        };
        let region = said(&context["region"]);
        let service = AwsService::named(&said(&context["service"]));
        let signer = key.and_then(|key| SigV4Signer::new(key, &region, service));
        let signer = signer.map_err(|error| error.to_string())?;
        let date = said(&context["timestamp"]).replace(['-', ':'], "");
        Ok(Self {
            folder: folder.to_owned(),
            method: method.to_owned(),
            target: target.as_bytes().to_vec(),
            headers,
            body: body.as_bytes().to_vec(),
            rules,
            region,
            date: AmzDate::parse(&date).ok_or("no date")?,
            expires: Duration::from_secs(context["expiration_in_seconds"].as_u64().unwrap_or(0)),
            signer: signer.with_rules(rules).with_session_token(order).allowing_ambiguous_targets(),
            token,
        })
    }

    fn cases(&self, name: &str) -> Result<Vec<CaseResult>, String> {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request = RawRequest {
            method: &self.method,
            target: &self.target,
            headers: &headers,
            payload: Payload::Bytes(&self.body),
        };
        let mut cases = self.in_field(name, &request)?;
        cases.extend(self.in_query(name, &request)?);
        Ok(cases)
    }

    fn in_field(&self, name: &str, request: &RawRequest<'_>) -> Result<Vec<CaseResult>, String> {
        let now = self.date.timestamp();
        let signed = self.signer.sign(request, now).map_err(|error| error.to_string())?;
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let authorization = text(&signed.authorization);
        let (date, hash) = (text(&signed.date), signed.content_sha256.as_ref().map(text));
        let mut headers = request.headers.to_vec();
        headers.push(("x-amz-date", date.as_bytes()));
        if let Some(hash) = &hash {
            headers.push(("x-amz-content-sha256", hash.as_bytes()));
        }
        if let Some((token, SessionTokenPlacement::Signed)) = &self.token {
            headers.push(("x-amz-security-token", token.as_bytes()));
        }
        let whole = RawRequest { headers: &headers, ..*request };
        let mut cases = self.stages(name, "header", &whole)?;
        let line = format!("Authorization:{authorization}");
        let expected = self.expected("header-signed-request.txt")?;
        let expected = expected.lines().find(|line| line.starts_with("Authorization:"));
        cases.push(CaseResult::compare(
            format!("{name}-header-signed"),
            expected.unwrap_or("a field"),
            line,
        ));
        let token = signed.security_token.as_ref().map(text);
        let added = [
            Some(("authorization", authorization.as_str())),
            Some(("x-amz-date", date.as_str())),
            hash.as_deref().map(|hash| ("x-amz-content-sha256", hash)),
            token.as_deref().map(|token| ("x-amz-security-token", token)),
        ];
        let added: Vec<_> = added.into_iter().flatten().collect();
        let target = String::from_utf8_lossy(&self.target);
        cases.extend(self.verified(&format!("{name}-header"), &target, &added)?);
        Ok(cases)
    }

    fn in_query(&self, name: &str, request: &RawRequest<'_>) -> Result<Vec<CaseResult>, String> {
        let now = self.date.timestamp();
        let target = self.signer.presign(request, now, self.expires);
        let target = target.map_err(|error| error.to_string())?;
        let (before, _) = target.rsplit_once("&X-Amz-Signature=").ok_or("no signature")?;
        let before = match &self.token {
            Some((_, SessionTokenPlacement::AppendedUnsigned)) => {
                before.rsplit_once("&X-Amz-Security-Token=").map_or(before, |(before, _)| before)
            }
            _ => before,
        };
        let whole = RawRequest { target: before.as_bytes(), ..*request };
        let mut cases = self.stages(name, "query", &whole)?;
        let expected = self.expected("query-signed-request.txt")?;
        let line = expected.lines().next().unwrap_or_default();
        let expected = line.split_once(' ').map_or("", |(_, rest)| rest);
        let expected = expected.strip_suffix(" HTTP/1.1").unwrap_or(expected);
        cases.push(CaseResult::compare(format!("{name}-query-signed"), expected, &target));
        cases.extend(self.verified(&format!("{name}-query"), &target, &[])?);
        Ok(cases)
    }

    /// Our verifier, told to take what AWS takes, accepts it: where the crate `http` can hold the request, and the
    /// session token is signed.
    fn verified(
        &self,
        name: &str,
        target: &str,
        added: &[(&str, &str)],
    ) -> Result<Option<CaseResult>, String> {
        let error = |error: auth_core::Error| error.to_string();
        let appended = matches!(self.token, Some((_, SessionTokenPlacement::AppendedUnsigned)));
        let mut headers = HeaderMap::new();
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        for (name, value) in own.chain(added.iter().map(|(name, value)| (*name, value.as_bytes())))
        {
            let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::from_bytes(value))
            else {
                return Ok(None);
            };
            headers.append(name, value);
        }
        let (Ok(uri), Ok(method), false) =
            (target.parse::<Uri>(), self.method.parse::<Method>(), appended)
        else {
            return Ok(None);
        };
        let service = AwsService::named("service");
        let policy = SigV4Policy::new(service, &self.region).map_err(error)?.with_rules(self.rules);
        let policy = policy.allowing_presigned().allowing_ambiguous_targets();
        let keys = AccessKeys::new([(self.signer.key().clone(), "accepted")]);
        let verifier = SigV4Verifier::new(policy, keys, self.date.timestamp());
        let view = RequestView::new(&method, &uri, &headers).with_body(Body::Bytes(&self.body));
        let told = match verifier.verify(view).wait().map_err(error)? {
            Ok(accepted) => accepted.principal,
            Err(rejection) => rejection.reason().code,
        };
        Ok(Some(CaseResult::compare(format!("{name}-verified"), "accepted", told)))
    }

    /// The canonical request, the string to sign and the signature, each from what the suite has for the one before.
    fn stages(
        &self,
        name: &str,
        place: &str,
        request: &RawRequest<'_>,
    ) -> Result<Vec<CaseResult>, String> {
        let canonical = canonical_request(request, self.rules);
        let canonical = String::from_utf8_lossy(&canonical).into_owned();
        let expected = self.expected(&format!("{place}-canonical-request.txt"))?;
        let scope = CredentialScope::new(self.date.day(), &self.region, "service");
        let text = string_to_sign(self.date, scope, expected.as_bytes());
        let expected_text = self.expected(&format!("{place}-string-to-sign.txt"))?;
        let signature = self.signer.key().derive(scope).sign(expected_text.as_bytes());
        let expected_signature = self.expected(&format!("{place}-signature.txt"))?;
        let id = |stage: &str| format!("{name}-{place}-{stage}");
        Ok(vec![
            CaseResult::compare(id("canonical"), expected, canonical),
            CaseResult::compare(id("string"), expected_text, text),
            CaseResult::compare(
                id("signature"),
                expected_signature,
                String::from_utf8_lossy(&signature),
            ),
        ])
    }

    fn expected(&self, file: &str) -> Result<String, String> {
        let text = fs::read_to_string(self.folder.join(file));
        text.map(|text| text.trim_end_matches('\n').to_owned())
            .map_err(|error| format!("{file}: {error}"))
    }
}
