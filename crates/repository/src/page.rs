/// The most rows that one page may hold.
pub const MAX_PAGE_SIZE: u32 = 1000;

/// A request for one page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    number: u32,
    size: u32,
}

impl PageRequest {
    /// Page `number`, counted from 1, of a list divided into pages of `size` rows.
    ///
    /// # Errors
    /// If `number` is 0, or `size` is 0 or above [`MAX_PAGE_SIZE`].
    pub fn new(number: u32, size: u32) -> Result<Self, InvalidPage> {
        if number == 0 {
            return Err(InvalidPage::Number);
        }
        if !(1..=MAX_PAGE_SIZE).contains(&size) {
            return Err(InvalidPage::Size(size));
        }
        Ok(Self { number, size })
    }

    /// The page's number, counted from 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many rows a full page holds.
    pub fn size(self) -> u32 {
        self.size
    }

    /// How many rows precede the page.
    pub fn offset(self) -> u64 {
        u64::from(self.number - 1) * u64::from(self.size)
    }
}

/// A page that cannot be requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPage {
    /// Pages are counted from 1.
    #[error("there is no page 0; pages are counted from 1")]
    Number,
    /// A page without rows, or a too large one.
    #[error("a page of {0} users cannot be had; expected 1 to {MAX_PAGE_SIZE}")]
    Size(u32),
}

/// One page of a list, and how long the whole list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The page's rows; empty past the end of the list.
    pub items: Vec<T>,
    /// How many rows the whole list has.
    pub total: u64,
    /// The request.
    pub request: PageRequest,
}

impl<T> Page<T> {
    /// How many pages the list has; 1 for an empty list.
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(u64::from(self.request.size())).max(1)
    }

    /// The number of the next page, if there is one.
    pub fn next(&self) -> Option<u32> {
        let next = self.request.number().checked_add(1)?;
        (u64::from(next) <= self.pages()).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_pages_that_cannot_be() {
        assert_eq!(PageRequest::new(0, 20), Err(InvalidPage::Number));
        assert_eq!(PageRequest::new(1, 0), Err(InvalidPage::Size(0)));
        assert_eq!(PageRequest::new(1, 1001), Err(InvalidPage::Size(1001)));
    }

    #[test]
    fn knows_what_comes_next() {
        let page = |number, total| Page::<()> {
            items: vec![],
            total,
            request: PageRequest::new(number, 20).unwrap(),
        };
        assert_eq!((page(1, 0).pages(), page(1, 0).next()), (1, None));
        assert_eq!((page(1, 20).pages(), page(1, 20).next()), (1, None));
        assert_eq!((page(1, 21).pages(), page(1, 21).next()), (2, Some(2)));
        assert_eq!(page(u32::MAX, u64::MAX).next(), None);
        assert_eq!(PageRequest::new(u32::MAX, 1000).unwrap().offset(), 4_294_967_294_000);
    }
}
