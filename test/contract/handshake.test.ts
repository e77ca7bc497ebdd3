import { Call } from '../../src/engine/channel/calls';
import { decodeHello } from '../../src/engine/channel/codec';
import {
  ABI_VERSION,
  ATTACH,
  EVENT,
  HELLO,
  LAYOUTS,
  SIGNAL,
  THREAD,
} from '../../src/engine/channel/records';
import { E } from '../support/errno';
import { record } from '../support/raw';
import { contract } from './contract';

contract('handshake', (row) => {
  row('every call answers ENOTCONN before it', (scene) => {
    const channel = scene.channel();
    expect(channel.call(Call.Attach, record(ATTACH, { pid: 1 }))).toBe(-E.ENOTCONN);
    expect(channel.call(Call.Signal, record(SIGNAL, { pid: 1 }))).toBe(-E.ENOTCONN);
    expect(channel.readEvents(Buffer.alloc(EVENT.size))).toBe(-E.ENOTCONN);
  });

  row('tells version, sizes, limits and who it is', (scene) => {
    const buf = record(HELLO, { abi_version: ABI_VERSION });
    expect(scene.channel().call(Call.Hello, buf)).toBe(0);
    const hello = decodeHello(buf);
    expect(hello.abiVersion).toBe(ABI_VERSION);
    expect(hello.provider).toBe(scene.provider);
    expect(hello.eventSize).toBeGreaterThanOrEqual(EVENT.size);
    expect(hello.eventSize % 8).toBe(0);
    expect(hello.threadSize).toBeGreaterThanOrEqual(THREAD.size);
    expect(hello.pageSize).toBe(4096);
    expect(hello.machine).toBe(62); // EM_X86_64
    expect(hello.maxBatch).toBeGreaterThanOrEqual(1024);
    expect(hello.eventCapacity).toBeGreaterThan(0);
  });

  row('keeps as many events as it is asked for, within reason', (scene) => {
    const ask = (events: number): number => {
      const buf = record(HELLO, { abi_version: ABI_VERSION, event_capacity: events });
      expect(scene.channel().call(Call.Hello, buf)).toBe(0);
      return decodeHello(buf).eventCapacity;
    };
    const usual = ask(0);
    expect(ask(1)).toBe(usual);
    expect(ask(100_000)).toBeGreaterThanOrEqual(100_000);
    expect(ask(0xffff_ffff)).toBe(2 ** 18);
  });

  row('a newer caller is answered with the version in force', (scene) => {
    const buf = record(HELLO, { abi_version: 99 });
    expect(scene.channel().call(Call.Hello, buf)).toBe(0);
    expect(decodeHello(buf).abiVersion).toBe(ABI_VERSION);
  });

  row('refuses version 0, unknown flags and a second greeting', (scene) => {
    const channel = scene.channel();
    expect(channel.call(Call.Hello, record(HELLO, { abi_version: 0 }))).toBe(-E.EINVAL);
    const flags = record(HELLO, { abi_version: 1, flags: 0x80 });
    expect(channel.call(Call.Hello, flags)).toBe(-E.EINVAL);
    expect(channel.call(Call.Hello, record(HELLO, { abi_version: 1 }))).toBe(0);
    expect(channel.call(Call.Hello, record(HELLO, { abi_version: 1 }))).toBe(-E.EALREADY);
  });

  row('engines have ids of their own', (scene) => {
    const ids = [1, 2, 3].map((n) => scene.engine(`engine ${n}`).engineId);
    expect(new Set(ids).size).toBe(3);
  });

  row('the features a debugger cannot do without are there', (scene) => {
    const engine = scene.engine();
    for (const feature of ['attach', 'step', 'regsets', 'memory', 'break', 'signals', 'exec']) {
      expect([feature, engine.has(feature)]).toEqual([feature, true]);
    }
  });

  row('an unknown request is ENOTTY', (scene) => {
    const channel = scene.engine().channel;
    const size = LAYOUTS[0]?.size ?? 0;
    const iowr = (magic: number, nr: number): number =>
      ((3 << 30) | (size << 16) | (magic << 8) | nr) >>> 0;
    expect(channel.call(iowr(0xe7, 200), Buffer.alloc(size))).toBe(-E.ENOTTY);
    expect(channel.call(iowr(0x54, 1), Buffer.alloc(size))).toBe(-E.ENOTTY);
  });

  row('a record may be longer than the provider’s as long as the rest is zero', (scene) => {
    const engine = scene.engine();
    const longer = SIGNAL.size + 8;
    const request = ((Call.Signal & ~(0x3fff << 16)) | (longer << 16)) >>> 0;
    const gone = record(SIGNAL, { pid: 0x7fff_fff0, signo: 10 }, 8);
    expect(engine.channel.call(request, gone)).toBe(-E.ESRCH);
    gone[SIGNAL.size + 3] = 1;
    expect(engine.channel.call(request, gone)).toBe(-E.E2BIG);
  });

  row('a closed engine answers EBADF, and closing again does nothing', (scene) => {
    const { channel } = scene.engine();
    channel.close();
    channel.close();
    expect(channel.call(Call.Signal, record(SIGNAL, { pid: 1 }))).toBe(-E.EBADF);
    expect(channel.readEvents(Buffer.alloc(EVENT.size))).toBe(-E.EBADF);
  });
});
