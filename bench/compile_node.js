// SPDX-License-Identifier: Apache-2.0
// Compiles one module once under node and prints the same JSON as compile_cost. What is compiled,
// and by which tier, depends on node's options; see compile_throughput.py.
'use strict';

const fs = require('fs');

function readStatus(key) {
  const line = fs.readFileSync('/proc/self/status', 'utf8').split('\n')
                   .find((text) => text.startsWith(key));
  return parseInt(line.slice(key.length), 10) * 1024;
}

const bytes = fs.readFileSync(process.argv[2]);
const resident = readStatus('VmRSS:');
const cpu = process.cpuUsage();
const begin = process.hrtime.bigint();
const module_ = new WebAssembly.Module(bytes);
const wall = Number(process.hrtime.bigint() - begin);
const used = process.cpuUsage(cpu);
console.log(JSON.stringify({
  engine: 'node',
  cpu_ns: (used.user + used.system) * 1e3,
  wall_ns: wall,
  module_bytes: bytes.length,
  exports: WebAssembly.Module.exports(module_).length,
  rss_before_bytes: resident,
  peak_rss_bytes: readStatus('VmHWM:'),
}));
