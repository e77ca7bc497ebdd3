import path from 'node:path';

/** The package's root directory: build/src/cli is three levels below it. */
export const PACKAGE_ROOT = path.resolve(__dirname, '../../..');
