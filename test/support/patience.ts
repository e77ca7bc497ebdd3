/** How much longer than on a common machine to wait before giving up: a guest is slow. */
export const PATIENCE = Number(process.env['NTRACE_TEST_PATIENCE'] ?? 1);
