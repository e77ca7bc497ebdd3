import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Server } from '../../rsp/server';
import { PACKAGE_ROOT } from '../package-root';
import { paint } from '../paint';
import { GdbConsole } from './gdb-console';
import { ObservedGdb } from './observed-gdb';
import { Observer } from './observer';
import { Stage, verdict } from './stage';

const MOST_CHANGES = 10;

/** Plays the whole demo; false if any step did not show what it should. */
export async function demo(): Promise<boolean> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-demo-'));
  const started = Date.now();
  try {
    const program = build(dir);
    const failures = await play(program, path.join(dir, 'ledger'));
    return verdict(failures, started);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function build(dir: string): string {
  const source = path.join(PACKAGE_ROOT, 'demo/bakery.c');
  const program = path.join(dir, 'bakery');
  console.log(paint('The bakery', 'bold', 'yellow'));
  console.log(
    'Two bakers, anna and bruno, fill a jar with cookies and write each one into a ledger.\n' +
      'When they close, cookies are missing. gdb will find the thief, while a second engine on\n' +
      'the same program prints the system calls it makes.\n',
  );
  console.log(paint('$ gcc -g -pthread demo/bakery.c -o bakery', 'dim'));
  execFileSync('gcc', ['-g', '-O0', '-pthread', '-o', program, source]);
  const { status } = execute(program);
  console.log(paint('$ ./bakery; echo $?', 'dim'));
  console.log(`${status}   ${paint('(cookies are missing)', 'dim')}`);
  return program;
}

function execute(program: string): { status: number } {
  try {
    execFileSync(program);
    return { status: 0 };
  } catch (error) {
    return { status: (error as { status: number }).status };
  }
}

async function play(program: string, ledger: string): Promise<string[]> {
  const said: string[] = [];
  const server = new Server({
    engine: 'embedded',
    program: {
      program: [],
      wrapper: [],
      noRandomize: true,
      startupWithShell: true,
      cwd: undefined,
      environment: new Map(),
    },
    once: false,
    multi: true,
    perClient: false,
    disabledPackets: new Set(),
    say: (line) => said.push(line),
  });
  const port = server.listenTcp('127.0.0.1', 0);
  server.launch([program, ledger]);
  const [pid] = server.engine.inferiors.keys();
  if (pid === undefined) throw new Error('the server did not start the program');
  const observer = new Observer(pid);
  server.run();
  const gdb = await GdbConsole.start(
    program,
    '-ex',
    'set sysroot /',
    '-ex',
    'set print thread-events off',
  );
  const stage = new Stage();
  const observed = new ObservedGdb(stage, gdb, observer);
  try {
    await connect(stage, observed, port, said);
    await lookAround(stage, observed);
    await findTheThief(stage, observed);
    await putThemBack(stage, observed, ledger, observer);
    return stage.failures;
  } finally {
    await gdb.quit();
    observer.close();
    server.shutdown();
  }
}

async function connect(
  stage: Stage,
  gdb: ObservedGdb,
  port: number,
  said: string[],
): Promise<void> {
  await stage.chapter(
    'gdb connects',
    `The server is this process; it said: ${said.map((line) => `"${line}"`).join(', ')}.`,
  );
  await gdb.does(`target extended-remote :${port}`, /_start/);
  await gdb.does('break bake', /Breakpoint 1/);
  await gdb.does('continue', /Breakpoint 1, bake \(baker=.*"anna"\)/);
}

async function lookAround(stage: Stage, gdb: ObservedGdb): Promise<void> {
  await stage.chapter('Who is there?', 'The first cookie is about to be baked; everybody is held.');
  await gdb.does('backtrace', /#0 +bake[^]*#1 .*work/);
  const threads = await gdb.does('info threads', /"anna"[^]*"mouse"/);
  const [, mouse = '0'] = /^[* ] +(\d+) .*"mouse"/m.exec(threads) ?? [];
  console.log('A thread that calls itself mouse? A look at its stack:');
  await gdb.does(`thread ${mouse}`, /Switching to thread/);
  await gdb.does('backtrace', /wait_for_shift \(me=MOUSE\)[^]*work/);
}

async function findTheThief(stage: Stage, gdb: ObservedGdb): Promise<void> {
  await stage.chapter(
    'A watchpoint on the jar',
    'The processor itself stops whichever thread changes the jar.',
  );
  await gdb.does('delete', undefined);
  await gdb.does('watch jar', /Hardware watchpoint/);
  for (let change = 0; change < MOST_CHANGES; change++) {
    const answer = await gdb.does('continue', /New value = /);
    const [, before = '0', after = '0'] =
      /Old value = (-?\d+)\s+New value = (-?\d+)/.exec(answer) ?? [];
    if (Number(after) < Number(before)) break;
  }
  console.log('Fewer cookies than before! Caught in the act:');
  await gdb.does('backtrace', /#0 +nibble[^]*#1 .*work/);
  await gdb.does('thread', /"mouse"|Current thread/);
}

async function putThemBack(
  stage: Stage,
  gdb: ObservedGdb,
  ledger: string,
  observer: Observer,
): Promise<void> {
  await stage.chapter('Justice', 'The mouse gives back what it took, and the bakery goes on.');
  const engines = observer.attached();
  await gdb.does('print baked - jar', /= 3/);
  await gdb.does('set variable jar = baked');
  await gdb.does('delete');
  await gdb.does('continue', /exited normally/);
  const lines = fs.readFileSync(ledger, 'utf8').trimEnd().split('\n');

  await stage.chapter(
    'What there was to see',
    'gdb held, stepped and changed; the observer only watched.',
  );
  stage.check(
    `two engines were on the program at once: ${engines.join(', ')}`,
    engines.length === 2,
  );
  stage.check(
    `the observer saw every line of the ledger written: ${observer.counts.get('write') ?? 0}`,
    lines.length > 0 && observer.counts.get('write') === lines.length,
  );
  const total = [...observer.counts.values()].reduce((sum, count) => sum + count, 0);
  const most = [...observer.counts].sort(([, a], [, b]) => b - a).slice(0, 5);
  stage.check(
    `it noted ${total} system calls: ${most.map(([name, n]) => `${name} ${n}`).join(', ')} ...`,
    total > lines.length,
  );
}
