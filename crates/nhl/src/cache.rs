//! A cache of responses for conditional requests (RFC 9110, 13.1).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::{
    RequestBuilder,
    header::{ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};

/// The number of cached responses: a few weeks and days, of up to a megabyte each.
const CAPACITY: usize = 8;

/// A response with its validators.
pub(crate) struct CachedResponse {
    path: String,
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
    pub(crate) body: String,
}

impl CachedResponse {
    /// The response to `path`; `None` if it has no validator.
    pub(crate) fn new(path: &str, headers: &HeaderMap, body: &str) -> Option<Self> {
        let (etag, last_modified) = (headers.get(ETAG), headers.get(LAST_MODIFIED));
        (etag.is_some() || last_modified.is_some()).then(|| Self {
            path: path.to_owned(),
            etag: etag.cloned(),
            last_modified: last_modified.cloned(),
            body: body.to_owned(),
        })
    }

    /// Makes a request conditional: the server responds with the body only if it has changed.
    pub(crate) fn add_condition(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(etag) = &self.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(at) = &self.last_modified {
            request = request.header(IF_MODIFIED_SINCE, at);
        }
        request
    }
}

/// The latest responses. Clones are cheap and share them.
#[derive(Clone, Default)]
pub(crate) struct Cache(Arc<Mutex<VecDeque<Arc<CachedResponse>>>>);

impl Cache {
    pub(crate) fn get(&self, path: &str) -> Option<Arc<CachedResponse>> {
        self.lock().iter().find(|cached| cached.path == path).cloned()
    }

    /// Adds a response, and removes the oldest one if there are too many.
    pub(crate) fn put(&self, cached: CachedResponse) {
        let mut all = self.lock();
        all.retain(|other| other.path != cached.path);
        if all.len() >= CAPACITY {
            all.pop_front();
        }
        all.push_back(Arc::new(cached));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<CachedResponse>>> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_responses_are_cached() {
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
