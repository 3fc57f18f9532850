//! Runs `redis-benchmark` with the exact call of a node, as `MONITOR` shows it, to measure Redis without the node.
//!
//! Never: a simplified call. Identifiers of sixteen bytes are new each time. The last argument is sent as hexadecimal digits to a copy of the library
//! that decodes them (at a small cost), since `redis-benchmark` cuts an argument at its first zero byte. All other arguments are unchanged.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use voelgoed_testkit::redis::RedisServer;

const MONITOR_TIMEOUT: Duration = Duration::from_secs(5);
/// A placeholder for a new identifier: `redis-benchmark` writes twelve digits over its second half.
const NEW_IDENTIFIER: &[u8] = b"vgid__rand_int__";
/// The name of the library's copy.
const COPY: &str = "voelgoed_benchmark";
/// The start of each function of the library.
const FUNCTION_START: &str = "callback=function(keys, argv)\n";
/// Inserted after it into the copy.
const DECODE_LAST_ARGUMENT: &str =
    "argv[#argv] = string.gsub(argv[#argv], '..', function(digits) return string.char(tonumber(digits, 16)) end)\n";
/// The largest range of random numbers, so that hardly any identifier comes twice.
const RANDOM_MAX: &str = "2147483647";

/// A connection that is shown every call of a server.
pub struct RedisMonitor {
    _redis_cli: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// A call by its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisCall(Vec<Vec<u8>>);

impl RedisMonitor {
    /// Starts to read calls.
    ///
    /// # Errors
    /// `redis-cli` is absent, or the server does not reply.
    pub async fn start(redis: &RedisServer) -> anyhow::Result<Self> {
        let mut command = Command::new("redis-cli");
        command.args(["-u", &redis.url(), "monitor"]).stdout(Stdio::piped()).kill_on_drop(true);
        let mut redis_cli = command.spawn().context("is redis-cli installed?")?;
        let mut lines = BufReader::new(redis_cli.stdout.take().context("its output is piped")?).lines();
        let first = tokio::time::timeout(MONITOR_TIMEOUT, lines.next_line()).await??;
        ensure!(first.as_deref() == Some("OK"), "MONITOR was answered {first:?}");
        Ok(Self { _redis_cli: redis_cli, lines })
    }

    /// The next call of a function whose name ends with `function`.
    ///
    /// # Errors
    /// No such call is made in time.
    pub async fn call_of(mut self, function: &str) -> anyhow::Result<RedisCall> {
        let found = async {
            while let Some(line) = self.lines.next_line().await? {
                let Some(call) = RedisCall::parse(&line) else { continue };
                if call.0.get(1).is_some_and(|called| called.ends_with(function.as_bytes())) {
                    return Ok(call);
                }
            }
            bail!("the server ended")
        };
        tokio::time::timeout(MONITOR_TIMEOUT, found).await.context("no such call was made")?
    }
}

impl RedisCall {
    /// Parses `1700000000.123456 [0 127.0.0.1:5000] "FCALL" "…"`.
    fn parse(line: &str) -> Option<Self> {
        let mut rest = line.split_once("] ")?.1;
        let mut arguments = Vec::new();
        while let Some(quoted) = rest.strip_prefix('"') {
            let (argument, behind) = unquoted(quoted)?;
            arguments.push(argument);
            rest = behind.trim_start();
        }
        Some(Self(arguments))
    }

    /// The event's key, which is the prefix of all of its keys.
    ///
    /// # Errors
    /// The call has no key.
    pub fn key(&self) -> anyhow::Result<&str> {
        Ok(std::str::from_utf8(self.0.get(3).context("a call names its key")?)?)
    }

    /// Makes the call `times` over `connections`, each time for another hold of another session, and returns the replies per second.
    ///
    /// # Errors
    /// `redis-benchmark` is absent, or cannot take an argument.
    pub async fn rate(&self, redis: &RedisServer, connections: usize, times: usize) -> anyhow::Result<f64> {
        let [name, called, others @ .., last] = self.0.as_slice() else { bail!("a call has arguments") };
        let copied = copy(redis, std::str::from_utf8(called)?).await?;
        let mut command = Command::new("redis-benchmark");
        command.args(["-u", &redis.url(), "-c", &connections.to_string(), "-n", &times.to_string()]);
        command.args(["-r", RANDOM_MAX, "--csv", std::str::from_utf8(name)?, &copied]);
        for argument in others {
            let is_text = argument.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
            ensure!(
                is_text || argument.len() == NEW_IDENTIFIER.len(),
                "neither a text nor an identifier: {argument:?}"
            );
            command.arg(std::str::from_utf8(if is_text { argument } else { NEW_IDENTIFIER })?);
        }
        command.arg(last.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let done = command.kill_on_drop(true).output().await.context("is redis-benchmark installed?")?;
        let text = String::from_utf8_lossy(&done.stdout);
        ensure!(done.status.success(), "redis-benchmark failed: {text}");
        // "name", then seven figures, the first of which is the rate; the name has commas of its own.
        let rate = text.lines().last().and_then(|line| line.rsplit(',').nth(6));
        rate.and_then(|rate| rate.trim_matches('"').parse().ok()).with_context(|| format!("no rate in: {text}"))
    }
}

/// Loads a copy of the library of this function, and returns the function's name in the copy.
async fn copy(redis: &RedisServer, function: &str) -> anyhow::Result<String> {
    // `voelgoed_`, the digest, `_`, the command.
    let digest_at = function.find('_').context("a library has a digest")? + 1;
    let end = digest_at + function[digest_at..].find('_').context("a function is named after its library")?;
    let (library, command) = function.split_at(end);
    let listed = redis.execute(&["FUNCTION", "LIST", "LIBRARYNAME", library, "WITHCODE"]).await?;
    let code = &listed[listed.find("#!lua").context("the library is there")?..];
    let code = code.replace(library, COPY).replace(FUNCTION_START, &format!("{FUNCTION_START}{DECODE_LAST_ARGUMENT}"));
    redis.execute(&["FUNCTION", "LOAD", "REPLACE", &code]).await?;
    Ok(format!("{COPY}{command}"))
}

/// The bytes up to the closing quote, and what follows it.
fn unquoted(text: &str) -> Option<(Vec<u8>, &str)> {
    let mut bytes = Vec::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((bytes, &text[at + 1..])),
            '\\' => match letters.next()?.1 {
                'x' => {
                    let digits: String = letters.by_ref().take(2).map(|(_, digit)| digit).collect();
                    bytes.push(u8::from_str_radix(&digits, 16).ok()?);
                }
                'n' => bytes.push(b'\n'),
                'r' => bytes.push(b'\r'),
                't' => bytes.push(b'\t'),
                'a' => bytes.push(7),
                'b' => bytes.push(8),
                other => bytes.extend(other.to_string().as_bytes()),
            },
            other => bytes.extend(other.to_string().as_bytes()),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitored_call_is_parsed_with_its_escaped_bytes() {
        let line = r#"1700000000.123456 [0 127.0.0.1:5000] "FCALL" "lib_hold" "1" "a \"b\"\\" "\x00\xff\n" """#;
        let expected: [&[u8]; 6] = [b"FCALL", b"lib_hold", b"1", br#"a "b"\"#, b"\x00\xff\n", b""];
        assert_eq!(RedisCall::parse(line), Some(RedisCall(expected.map(<[u8]>::to_vec).to_vec())));
        assert_eq!(RedisCall::parse("OK"), None);
        assert_eq!(RedisCall::parse(r#"1 [0 lua] "HGET" "unfinished"#), None);
    }
}
