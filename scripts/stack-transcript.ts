// What several tools on one process see, in the words of real runs, and the tables of what stands
// beside what: docs/stacking.md keeps them between its markers. Run after a build:
// node build/scripts/stack-transcript.js        two gdbs and an observer, on this machine
// node build/scripts/stack-transcript.js vm     two gdbs and two straces, with the module in a guest
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { GdbConsole } from '../src/cli/demo/gdb-console';
import { matrixTables } from '../test/stack/matrix';
import { program } from '../test/stack/support/programs';

const ROOT = path.resolve(__dirname, '../..');
const NTRACE = path.join(ROOT, 'bin/ntrace');
const PAGE = path.join(ROOT, 'docs/stacking.md');
const NOISE = /^(Reading |warning: |Attaching to|Using host|\[New Thread|\[Switching|\s*$)/;

class Transcript {
  readonly lines: string[] = [];

  say(who: string, command: string, answer: string): void {
    this.lines.push(`${who}${command}`);
    for (const line of answer.split('\n'))
      if (!NOISE.test(line)) this.lines.push(`    ${line.replace(`${ROOT}/`, '')}`);
  }
  async gdb(name: string, gdb: GdbConsole, command: string): Promise<void> {
    this.say(`${name} (gdb) `, command, await gdb.send(command));
  }
}

async function play(directory: string): Promise<string[]> {
  const told = new Transcript();
  const env = { ...process.env, XDG_RUNTIME_DIR: directory };
  const kitchen = spawn(program('kitchen'), { stdio: 'ignore' });
  const socket = path.join(directory, 's');
  const server = spawn(NTRACE, ['serve', '-l', ':0', '-u', socket], { env });
  const consoles: GdbConsole[] = [];
  try {
    let text = '';
    for await (const data of server.stderr) {
      text += String(data);
      if (/unix socket/.test(text)) break;
    }
    const port = /port (\d+)/.exec(text)?.[1] ?? '';
    const connect = async (name: string, where: string): Promise<GdbConsole> => {
      const gdb = await GdbConsole.start(program('kitchen'));
      consoles.push(gdb);
      await told.gdb(name, gdb, `target extended-remote ${where}`);
      await told.gdb(name, gdb, `attach ${kitchen.pid}`);
      return gdb;
    };
    const a = await connect('A', `:${port}`);
    const b = await connect('B', socket);
    await told.gdb('A', a, 'break chop');
    await told.gdb('B', b, 'break stir if turns == 3');
    b.begin('continue');
    await b.until(/wait for engine 1/);
    await told.gdb('A', a, 'continue');
    const o = await connect('O', `:${port}`);
    await told.gdb('O', o, 'monitor observe on');
    await told.gdb('O', o, 'info threads');
    await told.gdb('O', o, 'thread apply 2 backtrace 2');
    await told.gdb('O', o, 'set variable ticks = 0');
    const ps = spawnSync(NTRACE, ['ps'], { encoding: 'utf8', env });
    told.say('$ ', 'ntrace ps', ps.stdout);
    await told.gdb('A', a, 'detach');
    told.say('B (gdb) ', 'continue', await b.prompt());
    await told.gdb('B', b, 'print turns');
    await told.gdb('B', b, 'detach');
    kitchen.kill('SIGUSR1');
    await told.gdb('O', o, 'continue');
  } finally {
    for (const gdb of consoles) await gdb.vanish();
    server.kill();
    if (kitchen.exitCode === null && kitchen.signalCode === null) kitchen.kill('SIGKILL');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  }
  return told.lines.map((line) => line.split(directory).join('/run/user/1000'));
}

function replace(page: string, marker: string, content: string): string {
  const [begin, end] = [`<!-- ${marker} -->\n`, `<!-- /${marker} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/stacking.md has no ${begin}`);
  return page.slice(0, from + begin.length) + content + page.slice(to);
}

/** The story of demo:vm, as it went. */
function playInGuest(): string[] {
  const { status, stdout, stderr } = spawnSync(path.join(ROOT, 'scripts/vm/demo'), {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  if (status !== 0) throw new Error(`the story did not go well:\n${stdout}${stderr}`);
  const told = stdout.replaceAll('\r', '').replace(/\/tmp\/ntrace-demo-\w+\//g, './');
  return told.split(`${ROOT}/`).join('').trimEnd().split('\n');
}

async function playHere(): Promise<string[]> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-transcript-'));
  try {
    return await play(directory);
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

async function main(where: string): Promise<void> {
  const lines = where === 'vm' ? playInGuest() : await playHere();
  const marker = where === 'vm' ? 'transcript-vm' : 'transcript';
  let page = fs.readFileSync(PAGE, 'utf8');
  page = replace(page, marker, `\n\`\`\`console\n${lines.join('\n')}\n\`\`\`\n\n`);
  page = replace(page, 'matrix', `\n${matrixTables()}\n`);
  fs.writeFileSync(PAGE, page);
  spawnSync('npx', ['prettier', '--write', '--log-level', 'silent', PAGE], { cwd: ROOT });
  console.log('wrote docs/stacking.md');
}

void main(process.argv[2] ?? 'here').catch((error: unknown) => {
  console.error(String(error));
  process.exitCode = 1;
});
