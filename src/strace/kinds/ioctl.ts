import { address, type Call } from '../call';
import { structureAt } from '../struct';
import { LATER, type Kinds } from './kind';

const DIRECTIONS = ['_IOC_NONE', '_IOC_WRITE', '_IOC_READ', '_IOC_READ|_IOC_WRITE'];

function requestName(c: Call, request: number): string {
  const name = c.env.constants.ioctl(request);
  if (name !== undefined) return name;
  const hex = (n: number): string => (n === 0 ? '0' : `0x${n.toString(16)}`);
  const direction = DIRECTIONS[request >>> 30] ?? '';
  return `_IOC(${direction}, ${hex((request >>> 8) & 0xff)}, ${hex(request & 0xff)}, ${hex((request >>> 16) & 0x3fff)})`;
}

/** struct termios of asm/termbits.h: four sets of flags, the line discipline, control characters. */
function termios(c: Call, addr: bigint): string {
  const bytes = c.bytes(addr, 36);
  if (bytes === undefined) return address(addr);
  const lflag = bytes.readUInt32LE(12);
  const cflag = bytes.readUInt32LE(8);
  const value = (name: string): number => c.env.constants.value(name) ?? 0;
  const baud = c.choice('baud', cflag & value('CBAUD'));
  const parts = [
    baud,
    ...[
      [bytes.readUInt32LE(4), 'OPOST', 'opost'],
      [lflag, 'ISIG', 'isig'],
      [lflag, 'ICANON', 'icanon'],
      [lflag, 'ECHO', 'echo'],
    ].map(([flags, name, text]) => {
      const set = ((flags as number) & value(name as string)) !== 0;
      return `${set ? '' : '-'}${String(text)}`;
    }),
  ];
  return `{${parts.join(' ')} ...}`;
}

type Show = (c: Call, addr: bigint) => string;

function pointed(c: Call, addr: bigint): string {
  const bytes = c.bytes(addr, 4);
  return bytes === undefined ? address(addr) : `[${bytes.readInt32LE(0)}]`;
}

const winsize: Show = (c, addr) => structureAt(c, 'winsize', addr);

/** Requests whose argument is shown as more than an address; out: the kernel fills it in. */
const REQUESTS: readonly [names: string, show: Show | undefined, out: boolean][] = [
  ['TCGETS', termios, true],
  ['TCSETS TCSETSW TCSETSF', termios, false],
  ['TIOCGWINSZ', winsize, true],
  ['TIOCSWINSZ', winsize, false],
  [
    'TIOCGPGRP TIOCGSID FIONREAD TIOCOUTQ TIOCGETD TIOCGPTN TIOCGPTLCK TIOCMGET FIOGETOWN SIOCATMARK',
    pointed,
    true,
  ],
  ['TIOCSPGRP FIONBIO FIOASYNC TIOCSETD TIOCSPTLCK FIOSETOWN', pointed, false],
  ['TIOCEXCL TIOCNXCL TIOCNOTTY TIOCCONS FIOCLEX FIONCLEX TIOCSBRK TIOCCBRK', undefined, false],
];

function argument(c: Call): string | undefined | typeof LATER {
  const names = (c.env.constants.ioctl(c.uint(1)) ?? '').split(' or ');
  const found = REQUESTS.find(([known]) => names.some((name) => known.split(' ').includes(name)));
  if (found === undefined) return c.ulong(2) === 0n ? '0' : address(c.ulong(2));
  const [, show, out] = found;
  if (show === undefined) return undefined;
  return out && !c.exiting ? LATER : show(c, c.ulong(2));
}

export const IOCTL: Kinds = {
  request: () => (c, i) => requestName(c, c.uint(i)),
  ioctl: () => (c) => argument(c),
};
