import path from 'node:path';

/** The repository, from build/test/support. */
export const repositoryRoot = path.resolve(__dirname, '../../..');
