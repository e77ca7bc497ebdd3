import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** A server under measurement. */
export interface ServerKind {
  name: string;
  /** Command that serves a program on a port. */
  launch(port: number, program: string, args: string[]): string[];
  /** Command that waits for vAttach; undefined where there is none. */
  multi?: (port: number) => string[];
}

const OURS = path.resolve(__dirname, '../../bin/ntrace-gdbserver');

function found(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

const like = (name: string, ...command: string[]): ServerKind => ({
  name,
  launch: (port, program, args) => [...command, '--once', `127.0.0.1:${port}`, program, ...args],
  multi: (port) => [...command, '--multi', `127.0.0.1:${port}`],
});

/** Our server with each provider, the embedded one as the base, and gdbserver. */
export function providerKinds(): ServerKind[] {
  if (!fs.existsSync('/proc/ntrace/control')) throw new Error('the module is not loaded');
  return [
    like('embedded', OURS, '--engine', 'embedded'),
    like('kernel', OURS, '--engine', 'kernel'),
    ...(found('gdbserver') ? [like('gdbserver', 'gdbserver')] : []),
  ];
}

/** The base first, then ours, then what else is installed. Throws without gdbserver. */
export function serverKinds(): ServerKind[] {
  if (!found('gdbserver')) throw new Error('gdbserver is the base: apt-get install gdbserver');
  const lldb = ['lldb-server', 'lldb-server-19', 'lldb-server-16', 'lldb-server-14'].find(found);
  return [
    like('gdbserver', 'gdbserver'),
    like('ntrace', OURS),
    // for others the two are the same
    ...(process.getuid?.() === 0 ? [like('ntrace --no-awake', OURS, '--no-awake')] : []),
    ...(lldb
      ? [
          {
            name: 'lldb-server',
            launch: (port: number, program: string, args: string[]): string[] => [
              lldb,
              'gdbserver',
              `127.0.0.1:${port}`,
              '--',
              program,
              ...args,
            ],
            multi: (port: number): string[] => [lldb, 'gdbserver', `127.0.0.1:${port}`],
          },
        ]
      : []),
  ];
}
