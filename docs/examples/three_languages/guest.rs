// SPDX-License-Identifier: Apache-2.0
//! The guest in Rust. The allocator is the program's own, exported with the sizes that Rust wants.

use std::alloc::Layout;

#[repr(C)]
pub struct Summary {
    count: u32,
    mean: f64,
    largest: f64,
}

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "env")]
extern "C" {
    fn for_each(count: u32, callback: extern "C" fn(f64) -> f64);
    fn report(summary: *const Summary);
}
#[cfg(not(target_arch = "wasm32"))]
unsafe fn for_each(_count: u32, _callback: extern "C" fn(f64) -> f64) {}
#[cfg(not(target_arch = "wasm32"))]
unsafe fn report(_summary: *const Summary) {}

fn layout(size: usize, alignment: usize) -> Option<Layout> {
    Layout::from_size_align(size, alignment).ok().filter(|layout| layout.size() != 0)
}

#[no_mangle]
pub extern "C" fn allocate(size: usize, alignment: usize) -> *mut u8 {
    layout(size, alignment).map_or(std::ptr::null_mut(), |layout| unsafe { std::alloc::alloc(layout) })
}

/// # Safety
/// What `allocate` returned, with the same size and alignment.
#[no_mangle]
pub unsafe extern "C" fn deallocate(pointer: *mut u8, size: usize, alignment: usize) {
    if let Some(layout) = layout(size, alignment) {
        std::alloc::dealloc(pointer, layout);
    }
}

/// The host frees the result: pointer in the upper half, length in the lower.
///
/// # Safety
/// The host passes memory that it allocated here.
#[no_mangle]
pub unsafe extern "C" fn greet(name: *const u8, size: usize) -> u64 {
    let name = String::from_utf8_lossy(std::slice::from_raw_parts(name, size)).into_owned();
    let text = format!("Hello, {name}, says Rust").into_bytes().into_boxed_slice();
    let size = text.len() as u64;
    (Box::into_raw(text) as *mut u8 as usize as u64) << 32 | size
}

/// # Safety
/// As `greet`.
#[no_mangle]
pub unsafe extern "C" fn mean(values: *const f64, count: usize) -> f64 {
    let values = std::slice::from_raw_parts(values, count);
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// # Safety
/// As `greet`.
#[no_mangle]
pub unsafe extern "C" fn scale(values: *mut f64, count: usize, factor: f64) {
    for value in std::slice::from_raw_parts_mut(values, count) {
        *value *= factor;
    }
}

/// The struct is returned as C returns one: to a place that the caller gives.
///
/// # Safety
/// As `greet`.
#[no_mangle]
pub unsafe extern "C" fn summarize(values: *const f64, count: usize) -> Summary {
    let slice = std::slice::from_raw_parts(values, count);
    let largest = slice.iter().copied().reduce(f64::max).unwrap_or(0.0);
    Summary { count: count as u32, mean: mean(values, count), largest }
}

#[no_mangle]
pub extern "C" fn merge(left: &Summary, right: &Summary) -> Summary {
    let count = left.count + right.count;
    let sum = f64::from(left.count) * left.mean + f64::from(right.count) * right.mean;
    let both =
        Summary { count, mean: sum / f64::from(count), largest: left.largest.max(right.largest) };
    unsafe { report(&both) };
    both
}

extern "C" fn square(value: f64) -> f64 {
    value * value
}

/// Gives the host a function of this guest to call.
#[no_mangle]
pub extern "C" fn squares(count: u32) {
    unsafe { for_each(count, square) }
}
