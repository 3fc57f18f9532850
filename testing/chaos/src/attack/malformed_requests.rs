//! Sends malformed requests, each followed by a second request, and checks that the server answers one refusal and closes the connection.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use voelgoed_testkit::report::SuiteReport;

/// For the server to close the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(20);
/// The second request, which must never be answered.
const SECOND_REQUEST: &str = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
/// The start of a request with a body.
const POST_START: &str = "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

/// Names and bytes of the requests.
fn malformed_requests() -> Vec<(&'static str, String)> {
    let get = |rest: &str| format!("GET /livez HTTP/1.1\r\n{rest}");
    let post = |rest: &str| format!("{POST_START}{rest}");
    let long = "a".repeat(20_000);
    vec![
        ("no Host", get("\r\n")),
        ("two Hosts", get("Host: x\r\nHost: y\r\n\r\n")),
        ("the same Host twice", get("Host: x\r\nHost: x\r\n\r\n")),
        ("an empty Host", get("Host:\r\n\r\n")),
        ("a list of Hosts", get("Host: x, y\r\n\r\n")),
        ("a Host with a blank", get("Host: x y\r\n\r\n")),
        ("a Host with a path", get("Host: x/y\r\n\r\n")),
        ("a Host with a user", get("Host: a@x\r\n\r\n")),
        ("a target of another host", "GET http://y/livez HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        ("lines ended by LF", "GET /livez HTTP/1.1\nHost: x\n\n".to_owned()),
        ("one line ended by LF", get("Host: x\nX: y\r\n\r\n")),
        ("a head ended by LF", get("Host: x\r\n\n")),
        ("a bare CR", get("Host: x\rX: y\r\n\r\n")),
        ("a folded line", get("Host: x\r\nX: a\r\n b\r\n\r\n")),
        ("a first line that is folded", get(" Host: x\r\n\r\n")),
        ("a blank before the colon", get("Host: x\r\nX : y\r\n\r\n")),
        ("no name", get("Host: x\r\n: y\r\n\r\n")),
        ("no colon", get("Host: x\r\nX\r\n\r\n")),
        ("NUL in a value", get("Host: x\r\nX: a\0b\r\n\r\n")),
        ("NUL in a name", get("Host: x\r\nX\0: a\r\n\r\n")),
        ("a control character", get("Host: x\r\nX: \u{1}\r\n\r\n")),
        ("NUL in the target", "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        ("two blanks", "GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        ("a blank in the target", "GET /li vez HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        ("no version", "GET /livez\r\nHost: x\r\n\r\n".to_owned()),
        ("another version", "GET /livez HTTP/3.1\r\nHost: x\r\n\r\n".to_owned()),
        ("HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("a method of other letters", "G(T /livez HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}")),
        ("the same length twice", post("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}")),
        ("a list of lengths", post("Content-Length: 2, 2\r\n\r\n{}")),
        ("a length with a sign", post("Content-Length: +2\r\n\r\n{}")),
        ("a length below nothing", post("Content-Length: -2\r\n\r\n{}")),
        ("a length in other digits", post("Content-Length: 0x2\r\n\r\n{}")),
        ("a length beyond numbers", post("Content-Length: 18446744073709551618\r\n\r\n{}")),
        ("length, then chunks", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG")),
        ("chunks, then length", post("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG")),
        ("chunks twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        ("another coding before chunks", post("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")),
        ("an unknown coding", post("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")),
        ("a coding behind a control character", post("Transfer-Encoding:\u{b}chunked\r\n\r\n0\r\n\r\n")),
        ("a coding with a blank before the colon", post("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")),
        (
            "chunks in HTTP/1.0",
            "POST /api/v1/orders HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        ),
        ("a chunk without a size", post("Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n")),
        ("a chunk of a size that is none", post("Transfer-Encoding: chunked\r\n\r\nz\r\n{}\r\n0\r\n\r\n")),
        ("a chunk below nothing", post("Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n")),
        ("a chunk with a prefix", post("Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n")),
        ("a chunk beyond numbers", post("Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n")),
        ("a chunk's line ended by LF", post("Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n")),
        ("a chunk longer than its size", post("Transfer-Encoding: chunked\r\n\r\n2\r\n{} \r\n0\r\n\r\n")),
        ("a length among the trailers", post("Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 2\r\n\r\n")),
        ("a huge value", get(&format!("Host: x\r\nX: {long}\r\n\r\n"))),
        ("a huge target", format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n")),
        ("many headers", get(&format!("Host: x\r\n{}\r\n", "X: y\r\n".repeat(2_000)))),
    ]
}

/// Sends every malformed request.
pub async fn check(address: &str, is_proxied: bool, report: &mut SuiteReport) -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    let requests = malformed_requests();
    for (name, request) in &requests {
        let responses =
            send(address, &format!("{request}{SECOND_REQUEST}")).await.with_context(|| (*name).to_owned())?;
        if let Err(error) = check_refused(&responses, is_proxied) {
            wrong.push(format!("{name}: {error:#}"));
        }
    }
    let way = if is_proxied { "through HAProxy" } else { "directly" };
    let all = || {
        ensure!(wrong.is_empty(), "{}", wrong.join("; "));
        Ok(())
    };
    report.check(&format!("{way}: {} malformed requests are refused without a second answer", requests.len()), all());
    Ok(())
}

/// Sends `text` and reads until the server closes the connection.
async fn send(address: &str, text: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    // The server may close before everything is sent.
    let _partial = stream.write_all(text.as_bytes()).await;
    let mut responses = Vec::new();
    let mut piece = [0; 4_096];
    let all = async {
        // The server resets a connection whose bytes it does not read.
        while let Ok(1..) = stream.read(&mut piece).await.inspect(|read| responses.extend_from_slice(&piece[..*read])) {
        }
    };
    tokio::time::timeout(CLOSE_TIMEOUT, all).await.context("the connection was not closed")?;
    Ok(String::from_utf8_lossy(&responses).into_owned())
}

/// Checks for at most one response, which is a refusal. A proxy may repair the first request and then serve the second, but never a third.
fn check_refused(responses: &str, is_proxied: bool) -> anyhow::Result<()> {
    let statuses: Vec<&str> = responses.split("HTTP/1.").skip(1).filter_map(|part| part.get(2..5)).collect();
    match statuses.as_slice() {
        [] => Ok(()),
        [status] if status.starts_with(['4', '5']) => Ok(()),
        [_] | [_, _] if is_proxied => Ok(()),
        _ => anyhow::bail!("answered {statuses:?}"),
    }
}
