// SPDX-License-Identifier: Apache-2.0
// Compares what tenon and V8 say of damaged modules: both must find the same ones valid.
//
// usage: node compare_validators.mjs MUTATION_TEST [OPTION...] [FILE.wasm | FOLDER]...
//
// MUTATION_TEST is built/test/mutation_test; it gets the other arguments, and makes the modules.
// Prints each kind of disagreement once, with a module that shows it (written to
// disagreement-N.wasm in the current folder). Ends with `N passed, N failed, N skipped`.
import {spawn} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {setFlagsFromString} from 'node:v8';

// What V8 has beyond WebAssembly 2.0 and lets itself be told to leave out.
for (const feature of ['return-call', 'extended-const', 'gc', 'relaxed-simd']) {
  setFlagsFromString(`--no-experimental-wasm-${feature}`);
}

// What V8 accepts beyond WebAssembly 2.0 without a way to switch it off, by tenon's text.
const BEYOND = [
  /^illegal opcode 0x(6|7|8|9|18|19)\b/,  // exceptions of the first proposal
  /^malformed (section id 13|import kind 0x4|export kind 0x4)\b/,  // tags
];

const [program, ...options] = process.argv.slice(2);
if (program === undefined) {
  console.error('usage: node compare_validators.mjs MUTATION_TEST [OPTION...] [FILE | FOLDER]...');
  process.exit(2);
}

const counts = {passed: 0, failed: 0, skipped: 0};
const known = new Map();

function compare(error, bytes) {
  const accepts = WebAssembly.validate(bytes);
  if (accepts === (error === '')) {
    ++counts.passed;
  } else if (accepts && BEYOND.some((pattern) => pattern.test(error))) {
    ++counts.skipped;
  } else {
    ++counts.failed;
    let reason = error;
    if (!accepts) {
      try {
        new WebAssembly.Module(bytes);
      } catch (refusal) {
        reason = refusal.message;
      }
    }
    // Of disagreements that differ in numbers and names alone, one is shown.
    const kind = reason.replace(/"[^"]*"/g, '""').replace(/0x[0-9a-f]+|\d+/g, 'N');
    if (known.has(kind)) return known.set(kind, known.get(kind) + 1);
    known.set(kind, 1);
    const file = `disagreement-${known.size}.wasm`;
    writeFileSync(file, bytes);
    console.log(`FAIL ${accepts ? 'only V8 accepts' : 'only tenon accepts'} ${file}: ${reason}`);
  }
}

const child = spawn(program, ['--verdicts=3', ...options], {
  stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
});
child.stdout.resume();

let pending = Buffer.alloc(0);

/// The field at `offset` behind its size; null if it has not come in full.
function fieldAt(offset) {
  if (pending.length < offset + 4) return null;
  const end = offset + 4 + pending.readUInt32LE(offset);
  return pending.length < end ? null : {begin: offset + 4, end};
}

child.stdio[3].on('data', (chunk) => {
  pending = Buffer.concat([pending, chunk]);
  let offset = 0;
  for (;;) {
    const error = fieldAt(offset);
    const bytes = error && fieldAt(error.end);
    if (!bytes) break;
    compare(pending.toString('utf8', error.begin, error.end),
      pending.subarray(bytes.begin, bytes.end));
    offset = bytes.end;
  }
  pending = pending.subarray(offset);
});

child.on('close', (status) => {
  if (status !== 0 || pending.length !== 0) {
    console.log(`FAIL ${program} ended with ${status}`);
    ++counts.failed;
  }
  for (const [kind, count] of known) if (count > 1) console.log(`${count} times: ${kind}`);
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
});
