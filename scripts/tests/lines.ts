// What a run of jest tells while it runs, a line of JSON for each piece of news: a run that is cut
// off has told everything up to then.

/** Where the lines go. */
export const REPORT = 'NTRACE_TEST_REPORT';

export type Line =
  /** A test begins. */
  | { kind: 'start'; name: string }
  /** A test that was never to run is in no such line, but in one of its file's. */
  | { kind: 'test'; name: string; passed: boolean; ms: number; message: string }
  /** A test that ran, and found that it cannot say anything here; it is told as passed, too. */
  | { kind: 'skip'; name: string; reason: string }
  /** A file is done. error: it could not be run, or what follows its tests failed. */
  | { kind: 'file'; file: string; ms: number; skipped: string[]; error: string }
  | { kind: 'end' };

export function parseLines(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line.endsWith('}')) // the last one may be cut off
    .map((line) => JSON.parse(line) as Line);
}
