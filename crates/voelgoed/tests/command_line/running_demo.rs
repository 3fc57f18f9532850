//! A demo that serves, ended by its process id when the value is dropped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::program::Program;

/// The server and the key that it printed.
pub struct RunningDemo {
    process: Child,
    address: String,
    key: String,
}

impl RunningDemo {
    /// Starts it on the program's data directory.
    pub fn start(program: &Program) -> Self {
        let mut command = program.command(&["demo", "--json", "--listen", "127.0.0.1:0"]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let card: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| card[name].as_str().unwrap().to_owned();
        Self { process, address: text("url").trim_start_matches("http://").to_owned(), key: text("api_key") }
    }

    /// The key that it printed.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Sends a request with the key; the status and the body of its answer.
    pub fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (key, length) = (&self.key, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: demo\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        (status, body.to_owned())
    }
}

impl Drop for RunningDemo {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
