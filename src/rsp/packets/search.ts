import { native } from '../../native';
import { scanMemory, type ScanResult } from '../memory-scan';
import { packet, type Packet } from '../packet';
import { ReplyError } from '../reply';

const SEARCH_FAILED = 1;
const CRC_FAILED = 3;

/** The error of a scan that did not see everything. */
function incomplete(errno: number, what: string, { end, next }: ScanResult): ReplyError {
  const at = `0x${next.toString(16)}`;
  return new ReplyError(
    errno,
    end === 'late'
      ? `${what} took too long: it came as far as ${at}; go on from there`
      : `${what} ended at ${at}: memory cannot be read there`,
  );
}

const find = packet<{ addr: bigint; length: bigint; pattern: Buffer }>({
  match: 'qSearch:memory:',
  syntax: 'qSearch:memory:ADDR;LENGTH;PATTERN',
  summary: 'Finds binary bytes in LENGTH bytes from ADDR on: 1,ADDR or 0.',
  when: 'inferior',
  args: (args) => {
    const addr = args.big();
    const length = args.lit(';').big();
    const pattern = args.lit(';').bytes();
    if (pattern.length === 0) args.fail('a pattern');
    return { addr, length, pattern };
  },
  run(session, { addr, length, pattern }) {
    let found: bigint | undefined;
    const result = scanMemory(
      session.engine,
      session.inferior().pid,
      { addr, length, overlap: pattern.length - 1 },
      (buf, count, base) => {
        const at = buf.subarray(0, count).indexOf(pattern);
        if (at >= 0) found = base + BigInt(at);
        return at >= 0;
      },
    );
    if (found !== undefined) return `1,${found.toString(16)}`;
    if (result.end !== 'complete') throw incomplete(SEARCH_FAILED, 'the search', result);
    return '0';
  },
});

const crc = packet<{ addr: bigint; length: bigint }>({
  match: 'qCRC:',
  syntax: 'qCRC:ADDR,LENGTH',
  summary: 'Gives the CRC-32 of memory, as compare-sections wants it: C and hex digits.',
  when: 'inferior',
  args: (args) => {
    const addr = args.big();
    const length = args.lit(',').big();
    args.close();
    return { addr, length };
  },
  run(session, { addr, length }) {
    let sum = 0xffffffff;
    const result = scanMemory(
      session.engine,
      session.inferior().pid,
      { addr, length, overlap: 0 },
      (buf, count) => {
        sum = native.crc32(sum, buf, 0, count);
        return false;
      },
    );
    if (result.end !== 'complete') throw incomplete(CRC_FAILED, 'the checksum', result);
    return `C${(sum >>> 0).toString(16)}`;
  },
});

/** What the server computes over memory so that it need not be sent. */
export const search: Packet[] = [find, crc];
