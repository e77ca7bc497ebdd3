import type { Accounts } from './accounts';
import { processStatus } from './process';

/** Columns of one row, in the order they are shown. */
export type Row = readonly (readonly [column: string, value: string | number])[];

/** One object of qXfer:osdata. */
export interface Table {
  name: string;
  title: string;
  description: string;
  /** <osdata type="...">, which differs from the name now and then. */
  type: string;
  rows(accounts: Accounts): Iterable<Row>;
}

/** A process' short name, or its number when it is gone. */
export function commandName(pid: number): string {
  return processStatus(pid)?.name ?? String(pid);
}
