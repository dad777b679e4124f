//! Groups and services as they are.

use super::uses;
use crate::{
    column::{Moment, corrupt, read_number},
    fault::Fault,
};
use auth_core::{TenantId, Timestamp};
use auth_lifecycle::{Credential, Group, GroupId, Kind, Service, ServiceId};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A group, with all its credentials that are not deleted.
pub(super) fn group(connection: &Connection, id: GroupId) -> Result<Group, Fault> {
    // The tenant's own groups are kept under the empty name.
    if id.is_nameless() {
        return Ok(Group::empty(id));
    }
    let sql = "SELECT number, version, latest, creations FROM credential_groups
        WHERE tenant = ? AND service = ? AND kind = ?";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(key(&id))?;
    let Some(row) = rows.next()? else { return Ok(Group::empty(id)) };
    let (number, Moment(latest)) = (row.get::<_, i64>(0)?, row.get(2)?);
    let version = read_number(row.get(1)?)?;
    let creations = Moment::read_list(row.get_ref(3)?.as_blob().map_err(corrupt)?)?;
    let credentials = credentials(connection, number)?;
    Ok(Group { id, version, latest, creations, credentials })
}

/// In the order of their creation.
fn credentials(connection: &Connection, group: i64) -> Result<Vec<Credential>, Fault> {
    let sql = "SELECT rest, uses FROM credentials LEFT JOIN uses ON credential = id
        WHERE group_number = ? AND state <> 'deleted' ORDER BY number";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([group])?;
    let mut credentials = Vec::new();
    while let Some(row) = rows.next()? {
        credentials.push(credential(row, 0)?);
    }
    Ok(credentials)
}

/// The credential in this column and its uses in the next one.
pub(super) fn credential(row: &Row<'_>, column: usize) -> Result<Credential, Fault> {
    let it = Credential::from_rest(row.get_ref(column)?.as_str().map_err(corrupt)?)?;
    Ok(Credential { last_used: uses::last(row, column.saturating_add(1))?, ..it })
}

/// The columns by which a group is found.
pub(super) fn key(id: &GroupId) -> [&str; 3] {
    [id.tenant.as_str(), id.service_text(), id.kind.name()]
}

/// Tenant, service and kind in the first columns.
pub(super) fn group_id(row: &Row<'_>) -> Result<GroupId, Fault> {
    let (service, kind): (String, String) = (row.get(1)?, row.get(2)?);
    let unknown = || Fault::Corrupt(format!("{kind:?} is no kind of credentials"));
    Ok(GroupId {
        tenant: TenantId::new(row.get::<_, String>(0)?),
        service: (!service.is_empty()).then(|| ServiceId::new(service)),
        kind: Kind::from_name(&kind).ok_or_else(unknown)?,
    })
}

pub(super) fn groups_of(
    connection: &Connection,
    tenant: &TenantId,
    service: Option<&ServiceId>,
) -> Result<Vec<GroupId>, Fault> {
    if service.is_some_and(|service| service.as_str().is_empty()) {
        return Ok(Vec::new());
    }
    let sql =
        "SELECT tenant, service, kind FROM credential_groups WHERE tenant = ? AND service = ?";
    let service = service.map_or("", ServiceId::as_str);
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([tenant.as_str(), service])?;
    let mut groups = Vec::new();
    while let Some(row) = rows.next()? {
        groups.push(group_id(row)?);
    }
    groups.sort();
    Ok(groups)
}

/// The earliest first, those of one moment in the order in which they were first written to.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    most: usize,
) -> Result<Vec<GroupId>, Fault> {
    let sql = "SELECT tenant, service, kind FROM credential_groups
        WHERE next_due <= ? ORDER BY next_due, number LIMIT ?";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params![Moment(now), most])?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        due.push(group_id(row)?);
    }
    Ok(due)
}

pub(super) fn service(connection: &Connection, id: &ServiceId) -> Result<Option<Service>, Fault> {
    let sql = "SELECT id, tenant, label, created FROM services WHERE id = ?";
    let mut select = connection.prepare_cached(sql)?;
    Ok(select.query_row([id.as_str()], service_row).optional()?)
}

pub(super) fn services(
    connection: &Connection,
    tenant: &TenantId,
    after: Option<&ServiceId>,
    most: usize,
) -> Result<Vec<Service>, Fault> {
    // No name is empty, so all names come after the empty one.
    let sql = "SELECT id, tenant, label, created FROM services
        WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let after = after.map_or("", ServiceId::as_str);
    let mut select = connection.prepare_cached(sql)?;
    let services = select.query_map(params![tenant.as_str(), after, most], service_row)?;
    Ok(services.collect::<Result<_, _>>()?)
}

fn service_row(row: &Row<'_>) -> rusqlite::Result<Service> {
    Ok(Service {
        id: ServiceId::new(row.get::<_, String>(0)?),
        tenant: TenantId::new(row.get::<_, String>(1)?),
        label: row.get::<_, String>(2)?.into(),
        created: row.get::<_, Moment>(3)?.0,
    })
}
