import { openChannel } from '../engine/channel/open';
import { openEngine } from '../engine/engine';
import { native } from '../native';
import { Framer } from '../rsp/wire/framer';
import { PacketWriter } from '../rsp/wire/writer';
import { parseComm } from './comm';

const CHECKS: Record<string, () => boolean> = {
  'checksum of a frame': () => native.checksum(Buffer.from('OK'), 0, 2) === 0x9a,
  'hex there and back': () => {
    const bytes = Buffer.from([0x00, 0x7f, 0xa5, 0xff]);
    const digits = Buffer.alloc(8);
    const back = Buffer.alloc(4);
    native.hexEncode(digits, 0, bytes, 0, 4);
    return (
      digits.toString() === '007fa5ff' &&
      native.hexDecode(back, 0, digits, 0, 8) === 4 &&
      back.equals(bytes)
    );
  },
  'escapes there and back': () => {
    const frame = Buffer.alloc(16);
    const pair = new Int32Array(2);
    native.escape(frame, 0, 16, Buffer.from('a}#$*b'), 0, 6, pair);
    const length = native.unescape(frame, 0, pair[1] as number);
    return pair[1] === 10 && frame.subarray(0, length).toString() === 'a}#$*b';
  },
  'framer: a packet split at every byte': () => {
    const bytes = Buffer.from('+$qC#b4\x03');
    const framer = new Framer(256);
    const seen: string[] = [];
    for (const byte of bytes) {
      const at = framer.space(); // may renew buf
      framer.buf[at] = byte;
      framer.filled(1);
      for (let token = framer.next(); token !== 'none'; token = framer.next())
        seen.push(
          token === 'packet' ? framer.buf.toString('latin1', framer.start, framer.end) : token,
        );
    }
    return seen.join(' ') === 'ack qC interrupt';
  },
  'writer: a reply and its checksum': () => {
    let sent = '';
    const writer = new PacketWriter((buf, offset, length) => {
      sent = buf.toString('latin1', offset, offset + length);
    });
    writer.begin().ascii('OK').end();
    return sent === '$OK#9a';
  },
  'addresses: an empty host is loopback': () => {
    const comm = parseComm(':1234');
    return comm.kind === 'tcp' && comm.host === '127.0.0.1' && comm.port === 1234;
  },
  'engine: start a program, end it': () => {
    const engine = openEngine(openChannel('embedded'), { label: 'selftest' });
    try {
      const inferior = engine.launch({ file: '/bin/true', args: ['/bin/true'] });
      const [leader] = inferior.threads.values();
      const held = leader?.state === 'held';
      engine.kill(inferior.pid);
      return held;
    } finally {
      engine.close();
    }
  },
};

/** Runs the built-in checks, prints a line for each failure and the sum; true if all passed. */
export function selftest(print: (line: string) => void): boolean {
  let failed = 0;
  for (const [name, run] of Object.entries(CHECKS)) {
    let why = '';
    try {
      if (run()) continue;
    } catch (error) {
      why = `: ${(error as Error).message}`;
    }
    failed++;
    print(`FAIL ${name}${why}`);
  }
  print(`Ran ${Object.keys(CHECKS).length} unit tests, ${failed} failed`);
  return failed === 0;
}
