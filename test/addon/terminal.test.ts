import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { native } from '../../src/native';
import { PATIENCE } from '../support/patience';
import { Loop } from './support/loop';
import { program } from './support/program';

let dir: string;
beforeEach(() => (dir = mkdtempSync(path.join(os.tmpdir(), 'ntrace-'))));
afterEach(() => rmSync(dir, { recursive: true }));

// A pseudo-terminal whose other side obeys lines: "write HEX", "read N", "modes", "close".
const PTY = `
import os, pty, sys, termios
master, slave = pty.openpty()
print(os.ttyname(slave), flush=True)
for line in sys.stdin:
    verb, _, rest = line.strip().partition(' ')
    if verb == 'write': os.write(master, bytes.fromhex(rest)); print('ok', flush=True)
    elif verb == 'read': print(os.read(master, int(rest)).hex(), flush=True)
    elif verb == 'modes':
        modes = termios.tcgetattr(slave); print(modes[:6], flush=True)
    elif verb == 'close': os.close(slave); os.close(master); print('ok', flush=True)
`;

class Pty {
  private readonly child = spawn('python3', ['-c', PTY]);
  private readonly lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();

  async line(): Promise<string> {
    return (await this.lines.next()).value as string;
  }
  ask(command: string): Promise<string> {
    this.child.stdin.write(`${command}\n`);
    return this.line();
  }
  async end(): Promise<void> {
    this.child.stdin.end();
    await once(this.child, 'close');
  }
}

describe('a terminal', () => {
  let pty: Pty;
  let name: string;
  let loop: Loop;
  beforeEach(async () => {
    pty = new Pty();
    name = await pty.line();
    loop = new Loop();
  });
  afterEach(async () => {
    loop.reactor.stop();
    await pty.end();
  });

  test('passes every byte as it is, both ways', async () => {
    const id = loop.reactor.openTty(name, 0);
    expect(loop.send(id, '\x03\n\r\x7f\xff$a#61')).toBe(0);
    expect(await pty.ask('read 100')).toBe('030a0d7fff2461233631');
    const readable = loop.next(id);
    await pty.ask('write 030d0a1a1c11131600ff');
    await readable;
    const buf = new Uint8Array(64);
    const got = loop.reactor.read(id, buf, 0, 64);
    expect(Buffer.from(buf.subarray(0, got)).toString('hex')).toBe('030d0a1a1c11131600ff');
    expect(loop.reactor.read(id, buf, 0, 64)).toBe(-1);
    loop.reactor.close(id);
  });

  test('gets its speed, and its modes back', async () => {
    const before = await pty.ask('modes');
    const id = loop.reactor.openTty(name, 57600);
    const raw = await pty.ask('modes');
    expect(raw).not.toBe(before);
    expect(raw).toMatch(/, 4097, 4097\]$/); // B57600
    loop.reactor.close(id);
    expect(await pty.ask('modes')).toBe(before);
  });

  test('gets its modes back when the process just exits', async () => {
    const before = await pty.ask('modes');
    execFileSync(process.execPath, [
      '-e',
      `const { native } = require(${JSON.stringify(require.resolve('../../src/native'))});
       new native.Reactor().openTty(${JSON.stringify(name)}, 57600);
       process.exit(0);`,
    ]);
    expect(await pty.ask('modes')).toBe(before);
  });

  test('that is hung up ends', async () => {
    const id = loop.reactor.openTty(name, 0);
    const ended = loop.all(id);
    await pty.ask('close');
    expect(await ended).toBe('');
    loop.reactor.close(id);
  });

  test('refuses odd speeds and other files', () => {
    expect(() => loop.reactor.openTty(name, 12345)).toThrow(/EINVAL.*12345 baud/);
    expect(() => loop.reactor.openTty('/dev/null', 0)).toThrow(/ENOTTY/);
    expect(() => loop.reactor.openTty('/dev/nonesuch', 0)).toThrow(/ENOENT/);
  });
});

test('a program that is started has the terminal, the next one after it too', () => {
  const file = path.join(dir, 'starts.js');
  writeFileSync(
    file,
    `const { native } = require(${JSON.stringify(require.resolve('../../src/native'))});
     const script = 'set -- $(cat /proc/$$/stat); echo "group $5 foreground $8"';
     const run = () => {
       const args = ['/bin/sh', '-c', script];
       const child = native.spawn({ file: '/bin/sh', args, newGroup: true });
       child.go();
       while (child.reap() === undefined);
     };
     run();
     run();`,
  );
  // script(1) makes a terminal of its own for the command
  const said = execFileSync('script', ['-qec', `${process.execPath} ${file}`, '/dev/null'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 20_000,
  });
  const groups = [...said.matchAll(/group (\d+) foreground (\d+)/g)];
  expect(groups.map(([, group, foreground]) => group === foreground)).toEqual([true, true]);
});

describe('standard input and output', () => {
  const echo = `${JSON.stringify(process.execPath)} ${JSON.stringify(program('echo'))} stdio`;
  const shell = (script: string): Buffer =>
    execFileSync('/bin/sh', ['-c', script], { maxBuffer: 1 << 30, timeout: 20_000 * PATIENCE });

  test('pipes: 8 MiB through, to a slow reader', () => {
    const size = 8 << 20;
    const all = shell(`head -c ${size} /dev/urandom | tee ${dir}/in | ${echo} | (sleep 0.2; cat)`);
    expect(all.length).toBe(size);
    expect(Buffer.compare(all, readFileSync(path.join(dir, 'in')))).toBe(0);
  });

  test('sockets, as Node and gdb make them', async () => {
    const child = spawn(process.execPath, [program('echo'), 'stdio']);
    child.stdin.end('through a socket pair');
    let out = '';
    child.stdout.on('data', (data) => (out += data));
    expect((await once(child, 'close'))[0]).toBe(0);
    expect(out).toBe('through a socket pair');
  });

  test('files, and nothing at all', () => {
    writeFileSync(path.join(dir, 'in'), 'x'.repeat(200_000));
    shell(`${echo} <${dir}/in >${dir}/out`);
    expect(readFileSync(path.join(dir, 'out')).length).toBe(200_000);
    expect(shell(`${echo} </dev/null`).length).toBe(0);
  });

  test('an output nobody reads is no reason to die', () => {
    // the reader leaves after the first line; the echo must end by its own input's end
    const status = shell(`(yes | head -c 1000000 | ${echo}; echo $? >${dir}/status) | head -1`);
    expect(status.toString()).toBe('y\n');
    expect(readFileSync(path.join(dir, 'status'), 'latin1')).toBe('0\n');
  });

  test('a shared pipe keeps its blocking mode', () => {
    const fifo = path.join(dir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const hold = openSync(fifo, 'r+');
    const script = `
      const { native } = require(${JSON.stringify(require.resolve('../../src/native'))});
      const r = new native.Reactor();
      r.openStdio();
      const flags = require('fs').readFileSync('/proc/self/fdinfo/0', 'latin1');
      console.error(/flags:\\s+(\\d+)/.exec(flags)[1]);`;
    writeFileSync(path.join(dir, 'script.js'), script);
    const node = JSON.stringify(process.execPath);
    const flags = shell(`${node} ${dir}/script.js 2>&1 >/dev/null <${fifo}`).toString();
    closeSync(hold);
    expect(parseInt(flags, 8) & 0o4000).toBe(0);
  });
});

test('a reactor may be made and forgotten', () => {
  for (let i = 0; i < 10; i++) expect(new native.Reactor().turn(0)).toBe(0);
});
