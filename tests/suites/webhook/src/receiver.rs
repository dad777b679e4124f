//! Our receiver, called by programs of others with the credentials of each of the six kinds.

mod clients;
mod doors;
mod repeated;

use crate::peer::Peer;
use conformance::{Compared, Missing, NotStarted, Settings};
use doors::{Doors, Issuer};
use tokio::runtime::Runtime;

/// curl: every kind, the Bearer tokens of PyJWT among them; and deliveries that come again.
pub fn curl(settings: &Settings) -> Result<Vec<Compared>, NotStarted> {
    let curl = settings.peer("curl")?;
    let issuer = Issuer::new(&Peer::python(settings, "jwt", "PyJWT")?)?;
    let (_runtime, doors) = open(&issuer)?;
    let mut cases = clients::curl(&curl, &doors, &issuer);
    cases.extend(repeated::cases(&curl, &doors));
    Ok(cases)
}

/// requests: Basic, Digest, an API key, nothing.
pub fn requests(settings: &Settings) -> Result<Vec<Compared>, NotStarted> {
    let python = settings.own_python("requests").map_err(|_| Missing::Peer("requests".into()))?;
    let issuer = Issuer::new(&Peer::python(settings, "jwt", "PyJWT")?)?;
    let (_runtime, doors) = open(&issuer)?;
    Ok(clients::requests(&python, &doors))
}

/// botocore, as boto3 brings it: AWS signatures.
pub fn boto3(settings: &Settings) -> Result<Vec<Compared>, NotStarted> {
    let python = settings.own_python("boto3").map_err(|_| Missing::Peer("boto3".into()))?;
    let issuer = Issuer::new(&Peer::python(settings, "jwt", "PyJWT")?)?;
    let (_runtime, doors) = open(&issuer)?;
    Ok(clients::boto3(&python, &doors))
}

/// The runtime lives until the client is done.
fn open(issuer: &Issuer) -> Result<(Runtime, Doors), String> {
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    let doors = runtime.block_on(Doors::open(issuer))?;
    Ok((runtime, doors))
}
