//! What stands between the library and a repository: counting, and calling off.

use std::sync::Arc;

use bytes::Bytes;
use rustic_core::{
    BytesList, ErrorKind, FileType, Id, Progress, ProgressBars, ProgressType, ReadBackend, RusticError,
    RusticProgress, RusticResult, WriteBackend,
};

use crate::port::Meter;

/// A repository's storage whose use is counted, and refused once the job was called off: without
/// that a source that ends early would be saved as if it were whole.
pub(super) struct Fence {
    inner: Arc<dyn WriteBackend>,
    meter: Arc<Meter>,
}

impl Fence {
    pub(super) fn new(inner: Arc<dyn WriteBackend>, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }

    fn go_on(&self) -> RusticResult<()> {
        if self.meter.is_cancelled() {
            return Err(RusticError::new(ErrorKind::Other, "it was called off"));
        }
        Ok(())
    }
}

impl ReadBackend for Fence {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn list_with_size(&self, tpe: FileType) -> RusticResult<Vec<(Id, u32)>> {
        self.go_on()?;
        self.inner.list_with_size(tpe)
    }

    fn list(&self, tpe: FileType) -> RusticResult<Vec<Id>> {
        self.go_on()?;
        self.inner.list(tpe)
    }

    fn read_full(&self, tpe: FileType, id: &Id) -> RusticResult<Bytes> {
        self.go_on()?;
        self.inner.read_full(tpe, id)
    }

    fn read_partial(
        &self,
        tpe: FileType,
        id: &Id,
        cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        self.go_on()?;
        self.inner.read_partial(tpe, id, cacheable, offset, length)
    }

    fn warmup_path(&self, tpe: FileType, id: &Id) -> String {
        self.inner.warmup_path(tpe, id)
    }
}

impl WriteBackend for Fence {
    fn create(&self) -> RusticResult<()> {
        self.go_on()?;
        self.inner.create()
    }

    fn write_bytes(&self, tpe: FileType, id: &Id, cacheable: bool, content: BytesList) -> RusticResult<()> {
        self.go_on()?;
        let size = content.size();
        self.inner.write_bytes(tpe, id, cacheable, content)?;
        self.meter.written(size as u64);
        Ok(())
    }

    fn remove(&self, tpe: FileType, id: &Id, cacheable: bool) -> RusticResult<()> {
        self.go_on()?;
        self.inner.remove(tpe, id, cacheable)
    }
}

/// The library's progress, of which only bytes say anything.
#[derive(Debug)]
pub(super) struct Bars(pub(super) Arc<Meter>);

impl ProgressBars for Bars {
    fn progress(&self, progress_type: ProgressType, _prefix: &str) -> Progress {
        match progress_type {
            ProgressType::Bytes => Progress::new(Count(Arc::clone(&self.0))),
            ProgressType::Spinner | ProgressType::Counter => Progress::hidden(),
        }
    }
}

#[derive(Debug)]
struct Count(Arc<Meter>);

impl RusticProgress for Count {
    fn is_hidden(&self) -> bool {
        false
    }

    fn set_length(&self, len: u64) {
        self.0.of(0, len);
    }

    fn set_title(&self, _title: &str) {}

    fn inc(&self, inc: u64) {
        self.0.bytes(inc);
    }

    fn finish(&self) {}
}
