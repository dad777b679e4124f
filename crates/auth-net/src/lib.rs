//! stub
#![allow(missing_docs)]
pub struct TrustedProxies;
pub enum ClientAddress { Known(std::net::IpAddr), Unknown(()) }
impl TrustedProxies { pub fn client_address(&self, _: std::net::IpAddr, _: &http::HeaderMap) -> ClientAddress { ClientAddress::Unknown(()) } }
