import type { Call } from './call';

const SOCKET =
  'socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom ' +
  'shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg';

/** What the first argument of ipc means, and which of its arguments are those of the call itself. */
const IPC: Record<number, [name: string, args: number[]]> = {
  1: ['semop', [1, 4, 2]],
  2: ['semget', [1, 2, 3]],
  3: ['semctl', [1, 2, 3, 4]],
  4: ['semtimedop', [1, 4, 2, 5]],
  11: ['msgsnd', [1, 4, 2, 3]],
  12: ['msgrcv', [1, 4, 2, 5, 3]],
  13: ['msgget', [1, 2]],
  14: ['msgctl', [1, 2, 4]],
  21: ['shmat', [1, 4, 2, 3]],
  22: ['shmdt', [4]],
  23: ['shmget', [1, 2, 3]],
  24: ['shmctl', [1, 2, 4]],
};

/** Calls of an i386 that stand for many, with what they stand for; linux/net.h, linux/ipc.h. */
export const MULTIPLEXED: Readonly<Record<string, readonly string[]>> = {
  socketcall: SOCKET.split(' '),
  ipc: Object.values(IPC).map(([name]) => name),
};

const MOST = 6; // arguments

/** The call behind socketcall and ipc, whose arguments take the place of theirs. */
export function demultiplex(c: Call): string | undefined {
  const name = c.abi.names.get(c.nr);
  if (name === 'socketcall') {
    const inner = MULTIPLEXED.socketcall?.[c.uint(0) - 1];
    const bytes = c.env.memory.some(c.pid, c.ulong(1), 4 * MOST);
    if (inner === undefined || bytes === undefined) return undefined;
    for (let i = 0; i < MOST && 4 * i + 4 <= bytes.length; i++) {
      c.args[i] = BigInt(bytes.readUInt32LE(4 * i));
    }
    return inner;
  }
  if (name !== 'ipc') return undefined;
  const inner = IPC[c.uint(0) & 0xffff];
  if (inner === undefined) return undefined;
  const values = inner[1].map((i) => c.args[i]!);
  values.forEach((value, i) => (c.args[i] = value));
  return inner[0];
}
