/** One thing looked at: what is so, and what to do where that is not enough. */
export interface Finding {
  name: string;
  /** fail: embedded debugging does not work; warn: something else does not. */
  level: 'ok' | 'warn' | 'fail';
  text: string;
  remedy?: string;
}

export const ok = (name: string, text: string): Finding => ({ name, level: 'ok', text });
export const warn = (name: string, text: string, remedy?: string): Finding => ({
  name,
  level: 'warn',
  text,
  ...(remedy === undefined ? {} : { remedy }),
});
export const fail = (name: string, text: string, remedy: string): Finding => ({
  name,
  level: 'fail',
  text,
  remedy,
});
