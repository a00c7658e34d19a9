// SPDX-License-Identifier: Apache-2.0
// The guest in AssemblyScript. What the host passes as a view arrives as one object: a String for
// UTF-16, an ArrayBuffer for elements. Objects that it returns are pinned while the host uses them.

@external("env", "for_each")
declare function forEach(count: u32, callback: i32): void;

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

function square(value: f64): f64 {
  return value * value;
}

// Gives the host a function of this guest to call: its index in the table.
export function squares(count: u32): void {
  forEach(count, square.index);
}
