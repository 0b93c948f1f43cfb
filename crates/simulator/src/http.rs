//! As much of an HTTP/1.1 client as a webhook's deliveries need: POSTs over a connection that is
//! kept open. Hand-written so that this crate needs no client library.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An `http://` address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpUrl {
    /// Host and port as they are written in the `Host` header.
    pub(crate) authority: String,
    /// Host and port to connect to.
    pub(crate) address: String,
    /// Path and query.
    pub(crate) path: String,
}

impl HttpUrl {
    /// None for anything but `http://host[:port][/path]`.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let (authority, path) = match rest.find(['/', '?']) {
            Some(end) => rest.split_at_checked(end)?,
            None => (rest, ""),
        };
        let is_plain = !authority.is_empty()
            && authority.chars().all(|c| c.is_ascii_alphanumeric() || "-._:[]".contains(c))
            && path.chars().all(|c| c.is_ascii_graphic());
        if !is_plain {
            return None;
        }
        let host_end = authority.rfind(']').unwrap_or(0);
        let has_port = authority.get(host_end..)?.contains(':');
        let address = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Self { authority: authority.to_owned(), address, path })
    }
}

/// An answer to a POST.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) body: Vec<u8>,
    pub(crate) keeps_open: bool,
}

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) async fn open(url: &HttpUrl) -> io::Result<Self> {
        let stream = TcpStream::connect(&url.address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends a JSON body; `headers` are whole lines, each ending in CR LF.
    pub(crate) async fn post(
        &mut self,
        url: &HttpUrl,
        headers: &str,
        body: &str,
    ) -> io::Result<Reply> {
        let request = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             {headers}\r\n{body}",
            url.path,
            url.authority,
            body.len(),
        );
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        self.read_reply().await
    }

    async fn read_reply(&mut self) -> io::Result<Reply> {
        let status_line = self.read_line().await?;
        let mut words = status_line.splitn(3, ' ');
        let version = words.next().unwrap_or_default().to_owned();
        let status = words.next().and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| malformed("status line"))?;
        let reason = words.next().unwrap_or_default().to_owned();
        let mut length = Length::UntilClose;
        let mut keeps_open = version == "HTTP/1.1";
        loop {
            let line = self.read_line().await?;
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim().to_ascii_lowercase();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    let bytes = value.parse().map_err(|_| malformed("content-length"))?;
                    length = Length::Bytes(bytes);
                }
                "transfer-encoding" if value == "chunked" => length = Length::Chunks,
                "connection" => keeps_open = value == "keep-alive",
                _ => {}
            }
        }
        keeps_open &= !matches!(length, Length::UntilClose) || status == 204;
        let body = if status == 204 { vec![] } else { self.read_body(length).await? };
        Ok(Reply { status, reason, body, keeps_open })
    }

    async fn read_body(&mut self, length: Length) -> io::Result<Vec<u8>> {
        let mut body = vec![];
        match length {
            Length::Bytes(bytes) => self.read_exactly(bytes, &mut body).await?,
            Length::UntilClose => {
                self.stream.read_to_end(&mut body).await?;
            }
            Length::Chunks => loop {
                let size = self.read_line().await?;
                let size = size.split(';').next().unwrap_or_default().trim();
                let size = u64::from_str_radix(size, 16).map_err(|_| malformed("chunk"))?;
                self.read_exactly(size, &mut body).await?;
                self.read_line().await?;
                if size == 0 {
                    break;
                }
            },
        }
        Ok(body)
    }

    async fn read_exactly(&mut self, bytes: u64, body: &mut Vec<u8>) -> io::Result<()> {
        let read = (&mut self.stream).take(bytes).read_to_end(body).await?;
        if u64::try_from(read).is_ok_and(|read| read == bytes) {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    async fn read_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if (&mut self.stream).take(65_536).read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}

enum Length {
    Bytes(u64),
    Chunks,
    UntilClose,
}

fn malformed(part: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {part} of an answer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let url = HttpUrl::parse("http://127.0.0.1:8080/hook?a=1").unwrap();
        assert_eq!((url.address.as_str(), url.path.as_str()), ("127.0.0.1:8080", "/hook?a=1"));
        let url = HttpUrl::parse("http://bot.test").unwrap();
        assert_eq!((url.address.as_str(), url.path.as_str()), ("bot.test:80", "/"));
        let url = HttpUrl::parse("http://[::1]/x").unwrap();
        assert_eq!((url.address.as_str(), url.path.as_str()), ("[::1]:80", "/x"));
        assert_eq!(HttpUrl::parse("https://bot.test/"), None);
        assert_eq!(HttpUrl::parse("http://bot.test/a b"), None);
    }
}
