// SPDX-License-Identifier: Apache-2.0
// Runs a kernel under node: `node run_node.js FILE.wasm N REPEAT` prints the least and median CPU time
// of a call, the first ones left out while the optimising tier is still at work, and the result.
'use strict';

const fs = require('fs');

const [file, n, repeat] = process.argv.slice(2);
const instance = new WebAssembly.Instance(new WebAssembly.Module(fs.readFileSync(file)), {});
const times = [];
let result;
for (let i = 0; i < Number(repeat); ++i) {
  const begin = process.cpuUsage();
  result = instance.exports.run(Number(n));
  const used = process.cpuUsage(begin);
  times.push((used.user + used.system) * 1e3);
}
const warm = times.slice(Math.floor(times.length / 2)).sort((a, b) => a - b);
const call_ns = {min: Math.round(warm[0]), median: Math.round(warm[Math.floor(warm.length / 2)])};
console.log(JSON.stringify({call_ns, result: [String(result)]}));
