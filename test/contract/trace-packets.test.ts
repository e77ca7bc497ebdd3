// The packets of trace experiments, byte by byte, on a provider that has tracepoints.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Engine } from '../../src/engine/engine';
import { Random } from '../fuzz/random';
import { Client, hex } from '../rsp/client';
import type { Scene } from '../support/scene';
import type { Subject } from '../support/subject';
import { contract } from './contract';

const ROUNDS = 3000;
const hex64 = (n: bigint): string => n.toString(16);

interface Stage {
  engine: Engine;
  client: Client;
  subject: Subject;
  site: string;
  counter: string;
  failures: string[];
}

/** A client of a stopped program that calls function() for ever. */
function stage(scene: Scene): Stage {
  const engine = scene.engine('contract');
  const subject = scene.start('calls');
  engine.attach(subject.pid, { stop: true });
  const failures: string[] = [];
  const client = new Client(engine, {
    log: (level, text) => {
      if (level === 'error') failures.push(text);
    },
  });
  const site = hex64(subject.address('function'));
  const counter = hex64(subject.address('counter'));
  return { engine, client, subject, site, counter, failures };
}

/** Runs until so many frames are there, and stops everything. */
function collect(scene: Scene, { engine, client }: Stage, frames: number): void {
  expect(client.ask('QTStart')).toBe('OK');
  engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);
  scene.until('there are frames', () => engine.tracing.status().created >= frames);
  engine.stop([{ pid: -1, tid: -1 }], { wait: true });
  expect(client.ask('QTStop')).toBe('OK');
}

contract('trace packets', (row) => {
  row('a whole experiment', (scene) => {
    const all = stage(scene);
    const { client, subject, site, counter } = all;
    const ok = (...packets: string[]): void => {
      for (const packet of packets) expect([packet, client.ask(packet)]).toEqual([packet, 'OK']);
    };
    expect(client.ask('qTStatus')).toMatch(/^T0;tnotrun:0;tframes:0;tcreated:0;/);
    ok('QTinit', `QTDV:2:5:0:${hex('mark')}`);
    // $2 = $2 + 1; tracev $2
    const code = '2c0002' + '2201' + '02' + '2d0002' + '29' + '2e0002' + '27';
    ok(`QTDP:7:${site}:E:0:0-`, `QTDP:-7:${site}:M-1,${counter},8Xe,${code}`);
    ok(`QTDPsrc:7:${site}:at:0:8:${hex('function')}`);
    ok('QTDisconnected:0', 'QTBuffer:circular:0', 'QTBuffer:size:200000');
    ok(`QTNotes:user:${hex('me')};notes:${hex('why')};`);
    expect(client.ask(`QTDP:-8:${site}:R0`)).toMatch(/^E/);
    collect(scene, all, 3);
    ok(`QTNotes:tstop:${hex('enough')};`);

    const status = client.ask('qTStatus');
    const frames = parseInt(/;tframes:([0-9a-f]+);/.exec(status)![1]!, 16);
    expect(status).toMatch(
      new RegExp(
        `^T0;tstop:${hex('enough')}:0;tframes:[0-9a-f]+;tcreated:[0-9a-f]+;tfree:[0-9a-f]+;` +
          'tsize:200000;circular:0;disconn:0;starttime:[0-9a-f]+;stoptime:[0-9a-f]+;' +
          `username:${hex('me')};notes:${hex('why')}:$`,
      ),
    );
    expect(client.ask(`qTP:7:${site}`)).toMatch(new RegExp(`^V${frames.toString(16)}:[0-9a-f]+$`));
    expect(client.ask('qTfP')).toBe(`T7:${site}:E:0:0`);
    expect(client.ask('qTsP')).toBe(`A7:${site}:M-1,${counter},8`);
    expect(client.ask('qTsP')).toBe(`A7:${site}:Xe,${code}`);
    expect(client.ask('qTsP')).toBe(`Z7:${site}:at:0:8:${hex('function')}`);
    expect(client.ask('qTsP')).toBe('l');
    expect(client.ask('qTfV')).toBe(`2:5:0:${hex('mark')}`);
    expect(client.ask('qTsV')).toBe(`1:0:1:${hex('trace_timestamp')}`);
    expect(client.ask('qTsV')).toBe('l');

    // the live process, then a frame
    expect(client.ask('g')).not.toContain('x');
    expect(client.ask('qXfer:traceframe-info:read::0,1000')).toBe('E00');
    expect(client.ask('QTFrame:1')).toBe('F1T7');
    const { arch } = client.engine.inferiors.get(subject.pid)!;
    const pc = Buffer.alloc(8);
    pc.writeBigUInt64LE(subject.address('function'));
    const g = client.ask('g');
    expect(g.replace(/x/g, '')).toBe(pc.toString('hex'));
    expect(client.ask('p0')).toBe('x'.repeat(16));
    expect(client.ask(`p${arch.pc.num.toString(16)}`)).toBe(pc.toString('hex'));
    expect(client.ask(`m${counter},4`)).toMatch(/^[0-9a-f]{8}$/);
    expect(client.ask(`m${counter},10`)).toHaveLength(16);
    expect(client.ask(`m${site},4`)).toMatch(/^E/);
    expect(client.ask(`M${counter},1:00`)).toMatch(/^E/);
    expect(client.ask(`P0=0000000000000000`)).toMatch(/^E/);
    expect(client.ask('qTV:2')).toBe('V7');
    expect(client.ask('qTV:1')).toBe('U');
    expect(client.ask('qXfer:traceframe-info:read::0,1000')).toBe(
      `l<traceframe-info>\n<memory start="0x${counter}" length="0x8"/>\n<tvar id="2"/>\n` +
        '</traceframe-info>\n',
    );
    const range = `${site},${hex64(subject.address('function') + 16n)}`;
    ok(`QTro:0,1000:${range}`);
    expect(client.ask(`m${site},4`)).toMatch(/^[0-9a-f]{8}$/);

    // searching goes on after the selected frame, and does not lose it
    expect(client.ask('QTFrame:tdp:7')).toBe('F2T7');
    expect(client.ask('QTFrame:-1')).toBe('OK');
    expect(client.ask(`QTFrame:pc:${site}`)).toBe('F0T7');
    expect(client.ask(`QTFrame:range:${site}:${site}`)).toBe('F1T7');
    expect(client.ask(`QTFrame:outside:${site}:${site}`)).toBe('F-1');
    expect(client.ask('QTFrame:tdp:8')).toBe('F-1');
    expect(client.ask('QTFrame:ffff')).toBe('F-1');
    expect(client.ask('qTV:2')).toBe('V7');
    expect(client.ask('QTFrame:ffffffff')).toBe('OK');
    expect(client.ask('qTV:2')).toBe(`V${(5 + frames).toString(16)}`);

    // frames as in trace files: number, bytes, a block of memory, one of a variable
    let offset = 0;
    let stream = '';
    for (let piece; (piece = client.ask(`qTBuffer:${offset.toString(16)},1000`)) !== 'l';) {
      expect(piece).toMatch(/^([0-9a-f]{2})+$/);
      stream += piece;
      offset += piece.length / 2;
    }
    expect(offset).toBe(frames * (6 + 19 + 13));
    expect(stream.slice(0, 12)).toBe('070020000000');
    expect(client.ask(`qTBuffer:${(offset + 1).toString(16)},10`)).toMatch(/^E/);
    ok('QTinit');
    expect(client.ask('qTfP')).toBe('l');
    expect(client.ask('qTfV')).toBe(`1:0:1:${hex('trace_timestamp')}`);
    expect(all.failures).toEqual([]);
  });

  row('a file that cannot be written is an error, one that can is a trace file', (scene) => {
    const all = stage(scene);
    const { client, site, counter } = all;
    expect(client.ask(`QTSave:${hex('/nowhere/at/all')}`)).toMatch(/^E.*nowhere/);
    client.ask('QTinit');
    client.ask(`QTDP:1:${site}:E:0:2-`);
    client.ask(`QTDP:-1:${site}:R0M-1,${counter},8`);
    collect(scene, all, 2);
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-trace-'));
    const file = path.join(directory, 'saved.tf');
    expect(client.ask(`QTSave:${hex(file)}`)).toBe('OK');
    const text = fs.readFileSync(file, 'latin1');
    fs.rmSync(directory, { recursive: true });
    const head = text.slice(0, text.indexOf('\n\n'));
    expect(head).toMatch(/^\x7fTRACE0\nR [0-9a-f]+\nstatus 0;tpasscount:1;tframes:2;/);
    expect(head).toContain(`tp T1:${site}:E:0:2\ntp A1:${site}:R0\n`);
    expect(head).toContain('tdesc <target');
    expect(text.slice(-4)).toBe('\0\0\0\0');
    expect(all.failures).toEqual([]);
  });

  row('packets that say nothing sound are refused, and change nothing', (scene) => {
    const all = stage(scene);
    const { client, site } = all;
    for (const packet of [
      'QTDP:',
      'QTDP:1',
      'QTDP:1:',
      `QTDP:1:${site}`,
      `QTDP:1:${site}:Q:0:0`,
      `QTDP:1:${site}:E:0`,
      `QTDP:1:${site}:E:0:0:S`,
      `QTDP:1:${site}:E:0:0:X5,22`,
      `QTDP:1:${site}:E:0:0:X2,ff27`,
      `QTDP:1:${site}:E:0:0:X1,27`,
      `QTDP:1:${site}:E:100000000:0`,
      `QTDP:-1:${site}:R0`,
      `QTDPsrc:1:${site}:at:0:1:66`,
      `QTEnable:1:${site}`,
      `QTDisable:1:${site}`,
      `qTP:1:${site}`,
      'QTDV:0:1:0:61',
      'QTDV:400:1:0:61',
      'QTDV:2:1',
      'QTBuffer:size:0',
      'QTBuffer:size:fffffffffff',
      'QTNotes:nonsense:00;',
      'QTFrame:',
      'QTFrame:-2',
      'QTFrame:sideways:1',
      'QTro:12',
      'qTV:',
      'qTBuffer:1',
      'qTBuffer:1,10',
    ])
      expect([packet, client.ask(packet)]).toEqual([packet, expect.stringMatching(/^E/)]);
    expect(client.ask('qTfP')).toBe('l');
    // an action that is refused takes its tracepoint along
    expect(client.ask(`QTDP:1:${site}:E:0:0-`)).toBe('OK');
    expect(client.ask(`QTDP:-1:${site}:X2,ff27`)).toMatch(/^E/);
    expect(client.ask('qTfP')).toBe('l');
    expect(all.failures).toEqual([]);
  });

  row('damaged packets in any order', (scene) => {
    const all = stage(scene);
    const { client, engine, site, counter } = all;
    const good = [
      'QTinit',
      `QTDP:1:${site}:E:0:0-`,
      `QTDP:1:${site}:D:2:1:F5:X4,22012701-`,
      `QTDP:-1:${site}:R3fM-1,${counter},8-`,
      `QTDP:-1:${site}:SR3fX3,220127`,
      `QTDPsrc:1:${site}:cmd:0:1:66`,
      `QTEnable:1:${site}`,
      `QTDisable:1:${site}`,
      'QTDV:2:5:0:6d',
      `QTro:0,1000:${site},${counter}`,
      'QTStart',
      'QTStop',
      'QTDisconnected:1',
      'QTBuffer:circular:1',
      'QTBuffer:size:400',
      'QTNotes:user:61;notes:62;tstop:63;',
      'qTStatus',
      `qTP:1:${site}`,
      'qTfP',
      'qTsP',
      'qTfV',
      'qTsV',
      'qTV:2',
      'qTBuffer:0,100',
      'QTFrame:0',
      'QTFrame:-1',
      `QTFrame:pc:${site}`,
      'QTFrame:tdp:1',
      `QTFrame:range:0:${counter}`,
      'qXfer:traceframe-info:read::0,100',
      'g',
      'p10',
      `m${counter},8`,
      'qTMinFTPILen',
    ];
    const random = new Random(20261122);
    for (let i = 0; i < ROUNDS; i++) {
      let packet = random.pick(good);
      if (random.oneIn(2)) {
        // the first letter stays: it could resume the program
        const at = 1 + random.below(packet.length);
        const bytes = ['', ':', ',', '-', 'ffffffffffffffffff', '\0', 'X', 'S', '0'];
        packet = packet.slice(0, at) + random.pick(bytes) + packet.slice(at + random.below(3));
      }
      client.all(packet);
      if (!random.oneIn(20)) continue;
      engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);
      engine.wait(1);
      engine.stop([{ pid: -1, tid: -1 }], { wait: true });
    }
    expect(all.failures).toEqual([]);
    client.ask('QTinit');
    expect(client.ask('qTStatus')).toMatch(/^T0;.*;tframes:0;/);
  });
});
