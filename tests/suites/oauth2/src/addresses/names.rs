//! A name server that says what an attacker's would.

use crate::{ours::text, recording::locked};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex},
};
use tokio::{net::UdpSocket, task::JoinHandle};

/// Where it is.
pub const SERVER: &str = "127.0.0.53";

/// A name, and what it resolves to: the first time, and from then on.
const NAMES: &[(&str, &[&str], &[&str])] = &[
    ("outside.example", &["93.184.216.34"], &["93.184.216.34"]),
    ("loopback.example", &["127.0.0.1"], &["127.0.0.1"]),
    ("loopback-two.example", &["127.8.8.8"], &["127.8.8.8"]),
    ("loopback-six.example", &["::1"], &["::1"]),
    ("mapped.example", &["::ffff:127.0.0.1"], &["::ffff:127.0.0.1"]),
    ("link-local.example", &["169.254.169.254"], &["169.254.169.254"]),
    ("private.example", &["10.0.0.1"], &["10.0.0.1"]),
    ("private-six.example", &["fd00:ec2::254"], &["fd00:ec2::254"]),
    ("shared.example", &["100.64.0.1"], &["100.64.0.1"]),
    ("any.example", &["0.0.0.0"], &["0.0.0.0"]),
    ("nat64.example", &["64:ff9b::7f00:1"], &["64:ff9b::7f00:1"]),
    ("both.example", &["127.0.0.1", "93.184.216.34", "::1"], &["127.0.0.1", "93.184.216.34"]),
    ("rebinding.example", &["93.184.216.34"], &["127.0.0.1"]),
    ("rebinding-six.example", &["93.184.216.34"], &["::1"]),
    ("rebinding-link-local.example", &["93.184.216.34"], &["169.254.169.254"]),
];

/// Runs until it is dropped.
pub struct NameServer {
    asked: Arc<Mutex<HashMap<String, usize>>>,
    task: JoinHandle<()>,
}

impl NameServer {
    pub async fn open() -> Result<Self, String> {
        let socket = UdpSocket::bind((SERVER, 53)).await.map_err(text)?;
        let asked = Arc::<Mutex<HashMap<String, usize>>>::default();
        let counted = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                let answer = query.get(..length).and_then(|query| answer(query, &counted));
                let _ = socket.send_to(&answer.unwrap_or_default(), from).await;
            }
        });
        Ok(Self { asked, task })
    }

    /// Forgets what was asked: the next time is the first again.
    pub fn forget(&self) {
        locked(&self.asked).clear();
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The answer to a query of one question (RFC 1035 section 4). A look-up asks for both kinds of addresses, so it has two.
fn answer(query: &[u8], asked: &Mutex<HashMap<String, usize>>) -> Option<Vec<u8>> {
    const ADDRESS: u16 = 1;
    const SIX: u16 = 28;
    let (mut labels, mut at) = (Vec::new(), 12);
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    let question = query.get(12..at + 4)?;
    let name = labels.join(".");
    let found = NAMES.iter().find(|known| known.0 == name);
    let turn = {
        let mut asked = locked(asked);
        let times = asked.entry(format!("{name} {kind}")).or_default();
        *times += 1;
        *times
    };
    let addresses = found.map_or(&[][..], |known| if turn == 1 { known.1 } else { known.2 });
    let addresses: Vec<Vec<u8>> = addresses
        .iter()
        .filter_map(|text| match text.parse().ok()? {
            IpAddr::V4(four) if kind == ADDRESS => Some(Ipv4Addr::octets(&four).to_vec()),
            IpAddr::V6(six) if kind == SIX => Some(Ipv6Addr::octets(&six).to_vec()),
            _ => None,
        })
        .collect();
    // The query's number; an answer, with recursion; no error, or no such name.
    let status = if found.is_some() { 0x80 } else { 0x83 };
    let mut answer = vec![*query.first()?, *query.get(1)?, 0x81, status, 0, 1, 0];
    answer.push(u8::try_from(addresses.len()).ok()?);
    answer.extend([0; 4]);
    answer.extend(question);
    for address in addresses {
        // The name of the question, this kind, class IN, not to be kept.
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 0, 0]);
        answer.push(u8::try_from(address.len()).ok()?);
        answer.extend(address);
    }
    Some(answer)
}
