//! Binds two TCP ports: one that answers, and one that never listens, so that the kernel refuses its connections for the method `down`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

use crate::payment_methods::METHOD_BEHAVIOURS;
use crate::protocol::{MethodEntry, MethodList, ProviderEndpoint};

/// Both ports.
#[derive(Debug)]
pub struct TcpPorts {
    pub open: TcpListener,
    /// Bound but never listening: the kernel refuses connections, and gives the port to no other process.
    pub closed: TcpSocket,
}

impl TcpPorts {
    /// Binds both. With port 0 the previous provider's port is preferred, so that shops still find the provider.
    pub async fn bind(listen: SocketAddr, previous: Option<&ProviderEndpoint>) -> io::Result<Self> {
        let open = match previous.and_then(|endpoint| address_of(&endpoint.url)).filter(|_| listen.port() == 0) {
            Some(before) => match TcpListener::bind((listen.ip(), before.port())).await {
                Ok(open) => open,
                Err(_) => TcpListener::bind(listen).await?,
            },
            None => TcpListener::bind(listen).await?,
        };
        let closed = if listen.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        closed.bind(SocketAddr::new(listen.ip(), 0))?;
        Ok(Self { open, closed })
    }

    /// The base URL of the port that answers.
    pub fn url(&self) -> io::Result<String> {
        Ok(url(self.open.local_addr()?))
    }

    /// Each method with the base URL for its charges.
    pub fn methods(&self) -> io::Result<MethodList> {
        let (open, closed) = (self.url()?, url(self.closed.local_addr()?));
        let entry = |name: &str, is_reachable| MethodEntry {
            name: name.to_owned(),
            url: if is_reachable { open.clone() } else { closed.clone() },
        };
        let entries = METHOD_BEHAVIOURS.iter().map(|method| entry(method.name, method.is_reachable));
        Ok(MethodList { methods: entries.collect() })
    }
}

/// The URL under which this machine reaches `address`.
fn url(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}

fn address_of(url: &str) -> Option<SocketAddr> {
    url.strip_prefix("http://")?.parse().ok()
}
