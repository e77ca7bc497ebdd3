import fs from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../package-root';
import type { Color } from '../../paint';
import { GdbConsole } from '../gdb-console';
import type { Stage } from '../stage';
import type { Kitchen } from './kitchen';
import { Tracer } from './tracer';

const ENGINES = '/proc/ntrace/engines';
const LINES_SHOWN = 3;
const COLORS: Readonly<Record<string, Color>> = { A: 'cyan', B: 'blue' };
const BELL = /--- SIGUSR1 \{/;
const SYSCALLS = ['-f', '-e', 'trace=write', '-p'];

/** The chapters of the story, and everybody who is in it. */
export class Story {
  private readonly gdbs: GdbConsole[] = [];
  private readonly tracers: Tracer[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly kitchen: Kitchen,
    private readonly port: number,
  ) {}

  async play(): Promise<void> {
    const { strace, ours } = await this.twoStraces();
    const a = await this.firstGdb();
    const b = await this.secondGdb();
    await this.differentBreakpoints(a, b);
    await this.oneSignal(a, b, strace, ours);
    await this.theEnd(a, b);
    await this.sameLines(strace, ours);
  }

  async close(): Promise<void> {
    for (const gdb of this.gdbs) await gdb.vanish();
    for (const tracer of this.tracers) await tracer.close();
  }

  private async twoStraces(): Promise<{ strace: Tracer; ours: Tracer }> {
    const { stage, kitchen } = this;
    await stage.chapter(
      'Two straces',
      'The real one comes first and takes ptrace for itself, as always. The other one needs none.',
    );
    const strace = this.traces('strace', 'strace', [...SYSCALLS, String(kitchen.pid)]);
    await strace.has(/attached with/);
    const bin = path.join(PACKAGE_ROOT, 'bin/ntrace');
    const ours = this.traces('ntrace', bin, [
      'strace',
      '--engine=kernel',
      ...SYSCALLS,
      `${kitchen.pid}`,
    ]);
    await ours.has(/attached with/);
    // two lines of each cook
    stage.check('ntrace strace sees the cooks write', await ours.sees(/write\(\d+, "/, 4));
    this.tell();
    stage.check(
      `the program's one ptracer is strace: TracerPid is ${kitchen.tracer}`,
      kitchen.tracer === strace.pid,
    );
    return { strace, ours };
  }

  private async firstGdb(): Promise<GdbConsole> {
    await this.stage.chapter(
      'A gdb beside them',
      'It connects to a server of ntrace; "gdb -p" would be refused by the kernel now.',
    );
    const a = await this.gdb('A');
    await this.does('A', a, 'break chop', /Breakpoint 1/);
    await this.does('A', a, 'continue', /"chopper" hit Breakpoint 1.*, chop \(carrot=\d+\)/);
    return a;
  }

  private async secondGdb(): Promise<GdbConsole> {
    await this.stage.chapter(
      'And a second gdb',
      'The threads are held by A. B attaches all the same, and sees nothing of the breakpoint in chop.',
    );
    const b = await this.gdb('B');
    const text = await this.does('B', b, 'x/4xb chop', /0x[0-9a-f]+.*<chop>/);
    this.stage.check("A's breakpoint is not in the memory B reads", !/0xcc/.test(text));
    await this.does('B', b, 'break stir', /Breakpoint 1/);
    return b;
  }

  private async differentBreakpoints(a: GdbConsole, b: GdbConsole): Promise<void> {
    const { stage } = this;
    await stage.chapter('Who holds what?', 'B continues; a thread runs once nobody holds it.');
    b.begin('continue');
    await b.until(/wait for engine/);
    const engines = fs.readFileSync(ENGINES, 'utf8');
    stage.told('$', 'green', `cat ${ENGINES}`, engines, /held by breakpoint/);
    const count = engines.match(/^engine /gm)?.length ?? 0;
    stage.check(`three engines and a ptracer are on the program: ${count} + 1`, count === 3);
    await this.does('A', a, 'delete');
    this.begins('A', a, 'continue');
    const stop = await b.prompt();
    stage.told(
      'B (gdb)',
      'blue',
      'continue',
      stop,
      /"stirrer" hit Breakpoint 1.*, stir \(turn=\d+\)/,
    );
    await this.does('B', b, 'print turn', /= \d+/);
    await this.does('B', b, 'backtrace', /#0 +stir[^]*#1 .*cook/);
  }

  private async oneSignal(
    a: GdbConsole,
    b: GdbConsole,
    strace: Tracer,
    ours: Tracer,
  ): Promise<void> {
    const { stage } = this;
    await stage.chapter(
      'The bell rings once',
      'A signal passes A first, which stops for it, then B, and strace last; then the program has it.',
    );
    await this.does('B', b, 'handle SIGUSR1 nostop noprint pass', /SIGUSR1/);
    await this.does('B', b, 'delete');
    this.begins('B', b, 'continue');
    this.kitchen.signal('SIGUSR1');
    const stop = await a.prompt();
    stage.told('A (gdb)', 'cyan', 'continue', stop, /received signal SIGUSR1/);
    await this.does('A', a, 'print bell', /= 0/);
    stage.check('strace has not seen it yet', !strace.lines.some((line) => BELL.test(line)));
    this.begins('A', a, 'continue');
    stage.check('strace sees it delivered', await strace.has(BELL));
    stage.check('ntrace strace sees it delivered', await ours.has(BELL));
    this.tell(BELL);
  }

  private async theEnd(a: GdbConsole, b: GdbConsole): Promise<void> {
    const { stage, kitchen } = this;
    await stage.chapter(
      'Closing time',
      'The exit status is the number of times the bell was heard.',
    );
    for (const gdb of [a, b]) {
      await gdb.interrupt();
      await gdb.send('handle SIGTERM nostop noprint pass');
    }
    kitchen.signal('SIGTERM');
    a.begin('continue');
    b.begin('continue');
    const [first, second] = await Promise.all([a.prompt(), b.prompt()]);
    stage.told('A (gdb)', 'cyan', 'continue', first, /exited with code 01/);
    stage.told('B (gdb)', 'blue', 'continue', second, /exited with code 01/);
    const code = await kitchen.end();
    stage.check(`the bell was heard once: exit status ${code}`, code === 1);
  }

  private async sameLines(strace: Tracer, ours: Tracer): Promise<void> {
    const { stage } = this;
    for (const tracer of [strace, ours])
      stage.check(`${tracer.name} ends by itself`, await tracer.end());
    this.tell(/exited with/);
    await stage.chapter('What there was to see', 'Four tools, one program, nothing lost.');
    for (const what of ['chopped carrot', 'stirred, turn']) {
      const [all, since] = [written(strace, what), written(ours, what)];
      // strace was there before
      stage.check(
        `both straces saw the same ${since.length} lines "${what} ..."`,
        since.length > 0 && all.slice(-since.length).join() === since.join(),
      );
    }
    for (const { name, lines } of [strace, ours]) {
      const bells = lines.filter((line) => BELL.test(line)).length;
      const failures = lines.filter((line) => /= -1 /.test(line)).length;
      stage.check(`${name} saw the bell once, and no call fail`, bells === 1 && failures === 0);
    }
  }

  private traces(name: string, command: string, args: readonly string[]): Tracer {
    const shown = name === 'strace' ? [] : [name];
    this.stage.told(
      '$',
      'green',
      [...shown, ...(name === 'strace' ? [name] : []), ...args].join(' '),
      '',
    );
    const tracer = Tracer.start(name, command, args);
    this.tracers.push(tracer);
    return tracer;
  }

  private async gdb(name: string): Promise<GdbConsole> {
    const gdb = await GdbConsole.start(
      this.kitchen.file,
      '-ex',
      'set print thread-events off',
      '-ex',
      'set sysroot /',
    );
    this.gdbs.push(gdb);
    await this.does(name, gdb, `target extended-remote :${this.port}`, /Remote debugging/);
    await this.does(name, gdb, `attach ${this.kitchen.pid}`, /Attaching to program/);
    return gdb;
  }

  private async does(
    name: string,
    gdb: GdbConsole,
    command: string,
    shows?: RegExp,
  ): Promise<string> {
    const answer = await gdb.send(command);
    this.stage.told(`${name} (gdb)`, COLORS[name] ?? 'cyan', command, answer, shows);
    return answer;
  }

  /** A command whose answer comes later. */
  private begins(name: string, gdb: GdbConsole, command: string): void {
    gdb.begin(command);
    this.stage.told(`${name} (gdb)`, COLORS[name] ?? 'cyan', command, '');
  }

  /** The last of what the straces printed since the last time. */
  private tell(pattern = /\(/): void {
    for (const tracer of this.tracers) {
      const lines = tracer.take().filter((line) => pattern.test(line));
      for (const line of lines.slice(-LINES_SHOWN))
        this.stage.note(
          tracer.name.padEnd(6),
          line,
          tracer.name === 'strace' ? 'yellow' : 'magenta',
        );
    }
  }
}

/** What the cooks wrote down, as a tracer has it. */
function written(tracer: Tracer, what: string): string[] {
  const pattern = new RegExp(`write\\(\\d+, "(${what} \\d+)`);
  return tracer.lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
}
