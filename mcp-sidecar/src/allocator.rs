//! The allocator of the static binary. musl's own has one lock for all threads, which costs a quarter of all CPU under
//! load. mimalloc has none, but copies what grows and keeps what is freed, so large pieces (messages of many KiB) stay
//! with musl, which maps each on its own: it grows in place and is given back at once. The rest is given back when
//! `memory.rs` says so.

use std::alloc::{GlobalAlloc, Layout, System};

use mimalloc::MiMalloc;

/// Bytes from which musl does so (`MMAP_THRESHOLD` of its mallocng).
const LARGE: usize = 131_052;

#[derive(Debug)]
pub struct Allocator;

/// Whose a piece of that size is. Callers free it under the size that they asked for (a rule of [`GlobalAlloc`]).
fn of(bytes: usize) -> &'static dyn GlobalAlloc {
    if bytes < LARGE { &MiMalloc } else { &System }
}

// SAFETY: each call goes, as it came, to the allocator that the piece is from; both keep the rules. Their own `realloc`
// would not notice a piece that changes hands, so such a one is copied.
#[expect(unsafe_code, reason = "an allocator is unsafe by nature")]
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { of(layout.size()).alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { of(layout.size()).alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        unsafe { of(layout.size()).dealloc(piece, layout) }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if (layout.size() < LARGE) == (size < LARGE) {
            return unsafe { of(size).realloc(piece, layout, size) };
        }
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(piece, size.min(layout.size()));
                self.dealloc(piece, layout);
            }
            moved
        }
    }
}
