// SPDX-License-Identifier: Apache-2.0
// The guest in AssemblyScript. What the host passes as a view arrives as one object: a String for
// UTF-16, an ArrayBuffer for elements. Objects that it returns are pinned while the host uses them.
// A struct is an unmanaged class, which is a pointer to its fields; the place for one that is
// returned is the first parameter.

@external("env", "for_each")
declare function forEach(count: u32, callback: i32): void;

@external("env", "report")
declare function report(summary: Summary): void;

@unmanaged
class Summary {
  count: u32;
  mean: f64;
  largest: f64;
}

export function greet(name: string): string {
  return "Hello, " + name + ", says AssemblyScript";
}

export function mean(bytes: ArrayBuffer): f64 {
  const values = Float64Array.wrap(bytes);
  let sum = 0.0;
  for (let i = 0; i < values.length; ++i) sum += values[i];
  return values.length > 0 ? sum / values.length : 0;
}

export function scale(bytes: ArrayBuffer, factor: f64): void {
  const values = Float64Array.wrap(bytes);
  for (let i = 0; i < values.length; ++i) values[i] *= factor;
}

export function summarize(result: Summary, bytes: ArrayBuffer): void {
  const values = Float64Array.wrap(bytes);
  result.count = values.length;
  result.mean = mean(bytes);
  result.largest = values.length > 0 ? values[0] : 0;
  for (let i = 1; i < values.length; ++i) result.largest = max(result.largest, values[i]);
}

export function merge(result: Summary, left: Summary, right: Summary): void {
  result.count = left.count + right.count;
  result.mean = (left.count * left.mean + right.count * right.mean) / result.count;
  result.largest = max(left.largest, right.largest);
  report(result);
}

function square(value: f64): f64 {
  return value * value;
}

// Gives the host a function of this guest to call: its index in the table.
export function squares(count: u32): void {
  forEach(count, square.index);
}
