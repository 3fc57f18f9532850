//! The two ports: one that answers, and one that is kept by nobody so that connections to it are refused.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

use super::method::BEHAVIOURS;
use crate::sandbox::protocol::{MethodEntry, MethodList, Ready};

/// Both ports.
#[derive(Debug)]
pub struct Ports {
    /// The one that answers.
    pub open: TcpListener,
    /// Bound and never listening: the kernel refuses whoever connects, and gives the port to nobody else.
    pub closed: TcpSocket,
}

impl Ports {
    /// Takes both. With port 0 the port of the provider before this one is preferred, so that shops still find it.
    pub async fn take(listen: SocketAddr, previous: Option<&Ready>) -> io::Result<Self> {
        let open = match previous.and_then(|ready| address_of(&ready.url)).filter(|_| listen.port() == 0) {
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

    /// Where each method's charges are taken.
    pub fn methods(&self) -> io::Result<MethodList> {
        let (open, closed) = (self.url()?, url(self.closed.local_addr()?));
        let entry = |name: &str, listens| MethodEntry {
            name: name.to_owned(),
            url: if listens { open.clone() } else { closed.clone() },
        };
        Ok(MethodList { methods: BEHAVIOURS.iter().map(|method| entry(method.name, method.listens)).collect() })
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
