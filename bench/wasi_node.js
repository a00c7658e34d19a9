// SPDX-License-Identifier: Apache-2.0
// Times the guest of wasi_cost under node's WASI.
//
// usage: node wasi_node.js cost GUEST FOLDER ROWS REPEAT
//            ROWS: {name: [calls of a repetition, ...]} in JSON; prints {name: ns of a call}
//        node wasi_node.js run PROGRAM ARGUMENTS...
//            runs a program, as wasi_run does
"use strict";

process.removeAllListeners("warning");
const fs = require("fs");
const { WASI } = require("wasi");

function cost(guest, folder, rowsText, repeatText) {
  const rows = JSON.parse(rowsText);
  const wasi = new WASI({
    version: "preview1",
    preopens: { "/": folder },
    stdin: fs.openSync("/dev/zero", "r"),
    stdout: fs.openSync("/dev/null", "w"),
  });
  const module = new WebAssembly.Module(fs.readFileSync(guest));
  const instance = new WebAssembly.Instance(module, wasi.getImportObject());
  wasi.initialize(instance);
  const result = {};
  Object.entries(rows).forEach(([name, [calls]], index) => {
    const run = instance.exports[`run${index}`];
    run(calls / 10);
    const times = [];
    for (let i = 0; i < Number(repeatText); ++i) {
      const begin = process.hrtime.bigint();
      run(calls);
      times.push(Number(process.hrtime.bigint() - begin) / calls);
    }
    times.sort((a, b) => a - b);
    result[name] = times[times.length >> 1];
  });
  console.log(JSON.stringify(result));
}

function run(program, ...rest) {
  const wasi = new WASI({ version: "preview1", args: [program, ...rest], returnOnExit: true });
  const module = new WebAssembly.Module(fs.readFileSync(program));
  process.exitCode = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
}

const [what, ...rest] = process.argv.slice(2);
({ cost, run })[what](...rest);
