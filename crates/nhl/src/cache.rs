//! What was answered before, to be asked only whether it has changed (RFC 9110, 13.1).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::{
    RequestBuilder,
    header::{ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};

/// How many answers are cached: a few weeks and days, of up to a megabyte each.
const CAPACITY: usize = 8;

/// An answer, and how to ask whether it still holds.
pub(crate) struct CachedResponse {
    path: String,
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
    pub(crate) body: String,
}

impl CachedResponse {
    /// An answer to `path`; `None` where the server does not offer to be asked so.
    pub(crate) fn new(path: &str, headers: &HeaderMap, body: &str) -> Option<Self> {
        let (etag, last_modified) = (headers.get(ETAG), headers.get(LAST_MODIFIED));
        (etag.is_some() || last_modified.is_some()).then(|| Self {
            path: path.to_owned(),
            etag: etag.cloned(),
            last_modified: last_modified.cloned(),
            body: body.to_owned(),
        })
    }

    /// Asks for the answer only if it has changed.
    pub(crate) fn condition(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(etag) = &self.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(at) = &self.last_modified {
            request = request.header(IF_MODIFIED_SINCE, at);
        }
        request
    }
}

/// The latest answers. Cheap to clone; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Cache(Arc<Mutex<VecDeque<Arc<CachedResponse>>>>);

impl Cache {
    pub(crate) fn get(&self, path: &str) -> Option<Arc<CachedResponse>> {
        self.lock().iter().find(|cached| cached.path == path).cloned()
    }

    /// Keeps an answer, and forgets the oldest where there are too many.
    pub(crate) fn put(&self, cached: CachedResponse) {
        let mut all = self.lock();
        all.retain(|other| other.path != cached.path);
        if all.len() >= CAPACITY {
            all.pop_front();
        }
        all.push_back(Arc::new(cached));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<CachedResponse>>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_answers_are_kept() {
        let cache = Cache::default();
        let headers = HeaderMap::from_iter([(ETAG, HeaderValue::from_static("\"1\""))]);
        for n in 0..20 {
            cache.put(CachedResponse::new(&format!("/{n}"), &headers, "a").unwrap());
        }
        cache.put(CachedResponse::new("/19", &headers, "b").unwrap());
        assert_eq!(cache.lock().len(), CAPACITY);
        assert!(cache.get("/0").is_none());
        assert_eq!(cache.get("/19").unwrap().body, "b");
        assert!(CachedResponse::new("/x", &HeaderMap::new(), "a").is_none());
    }
}
