/** Operational log line; winston is behind it in the command line, nothing in tests. */
export type Log = (level: 'error' | 'warn' | 'info' | 'debug', message: string) => void;
