// SPDX-License-Identifier: Apache-2.0
// Says what it sees of its surroundings, and copies a file of the directory that it was given by the
// functions of WASI, for which the shim has nothing of its own.

import {
  errno,
  fd_close,
  fd_read,
  fd_write,
  fdflags,
  iovec,
  lookupflags,
  oflags,
  path_open,
  rights,
} from "@assemblyscript/wasi-shim/assembly/bindings/wasi_snapshot_preview1";

const directory: u32 = 3;

function open(path: string, how: u16, may: u64): u32 {
  const name = String.UTF8.encode(path);
  const result = memory.data(4);
  const error = path_open(
    directory, lookupflags.SYMLINK_FOLLOW, changetype<usize>(name), name.byteLength, how, may, 0, 0,
    result);
  if (error != errno.SUCCESS) throw new Error("cannot open " + path + ": " + error.toString());
  return load<u32>(result);
}

function transfer(file: u32, buffer: ArrayBuffer, length: usize, writing: bool): usize {
  const vector = memory.data(offsetof<iovec>());
  const count = memory.data(4);
  changetype<iovec>(vector).buf = changetype<usize>(buffer);
  changetype<iovec>(vector).buf_len = length;
  const error = writing ? fd_write(file, vector, 1, count) : fd_read(file, vector, 1, count);
  if (error != errno.SUCCESS) throw new Error("cannot transfer: " + error.toString());
  return load<u32>(count);
}

function copyFile(from: string, to: string): usize {
  const source = open(from, 0, rights.FD_READ);
  const target = open(to, oflags.CREAT | oflags.EXCL, rights.FD_WRITE);
  const buffer = new ArrayBuffer(8);
  let sum: usize = 0;
  for (;;) {
    const count = transfer(source, buffer, buffer.byteLength, false);
    if (count == 0) break;
    transfer(target, buffer, count, true);
    sum += count;
  }
  fd_close(source);
  fd_close(target);
  return sum;
}

for (let i = 0; i < process.argv.length; ++i) console.log("argument " + process.argv[i]);
console.log("mood " + process.env.get("MOOD"));
console.log("copied " + copyFile("input.txt", "copy.txt").toString());
const counts = new Map<string, i32>();
const words = "so it goes as it goes".split(" ");
for (let i = 0; i < words.length; ++i) {
  counts.set(words[i], (counts.has(words[i]) ? counts.get(words[i]) : 0) + 1);
}
const lines = counts.keys().map<string>((word) => word + " " + counts.get(word).toString());
console.log(lines.sort().join(", "));
console.log("after 2020 " + (Date.now() > 1577836800000).toString());
const begin = process.hrtime();
console.log("goes on " + (process.hrtime() >= begin).toString());
const bytes = new Uint8Array(16);
crypto.getRandomValues(bytes);
console.log("random " + bytes.some((byte) => byte != 0).toString());
console.log("spread " + (Math.random() != Math.random()).toString());
const input = new ArrayBuffer(100);
const length = process.stdin.read(input);
console.log("read " + String.UTF8.decode(input.slice(0, length)));
process.stderr.write("to the error stream\n");
if (process.argv.length < 2) throw new Error("no exit code");
process.exit(I32.parseInt(process.argv[1]));
