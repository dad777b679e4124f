//! The last uses of a credential: in one row, since they are read and written together.

use crate::{
    column::{Moment, corrupt},
    fault::Fault,
};
use auth_core::Timestamp;
use auth_lifecycle::{CredentialId, MOST_SOURCES, Use};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::{
    cmp::Reverse,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A moment, and 17 bytes of where from: how long the address is, and the address.
const BYTES: usize = Moment::BYTES + 17;

pub(super) fn note(transaction: &Connection, uses: Vec<Use>) -> Result<(), Fault> {
    let sql = "INSERT INTO uses (credential, uses) VALUES (?1, ?2)
        ON CONFLICT DO UPDATE SET uses = ?2";
    let mut write = transaction.prepare_cached(sql)?;
    for one in uses {
        let credential = one.credential.clone();
        let mut known = of(transaction, &credential)?;
        match known.iter_mut().find(|it| it.source == one.source) {
            Some(it) => it.at = it.at.max(one.at),
            None => known.push(one),
        }
        known.sort_by_key(|it| Reverse(it.at));
        known.truncate(MOST_SOURCES);
        let bytes: Vec<u8> = known.iter().flat_map(to_bytes).collect();
        write.execute(params![credential.as_str(), bytes])?;
    }
    Ok(())
}

/// The latest first.
pub(super) fn of(connection: &Connection, credential: &CredentialId) -> Result<Vec<Use>, Fault> {
    let bytes = connection
        .prepare_cached("SELECT uses FROM uses WHERE credential = ?")?
        .query_row([credential.as_str()], |row| row.get::<_, Vec<u8>>(0))
        .optional()?
        .unwrap_or_default();
    let uses: Option<_> = bytes.chunks(BYTES).map(|bytes| read(credential, bytes)).collect();
    uses.ok_or_else(|| Fault::Corrupt(String::from("a list of uses has another form")))
}

/// The last use, in this column of a row: it stands first.
pub(super) fn last(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, Fault> {
    let bytes = row.get_ref(column)?.as_blob_or_null().map_err(corrupt)?;
    let first = bytes.and_then(|bytes| bytes.get(..Moment::BYTES));
    Ok(first.and_then(Moment::from_bytes).map(|moment| moment.0))
}

fn to_bytes(one: &Use) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let (at, source) = bytes.split_at_mut(Moment::BYTES);
    at.copy_from_slice(&Moment(one.at).to_bytes());
    let mut place = |length: u8, octets: &[u8]| {
        let from = std::iter::once(&length).chain(octets);
        source.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    };
    match one.source {
        Some(IpAddr::V4(address)) => place(4, &address.octets()),
        Some(IpAddr::V6(address)) => place(16, &address.octets()),
        None => {}
    }
    bytes
}

fn read(credential: &CredentialId, bytes: &[u8]) -> Option<Use> {
    let (at, source) = bytes.split_at_checked(Moment::BYTES)?;
    let (length, octets) = source.split_first()?;
    let octets: &[u8; 16] = octets.try_into().ok()?;
    let source = match length {
        0 => None,
        4 => Some(Ipv4Addr::from(*octets.first_chunk::<4>()?).into()),
        16 => Some(Ipv6Addr::from(*octets).into()),
        _ => return None,
    };
    Some(Use { credential: credential.clone(), at: Moment::from_bytes(at)?.0, source })
}
