import { openEmbedded } from '../../src/engine/channel/embedded';
import { openEngine, type Engine } from '../../src/engine/engine';
import { program } from '../support/programs';
import { RealSubject } from '../support/subject';
import { Client, hex } from './client';

let engine: Engine;
let subject: RealSubject;
let client: Client;
let main: string;

beforeEach(() => {
  subject = RealSubject.start('creator', []);
  engine = openEngine(openEmbedded(), { label: 'test' });
  client = new Client(engine);
  client.ask('qSupported:multiprocess+;no-resumed+;QThreadOptions+');
  expect(client.ask(`vAttach;${subject.pid.toString(16)}`)).toMatch(/^T05/);
  main = `p${subject.pid.toString(16)}.${subject.pid.toString(16)}`;
});
afterEach(() => {
  engine.close();
  subject.end();
});

/** Resumes; the stop reply. */
function stop(action: string): string {
  const replies = [...client.all(action), ...client.settle()];
  expect(replies).toHaveLength(1);
  return replies[0]!.toString('latin1');
}
/** The new thread of a clone. */
function cloned(reply: string): string {
  const [, child = ''] = /^T05clone:(p[0-9a-f.]+);/.exec(reply) ?? [];
  expect(reply).toContain(`thread:${main};`);
  expect(child).toMatch(new RegExp(`^p${subject.pid.toString(16)}\\.`));
  return child;
}
/** Of the thread that stopped, in target byte order. */
const pc = (reply: string): string | undefined => /;10:([0-9a-f]{16});/.exec(reply)?.[1];
const listed = (): string[] => client.ask('qfThreadInfo').slice(1).split(',');

test('a thread’s clones are told as its stops, with the new thread held', () => {
  expect(client.ask(`QThreadOptions;0;1:${main}`)).toBe('OK');
  for (let i = 0; i < 5; i++) {
    const child = cloned(stop('vCont;c'));
    expect(listed()).toContain(child);
    const counted = subject.read('counter');
    // the maker alone: the new thread stays where it is, and is awaited for ever
    expect(client.all(`vCont;c:${main}`)).toEqual([]);
    subject.pause();
    expect(subject.read('counter')).toBe(counted);
    client.raw(Buffer.from([3]));
    expect(client.ask(`T${child}`)).toBe('OK');
  }
});

test('its registers are the maker’s', () => {
  client.ask(`QThreadOptions;1:${main}`);
  const reply = stop('vCont;c');
  const child = cloned(reply);
  client.ask(`Hg${main}`);
  const maker = client.ask('g');
  expect(pc(reply)).toBe(maker.slice(16 * 16, 17 * 16));
  client.ask(`Hg${child}`);
  expect(client.ask('g')).not.toBe(maker);
});

test('the end of the step that makes a thread is told once: as the clone', () => {
  client.ask(`QThreadOptions;3:${main}`);
  let clones = 0;
  for (let i = 0; i < 20_000 && clones < 3; i++) {
    const reply = stop(`vCont;s:${main};c`);
    if (!reply.startsWith('T05clone:')) continue;
    cloned(reply);
    clones++;
    // the step after it is another one
    expect(pc(stop(`vCont;s:${main};c`))).not.toBe(pc(reply));
  }
  expect(clones).toBe(3);
});

test('the end of a thread is told where it is asked for, of others not', () => {
  client.ask(`QThreadOptions;1:${main}`);
  const child = cloned(stop('vCont;c'));
  expect(client.ask(`QThreadOptions;0:${main};2:${child}`)).toBe('OK');
  expect(stop('vCont;c')).toBe(`w00;${child}`);
  expect(listed()).not.toContain(child);
  client.ask(`QThreadOptions;1:${main}`);
  const other = cloned(stop('vCont;c'));
  // a new thread has no options, and the last of several for one thread counts
  expect(client.ask(`QThreadOptions;2;1:${main}`)).toBe('OK');
  expect(client.ask(`QThreadOptions;0:${other};1:${main}`)).toBe('OK');
  cloned(stop('vCont;c'));
});

/** Starts the program with an engine of its own; its first thread's id and its process's. */
function run(...words: string[]): { pid: string; leader: string } {
  const hexed = [program('leaver'), ...words].map((word) => hex(word));
  const reply = client.ask(`vRun;${hexed.join(';')}`);
  const [, pid = ''] = /thread:p([0-9a-f]+)\./.exec(reply) ?? [];
  return { pid, leader: `p${pid}.${pid}` };
}

test('the end of a process is told as that, not as its first thread’s', () => {
  client.ask(`D;${subject.pid.toString(16)}`);
  for (let i = 0; i < 20; i++) {
    const { pid, leader } = run();
    client.ask(`QThreadOptions;2:${leader}`);
    expect(stop('vCont;c')).toBe(`W03;process:${pid}`);
  }
});

test('the first thread’s end is told where it ends alone', () => {
  client.ask(`D;${subject.pid.toString(16)}`);
  const { pid, leader } = run('alone');
  client.ask(`QThreadOptions;2:${leader}`);
  expect(stop('vCont;c')).toBe(`w00;${leader}`);
  expect(stop('vCont;c')).toBe(`W07;process:${pid}`);
});

test('in non-stop mode the end of the last thread that ran is told, if it asks', () => {
  client.ask(`QThreadOptions;1:${main}`);
  const child = cloned(stop('vCont;c'));
  client.ask('QNonStop:1');
  client.ask(`QThreadOptions;0:${main};2:${child}`);
  expect(client.ask(`vCont;c:${child}`)).toBe('OK');
  expect(client.notified()).toBe(`Stop:w00;${child}`);
  expect([client.ask('vStopped'), client.ask('vStopped')]).toEqual(['N', 'OK']);
});

test('what is malformed is refused', () => {
  for (const bad of ['', ';', ';4', ';1:', ';1:zz', ';1;', '1', ';1:p1.1x'])
    expect(client.ask(`QThreadOptions${bad}`)).toMatch(/^E/);
});
