//! Bodies that stream through.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::body::{Body, Bytes, Frame, SizeHint};

/// The most of a body that is read before it goes on.
const HEAD_BYTES: usize = 64 << 10;

/// A body whose beginning was read.
pub(super) struct Peeked {
    head: VecDeque<Bytes>,
    head_bytes: usize,
    /// What follows the head; `None` if that is all.
    rest: Option<reqwest::Body>,
}

impl Peeked {
    /// Reads the beginning of a body, or all of it if it is small.
    pub(super) async fn read(mut body: reqwest::Body) -> Result<Self, reqwest::Error> {
        let mut peeked = Self { head: VecDeque::new(), head_bytes: 0, rest: None };
        while let Some(bytes) = next(&mut body).await? {
            peeked.head_bytes += bytes.len();
            peeked.head.push_back(bytes);
            if peeked.head_bytes >= HEAD_BYTES {
                peeked.rest = Some(body);
                break;
            }
        }
        Ok(peeked)
    }

    /// The beginning.
    pub(super) fn head(&self) -> Bytes {
        match (self.head.front(), self.head.len()) {
            (None, _) => Bytes::new(),
            (Some(only), 1) => only.clone(),
            _ => self.head.iter().flatten().copied().collect(),
        }
    }

    /// The body to be sent on.
    pub(super) fn into_body(self) -> reqwest::Body {
        match self.rest {
            None => self.head().into(),
            Some(_) => reqwest::Body::wrap(self),
        }
    }
}

impl Body for Peeked {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        if let Some(bytes) = self.head.pop_front() {
            self.head_bytes -= bytes.len();
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match &mut self.rest {
            None => Poll::Ready(None),
            Some(rest) => Poll::Ready(ready!(Pin::new(rest).poll_frame(context))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let head = u64::try_from(self.head_bytes).unwrap_or(u64::MAX);
        let rest = self.rest.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint);
        match rest.exact() {
            Some(rest) => SizeHint::with_exact(rest.saturating_add(head)),
            None => SizeHint::default(),
        }
    }
}

/// Reads a whole body of at most `limit` bytes; `None` if it is longer.
pub(super) async fn read_all<B>(mut body: B, limit: usize) -> Result<Option<Vec<u8>>, B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut all = Vec::new();
    while let Some(bytes) = next(&mut body).await? {
        if all.len() + bytes.len() > limit {
            return Ok(None);
        }
        all.extend_from_slice(&bytes);
    }
    Ok(Some(all))
}

/// The next piece of a body.
async fn next<B>(body: &mut B) -> Result<Option<Bytes>, B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        // Trailers are left out.
        match frame.transpose()?.map(Frame::into_data) {
            None => return Ok(None),
            Some(Ok(bytes)) => return Ok(Some(bytes)),
            Some(Err(_)) => {}
        }
    }
}
