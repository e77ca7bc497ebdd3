'use strict';
const fs = require('node:fs');
const path = require('node:path');
const v8 = require('node:v8');

/** Starts a compiled command of src/cli, or says in one line why it cannot. */
exports.run = (command, argv) => {
  const file = path.join(__dirname, '../build/src/cli', `${command}.js`);
  const addon = path.join(__dirname, '../addon/build/Release/ntrace.node');
  for (const needed of [file, addon]) {
    if (fs.existsSync(needed)) continue;
    const root = path.resolve(__dirname, '..');
    process.stderr.write(`ntrace is not built (no ${needed}): run ${root}/scripts/setup\n`);
    process.exit(1);
  }
  // Machine code from the first call on; the best code later, see src/rsp/tier-up.ts.
  v8.setFlagsFromString('--always-sparkplug');
  v8.setFlagsFromString('--interrupt-budget=50000');
  require(file).main(argv);
};
