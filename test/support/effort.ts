/** How many times as much to try as in a run of all levels: for who has the time. */
export const EFFORT = Number(process.env['NTRACE_TEST_EFFORT'] ?? 1);
