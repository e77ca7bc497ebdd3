/** Operational log line; winston is behind it in the command line, nothing in tests. */
export type Log = (level: 'error' | 'warn' | 'info' | 'debug', message: string) => void;

/** Where each packet's line goes; nothing is formatted while nobody wants to read it. */
export interface PacketSink {
  readonly active: boolean;
  line(text: string): void;
}
